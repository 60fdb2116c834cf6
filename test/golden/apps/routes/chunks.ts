import { Chunk, Response, Timer } from 'workerman-ts';
import type { TcpConnection } from 'workerman-ts';

type Header = string | string[];

/** Starts a chunked answer; the first of `bodies` goes with the head, the others are chunks. Does not end it. */
function begin(connection: TcpConnection, bodies: string[], status = 200, headers: Record<string, Header> = {}): void {
  const [first = '', ...others] = bodies;
  connection.send(new Response(status, { ...headers, 'Transfer-Encoding': 'chunked' }, first));
  for (const body of others) connection.send(new Chunk(body));
}

/** The same, and the empty chunk that ends it. */
function whole(...bodies: string[]): (connection: TcpConnection) => void {
  return (connection) => {
    begin(connection, bodies);
    connection.send(new Chunk(''));
  };
}

/** Answers sent in chunks. An empty first body sends the head alone. */
export const chunkRoutes: Record<string, (connection: TcpConnection) => void> = {
  '/chunk/one': whole('first'),
  '/chunk/empty-first': whole('', 'hello'),
  '/chunk/many': whole('one', 'two', 'three', 'four'),
  '/chunk/only-head': (c) => begin(c, []),
  '/chunk/unfinished': (c) => begin(c, ['part', 'more']),
  '/chunk/immediate-end': whole(),
  '/chunk/utf8': whole('é', '你好'),
  '/chunk/crlf-inside': whole('a\r\nb', '\r\n'),
  '/chunk/size-16': whole('z'.repeat(16), 'y'.repeat(171)),
  '/chunk/large': whole('', 'q'.repeat(70000)),
  '/chunk/zero-string': whole('0', '0'),
  '/chunk/headers': (c) => {
    begin(c, ['body'], 206, { 'Content-Type': 'text/plain', 'X-A': ['1', '2'] });
    c.send(new Chunk(''));
  },
  '/chunk/with-header': (c) => {
    c.send(new Response(200, {}, 'w').withHeader('Transfer-Encoding', 'chunked').cookie('a', '1'));
    c.send(new Chunk(''));
  },
  // The handler has returned before the last chunks are sent.
  '/chunk/timer': (c) => {
    begin(c, ['now']);
    const finish = (): void => {
      c.send(new Chunk('later'));
      c.send(new Chunk(''));
    };
    Timer.add(0.02, finish, [], false);
  },
  '/chunk/close': (c) => {
    begin(c, ['bye'], 200, { 'Connection': 'close' });
    c.close(new Chunk(''));
  },
  '/chunk/string': (c) => {
    c.send(new Response(200, { 'Content-Type': 'text/plain' }, `${new Chunk('hello')}${new Chunk('')}`));
  },
};

/** `count` chunks of `size` bytes: a, b … z, a … */
export function sendChunks(connection: TcpConnection, size: number, count: number): void {
  connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }));
  for (let i = 0; i < count; i++) connection.send(new Chunk(String.fromCharCode(97 + (i % 26)).repeat(size)));
  connection.send(new Chunk(''));
}
