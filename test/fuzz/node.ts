import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { Seen } from './ours.js';

/** What Node's own server made of a connection. */
export interface NodeReading {
  /** Those that have arrived whole. */
  requests: Seen[];
  /** Code of the parser's error, `''` without one. */
  error: string;
}

/** A socket in memory: the server reads what is pushed, and what it writes is dropped. */
class MemoryDuplex extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void { done(); }
  override _writev(_chunks: unknown, done: () => void): void { done(); }
}

const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

/** Joins repeated fields as our Request does; Node gives every byte as one character. */
function record(raw: readonly string[]): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = utf8(raw[i + 1]!);
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`;
  }
  return { ...fields };
}

/** Node's http server with its strict parser, on connections in memory. */
export class NodeReader {
  readonly #server: Server;
  readonly #readings = new WeakMap<Duplex, { reading: NodeReading; waiting: Set<IncomingMessage> }>();

  constructor() {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => this.#onRequest(request, response);
    // The size of a head is limited differently, which is no matter of how it is read.
    this.#server = createServer({ insecureHTTPParser: false, maxHeaderSize: 1 << 20 }, onRequest);
    this.#server.maxHeadersCount = 0;
    // Without listeners it answers by itself, and the request would not be seen.
    this.#server.on('checkContinue', onRequest).on('checkExpectation', onRequest);
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const entry = this.#readings.get(socket as Duplex);
      // Not destroyed here: requests that have arrived whole before the error are still to be handed out.
      if (entry !== undefined) entry.reading.error ||= error.code ?? error.message;
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { reading } = this.#readings.get(request.socket as unknown as Duplex)!;
    const place = reading.requests.length;
    const pieces: Buffer[] = [];
    const seen = {} as Seen;
    reading.requests.push(seen);
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => {});
    request.on('end', () => {
      reading.requests[place] = Object.assign(seen, {
        method: request.method!,
        target: utf8(request.url!),
        version: request.httpVersion,
        headers: record(request.rawHeaders),
        body: Buffer.concat(pieces).toString('latin1'),
        trailers: trailersOf(request.rawTrailers),
      });
    });
    response.on('error', () => {});
    response.end();
  }

  /** Reads many connections at once. */
  async read(inputs: readonly Buffer[]): Promise<NodeReading[]> {
    const readings: NodeReading[] = [];
    const sockets: Duplex[] = [];
    for (const input of inputs) {
      const socket = new MemoryDuplex();
      const reading: NodeReading = { requests: [], error: '' };
      this.#readings.set(socket, { reading, waiting: new Set() });
      readings.push(reading);
      sockets.push(socket);
      socket.on('error', () => {});
      this.#server.emit('connection', socket);
      socket.push(input);
    }
    // Requests end and responses finish in turns of the event loop; pipelined ones one after the other.
    for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
    for (const reading of readings) reading.requests = reading.requests.filter((seen) => seen.method !== undefined);
    return readings;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** The last of several counts, as with ours. */
function trailersOf(raw: readonly string[]): Record<string, string> {
  const trailers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) trailers[raw[i]!.toLowerCase()] = utf8(raw[i + 1]!);
  return trailers;
}
