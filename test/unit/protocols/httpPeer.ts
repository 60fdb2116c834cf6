import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import type { Request } from '../../../protocols/http/Request.js';
import { open, type Peer } from '../connection/peers.js';

/** A handler of requests. */
export type Handler = (connection: TcpConnection, request: Request) => unknown;

/** A connection that speaks HTTP, the far end of it, and what has happened here. */
export interface Served {
  readonly connection: TcpConnection;
  readonly peer: Peer;
  /** Method and target of each request handed out, `(close)` at the end. */
  readonly events: string[];
}

/** Serves one connection with `handler`; `prepare` runs before anything is read. */
export async function serve(
  handler: Handler,
  prepare: (connection: TcpConnection) => void = () => {},
): Promise<Served> {
  const events: string[] = [];
  const { connection, peer } = await open((c) => {
    c.protocol = Http;
    c.onMessage = (self: TcpConnection, request: Request) => {
      events.push(`${request.method()} ${request.uri()}`);
      return handler(self, request);
    };
    c.onClose = () => void events.push('(close)');
    prepare(c);
  });
  return { connection, peer, events };
}

/** A request without a body. */
export const get = (target = '/', headers = '', version = '1.1', method = 'GET'): string =>
  `${method} ${target} HTTP/${version}\r\nHost: h\r\n${headers}\r\n`;

/** A plain 200 as Workerman writes it. */
export const ok = (body: string, connection = 'keep-alive'): string =>
  `HTTP/1.1 200 OK\r\nConnection: ${connection}\r\nContent-Type: text/html;charset=utf-8\r\n` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
