import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ConnectionInterface } from '../../connection/ConnectionInterface.js';
import type { TcpConnection } from '../../connection/TcpConnection.js';
import type { Worker } from '../../lib/Worker.js';
import { Http } from '../../protocols/Http.js';
import { bufferedBytes } from '../../protocols/http/buffered.js';
import { isWatching } from '../../protocols/http/limits.js';
import type { Request } from '../../protocols/http/Request.js';
import { Response } from '../../protocols/http/Response.js';
import { randomFrom } from './feed.js';

/**
 * Clients that come, ask for something that takes files, streams and temporary files to answer, and leave at any byte of
 * question or answer.
 */

const FILE_SIZE = 3 * 1024 * 1024;
const PIECES = 40;

/** What a process holds. */
export interface Holdings {
  descriptors: number;
  timers: number;
  listeners: number;
  tempFiles: number;
  connections: number;
  buffered: number;
  watching: boolean;
  /** Streams that were begun and have not been told that they are over. */
  openStreams: number;
}

/** Where the visits go. */
export class VisitedPlace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'visits-'));
  readonly #uploads = join(this.folder, 'uploads');
  readonly #uploadsBefore: string;
  #openStreams = 0;
  #handled = 0;
  #pending = 0;

  constructor() {
    mkdirSync(this.#uploads);
    writeFileSync(join(this.folder, 'big.bin'), Buffer.alloc(FILE_SIZE, 'abcdefghij'));
    this.#uploadsBefore = Http.uploadTmpDir();
    Http.uploadTmpDir(this.#uploads);
  }

  close(): void {
    Http.uploadTmpDir(this.#uploadsBefore);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Prepares a Worker of HTTP. */
  serveWith(worker: Worker, streamBodies: boolean): void {
    worker.streamBodies = streamBodies;
    worker.onMessage = async (connection: TcpConnection, request: Request) => {
      this.#pending++;
      try {
        await this.#handle(connection, request);
      } finally {
        this.#pending--;
        this.#handled++;
      }
    };
  }

  /** Handlers that have settled. */
  get handled(): number {
    return this.#handled;
  }

  /** Handlers that have not settled. */
  get pending(): number {
    return this.#pending;
  }

  async #handle(connection: TcpConnection, request: Request): Promise<void> {
    switch (request.path()) {
      case '/file': return void connection.send(new Response().withFile(join(this.folder, 'big.bin')));
      case '/upload':
        await request.readBody();
        return void connection.send(Object.keys(request.file()).join());
      case '/stream': return void connection.send(new Response(200, {}, this.#stream()));
      case '/readable': return void connection.send(new Response(200, {}, this.#readable()));
      case '/echo': return void connection.send(new Response(200, {}, request.body));
      case '/web': return void connection.send(new globalThis.Response(request.toWeb().body));
      case '/later': return new Promise((resolve) => setTimeout(() => resolve(void connection.send('later')), 2));
      default: {
        let length = 0;
        for await (const piece of request.body) length += piece.length;
        connection.send(String(length));
      }
    }
  }

  async *#stream(): AsyncGenerator<Buffer> {
    this.#openStreams++;
    try {
      for (let i = 0; i < PIECES; i++) {
        if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.alloc(20_000, 'x');
      }
    } finally {
      this.#openStreams--;
    }
  }

  #readable(): Readable {
    let i = 0;
    this.#openStreams++;
    return new Readable({
      read() {
        this.push(i++ < PIECES ? Buffer.alloc(20_000, 'y') : null);
      },
      destroy: (error, done) => {
        this.#openStreams--;
        done(error);
      },
    });
  }

  /** What this process holds when nothing is under way: of several looks, that with the fewest timers. */
  async kept(): Promise<Holdings> {
    let least = this.holdings();
    for (let look = 0; look < 50; look++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const now = this.holdings();
      if (now.timers < least.timers) least = now;
    }
    return least;
  }

  /** What this process holds now. */
  holdings(): Holdings {
    return {
      descriptors: readdirSync('/proc/self/fd').length,
      timers: process.getActiveResourcesInfo().filter((name) => /^(Timeout|Immediate)$/.test(name)).length,
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      tempFiles: readdirSync(this.#uploads).length,
      connections: ConnectionInterface.statistics.connection_count,
      buffered: bufferedBytes(),
      watching: isWatching(),
      openStreams: this.#openStreams,
    };
  }
}

const multipart = (size: number): string =>
  `--B\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n\r\n${'z'.repeat(size)}\r\n--B--\r\n`;

const head = (method: string, path: string, lines = ''): string => `${method} ${path} HTTP/1.1\r\nHost: h\r\n${lines}\r\n`;

const withLength = (path: string, body: string, lines = ''): string =>
  head('POST', path, `Content-Length: ${body.length}\r\n${lines}`) + body;

const QUESTIONS = [
  head('GET', '/file'),
  withLength('/upload', multipart(20_000), 'Content-Type: multipart/form-data; boundary=B\r\n'),
  head('GET', '/stream'),
  head('GET', '/readable'),
  head('HEAD', '/stream'),
  withLength('/echo', 'e'.repeat(200_000)),
  withLength('/web', 'w'.repeat(100_000)),
  withLength('/sum', 's'.repeat(50_000)),
  head('POST', '/sum', 'Transfer-Encoding: chunked\r\n') + `3E8\r\n${'c'.repeat(1000)}\r\n`.repeat(20) + '0\r\nT: x\r\n\r\n',
  head('GET', '/later'),
  'GET / HTTP/1.1\r\nBad\r\n\r\n',
  head('GET', '/later') + head('GET', '/file') + withLength('/upload', multipart(100), 'Content-Type: multipart/form-data; boundary=B\r\n'),
];

/** One client: sends some bytes, waits for some, leaves with FIN or RST or by hanging up in the middle. */
export function visit(port: number, seed: number): Promise<void> {
  const random = randomFrom(seed * 7919 + 13);
  random();
  const question = QUESTIONS[Math.floor(random() * QUESTIONS.length)]!;
  const isWhole = random() < 0.6;
  const sends = isWhole ? question : question.slice(0, Math.floor(random() * question.length));
  const waitsFor = isWhole ? Math.floor(random() ** 3 * 900_000) : 0;
  const how = random();
  return new Promise((resolve) => {
    let received = 0;
    const socket = connect(port, '127.0.0.1');
    const leave = (): void => {
      if (how < 0.5) socket.destroy();
      else if (how < 0.8) socket.end();
      else socket.resetAndDestroy();
      // A server that does not answer a FIN would keep the visit open for ever; then the counts show it.
      setTimeout(() => socket.destroy(), 100).unref();
    };
    socket.on('error', () => {}).on('close', () => resolve());
    socket.on('data', (data: Buffer) => {
      received += data.length;
      if (received > waitsFor) leave();
    });
    socket.on('end', () => socket.destroy());
    socket.write(Buffer.from(sends, 'latin1'), () => {
      if (waitsFor === 0) setImmediate(leave);
    });
    // Short answers do not have the bytes that are waited for.
    setTimeout(leave, 20 + how * 20);
  });
}

/** So many visits, `atOnce` at a time. */
export async function visits(port: number, count: number, atOnce: number, seed: number): Promise<void> {
  let next = 0;
  const clients = Array.from({ length: atOnce }, async () => {
    while (next < count) await visit(port, seed + next++);
  });
  await Promise.all(clients);
}
