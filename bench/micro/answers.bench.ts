import { from, type Micro } from './harness.js';

const { encodeValue, PLAIN_CONTEXT } =
  await from<typeof import('../../protocols/http/encode.js')>('protocols/http/encode.js');
const { Response } = await from<typeof import('../../protocols/http/Response.js')>('protocols/http/Response.js');
const { ServerSentEvents } =
  await from<typeof import('../../protocols/http/ServerSentEvents.js')>('protocols/http/ServerSentEvents.js');
const { Chunk } = await from<typeof import('../../protocols/http/Chunk.js')>('protocols/http/Chunk.js');

const type = { 'Content-Type': 'application/json' };
const five = {
  'Content-Type': 'application/json', 'Cache-Control': 'no-store', ETag: '"33a64df5"', 'X-Request-Id': '0123456789abcdef',
  Vary: 'Accept-Encoding',
};
const bytes = Buffer.alloc(1024, 'x');
const data = 'x'.repeat(64);

export const micros: readonly Micro[] = [
  { name: 'a text', run: () => encodeValue('hello world', null, PLAIN_CONTEXT) },
  { name: 'bytes, 1 KB', run: () => encodeValue(bytes, null, PLAIN_CONTEXT) },
  { name: 'new Response with 1 header, as text', run: () => String(new Response(200, type, '{"agent":"bench"}')) },
  { name: 'new Response with 5 headers, as text', run: () => String(new Response(200, five, '{"agent":"bench"}')) },
  { name: 'new Response with a cookie, as text', run: () => String(new Response(200, {}, 'x').cookie('a', 'b', 3600, '/')) },
  { name: 'an event', run: () => String(new ServerSentEvents({ event: 'message', data, id: 1 })) },
  { name: 'a chunk', run: () => String(new Chunk(data)) },
];
