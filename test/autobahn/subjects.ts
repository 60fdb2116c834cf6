import { createHash } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { openingRequest } from '../support/websocket.js';
import { Codec, type DeflateSetting } from './Codec.js';
import { Tester, type Delivery } from './Tester.js';

/** What is said about compression in the handshake. */
export interface Compression {
  /** What a tester that is the client offers, and the answer that it expects. */
  offer: string;
  answer: string;
  /** What a tester that is the server answers to the subject's offer. */
  reply: string;
  /** What both come to: the first for a subject that is the server. */
  settings: { server: DeflateSetting; client: DeflateSetting };
}

/** The program under test, in one of its two roles. */
export interface Subject {
  readonly role: 'server' | 'client';
  start(): Promise<void>;
  /** A new connection with the handshake done. */
  open(delivery: Delivery, compression?: Compression): Promise<Tester>;
  script(): Script;
  stop(): Promise<void>;
}

const app = (name: string): string => fileURLToPath(new URL(`apps/${name}.ts`, import.meta.url));

/** Collects bytes up to the empty line. @returns the head, and what came behind it */
function readHead(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', look).off('close', gone).pause();
      resolve({ head: bytes.toString('latin1', 0, end + 4), rest: bytes.subarray(end + 4) });
    };
    const gone = (): void =>
      reject(new Error(`the connection ended in the handshake, behind ${JSON.stringify(bytes.toString('latin1'))}`));
    socket
      .on('data', look)
      .once('close', gone)
      .on('error', () => {});
  });
}

function testerOn(
  socket: Socket,
  rest: Buffer,
  subject: 'server' | 'client',
  delivery: Delivery,
  compression?: Compression,
): Tester {
  const tester = new Tester(socket, rest, subject === 'server', delivery);
  if (compression) tester.codec = new Codec(compression.settings[subject]);
  socket.resume();
  return tester;
}

/** A Worker that speaks `websocket`, in a real process. */
export class ServerSubject implements Subject {
  readonly role = 'server';
  #script: Script | null = null;
  #port = 0;

  async start(): Promise<void> {
    this.#port = await freePort();
    this.#script = startScript({ script: app('echoServer'), env: { ECHO_PORT: String(this.#port) } });
    await this.#script.started();
  }

  async open(delivery: Delivery, compression?: Compression): Promise<Tester> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(openingRequest(compression ? { 'Sec-WebSocket-Extensions': compression.offer } : {}));
    const { head, rest } = await readHead(socket);
    const answered = /^Sec-WebSocket-Extensions: (.*)\r$/m.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 101 ') || answered !== compression?.answer)
      throw new Error(`the handshake was answered with ${head}`);
    return testerOn(socket, rest, 'server', delivery, compression);
  }

  script(): Script {
    return this.#script!;
  }

  async stop(): Promise<void> {
    await this.#script?.stop();
  }
}

/** Connections of `ws`, made by a real process again and again. */
export class ClientSubject implements Subject {
  readonly role = 'client';
  #script: Script | null = null;
  #server: Server | null = null;
  readonly #waiting: { socket: Socket; head: string; rest: Buffer }[] = [];

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      readHead(socket).then(
        (read) => this.#waiting.push({ socket, ...read }),
        () => {},
      );
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    this.#script = startScript({ script: app('echoClients'), env: { TESTER_PORT: String(port) } });
    await this.#script.started();
  }

  async open(delivery: Delivery, compression?: Compression): Promise<Tester> {
    const path = compression ? '/deflate' : '/plain';
    const found = await waitUntil(
      () => this.#waiting.find(({ head }) => head.startsWith(`GET ${path} `)),
      () => `a connection for ${path}: ${this.#script!.describe()}`,
    );
    this.#waiting.splice(this.#waiting.indexOf(found), 1);
    const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(found.head)![1]!;
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const extension = compression ? `Sec-WebSocket-Extensions: ${compression.reply}\r\n` : '';
    found.socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${extension}\r\n`,
    );
    return testerOn(found.socket, found.rest, 'client', delivery, compression);
  }

  script(): Script {
    return this.#script!;
  }

  async stop(): Promise<void> {
    await this.#script?.stop();
    for (const { socket } of this.#waiting) socket.destroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)));
  }
}
