import { Response, Timer } from 'workerman-ts';
import type { TcpConnection } from 'workerman-ts';
import { fixture } from '../support/files.js';

/** A response that says that it is the last one. */
const last = (body: string): Response => new Response(200, { 'Connection': 'close' }, body);

/** What a handler does with the connection itself: raw bytes, and all the ways of ending it. */
export const connectionRoutes: Record<string, (connection: TcpConnection) => void> = {
  '/raw/response': (c) => {
    c.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', true);
  },
  '/raw/pieces': (c) => {
    for (const piece of ['HTTP/1.1 200 OK\r\n', 'Content-Length: 4\r\n\r\n', 'ab', 'cd']) c.send(piece, true);
  },
  '/raw/binary': (c) => {
    c.send('HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n', true);
    c.send(Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)), true);
  },
  '/raw/interim': (c) => {
    c.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n', true);
    c.send(new Response(200, {}, 'final'));
  },
  '/close/response': (c) => c.close(last('bye')),
  '/close/status': (c) => c.close(new Response(503, { 'Connection': 'close', 'Retry-After': '5' }, 'later')),
  '/close/raw': (c) => c.close('HTTP/1.0 200 OK\r\n\r\nuntil close', true),
  '/close/nothing': (c) => c.close(),
  '/close/after-send': (c) => {
    c.send(last('sent'));
    c.close();
  },
  '/close/large': (c) => c.close(last('C'.repeat(300000))),
  '/close/then-send': (c) => {
    c.close(last('only'));
    c.send(new Response(200, {}, 'never'));
  },
  '/close/twice': (c) => {
    c.close(last('first'));
    c.close(new Response(200, {}, 'second'));
  },
  '/close/timer': (c) => {
    c.send(last('soon'));
    Timer.add(0.02, () => c.close(), [], false);
  },
  '/close/end': (c) => c.end(last('the end')),
  '/close/end-nothing': (c) => c.end(),
  '/close/end-raw': (c) => c.end('HTTP/1.0 200 OK\r\n\r\nended', true),
  '/close/end-then-send': (c) => {
    c.end(last('the end'));
    c.send(new Response(200, {}, 'never'));
  },
  '/close/destroy': (c) => c.destroy(),
  '/close/string': (c) => c.close('bye'),
  '/close/response-plain': (c) => c.close(new Response(200, {}, 'bye')),
  '/file/close': (c) => c.close(new Response(200, { 'Connection': 'close' }).withFile(fixture('alpha.txt'))),
  '/delay': (c) => {
    Timer.add(0.02, () => c.send('delayed'), [], false);
  },
};
