import type { Socket } from 'node:net';
import { TcpConnection } from '../../connection/TcpConnection.js';
import { Http } from '../../protocols/Http.js';
import { unwatch } from '../../protocols/http/limits.js';
import type { Request } from '../../protocols/http/Request.js';
import { cutAt, feedShared } from '../support/feed.js';

/** A request as an application sees it. Text is one character for each byte where the bytes matter. */
export interface Seen {
  method: string;
  target: string;
  version: string;
  headers: Record<string, string>;
  body: string;
  trailers: Record<string, string>;
}

/** What became of a connection. */
export interface Reading {
  requests: Seen[];
  /** Where each of them ends, in bytes from the beginning. */
  ends: number[];
  /** Status of the refusal that ended it; 0 when there was none. */
  refused: number;
  /** True when nothing more would be read. */
  over: boolean;
}

/** The part of a socket that a connection uses. What is written is kept. */
class MemorySocket {
  readonly written: string[] = [];
  readonly writableLength = 0;
  readonly readableEnded = false;
  readonly errored = null;
  destroyed = false;
  on(): this { return this; }
  off(): this { return this; }
  once(): this { return this; }
  pause(): void {}
  resume(): void {}
  cork(): void {}
  uncork(): void {}
  end(): void {}
  destroy(): void { this.destroyed = true; }
  destroySoon(): void { this.destroyed = true; }
  write(bytes: string | Uint8Array): boolean {
    this.written.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1'));
    return true;
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function look(request: Request, body: Buffer): Seen {
  return {
    method: request.method(),
    target: request.uri(),
    version: request.protocolVersion(),
    headers: { ...request.header() },
    body: latin1(body),
    trailers: { ...request.trailer() },
  };
}

interface Opened {
  connection: TcpConnection;
  socket: MemorySocket;
  reading: Reading;
}

function open(onMessage: (connection: TcpConnection, request: Request) => unknown, streamBodies: boolean): Opened {
  const socket = new MemorySocket();
  const connection = new TcpConnection(null, socket as unknown as Socket, '127.0.0.1:1');
  connection.protocol = Http;
  connection.worker = { streamBodies, connections: {} };
  // Longer would only be slower here; the limit has tests of its own.
  connection.maxPackageSize = 100_000;
  connection.lingerTimeout = 0;
  connection.errorHandler = () => {};
  connection.onMessage = onMessage;
  return { connection, socket, reading: { requests: [], ends: [], refused: 0, over: false } };
}

function close({ connection, socket, reading }: Opened): Reading {
  reading.over = connection.getStatus() !== TcpConnection.STATUS_ESTABLISHED;
  connection.destroy();
  unwatch(connection);
  reading.refused = Number(/^HTTP\/1\.1 (4\d\d|5\d\d) [^\r]*\r\nConnection: close\r\n\r\n$/.exec(socket.written.at(-1) ?? '')?.[1] ?? 0);
  if (reading.refused === 0) reading.refused = Number(/HTTP\/1\.1 (4\d\d) [^\r]*\r\nConnection: close\r\n\r\n$/.exec(socket.written.join(''))?.[1] ?? 0);
  return reading;
}

/** Feeds a connection with the bytes, cut at these offsets; every request is answered at once. */
export function readOurs(bytes: Buffer, cuts: readonly number[] = []): Reading {
  const opened = open((connection, request) => {
    opened.reading.requests.push(look(request, request.rawBodyBytes()));
    opened.reading.ends.push(connection.bytesRead - connection.getRecvBufferQueueSize());
    connection.send('ok');
  }, false);
  for (const piece of cutAt(bytes, cuts)) feedShared(opened.connection, piece);
  return close(opened);
}

/** The same with bodies that are handed out while they arrive. Takes a few turns of the event loop. */
export async function readStreamed(bytes: Buffer, cuts: readonly number[] = []): Promise<Reading> {
  const opened = open(async (connection, request) => {
    const body = await request.readBody(1e9);
    opened.reading.requests.push(look(request, body));
    connection.send('ok');
  }, true);
  for (const piece of cutAt(bytes, cuts)) feedShared(opened.connection, piece);
  let before = -1;
  while (opened.reading.requests.length !== before) {
    before = opened.reading.requests.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return close(opened);
}
