import { from, type Micro } from './harness.js';

const { parseHead, parseFields } =
  await from<typeof import('../../protocols/http/parse/head.js')>('protocols/http/parse/head.js');

const small = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n');
const browser = Buffer.from(
  'GET /articles/2024/some-title?page=2&sort=asc HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n' +
    'Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n' +
    'Referer: https://www.example.com/articles\r\nAccept-Encoding: gzip, deflate, br\r\n' +
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=0123456789abcdef; theme=dark; _ga=GA1.1.1234567.7654321\r\n\r\n',
);
const body = Buffer.concat([
  Buffer.from('POST /form HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 65536\r\n\r\n'),
  Buffer.alloc(65_536, 'x'),
]);

const lengthOf = (buffer: Buffer): number => {
  const head = parseHead(buffer);
  if (typeof head === 'number') throw new Error(`the head was refused with ${head}`);
  return head.length;
};
const browserHead = lengthOf(browser);

export const micros: readonly Micro[] = [
  { name: 'parseHead, 3 lines', run: () => parseHead(small) },
  { name: 'parseHead, browser, 11 lines', run: () => parseHead(browser) },
  { name: 'parseHead, 64 KB of body behind it', run: () => lengthOf(body) },
  { name: 'parseFields, browser, 11 lines', run: () => parseFields(browser, browserHead) },
];
