import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { frame, readFrames, type FrameSpec, type ReadFrame } from '../../support/websocket.js';
import { until } from '../connection/peers.js';

/** A WebSocket server by hand, for one client after the other: it says exactly what it is told to. */
export class HandServer {
  readonly #server: Server;
  readonly links: Link[] = [];

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.links.push(new Link(socket)));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connection of the n-th client, once its request has come. */
  async link(index = 0): Promise<Link> {
    await until(() => this.links[index]?.request.includes('\r\n\r\n') === true);
    return this.links[index]!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.links) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The server's end of one connection. */
export class Link {
  readonly socket: Socket;
  ended = false;
  error: Error | null = null;
  #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay();
    socket.on('data', (chunk) => this.#chunks.push(chunk));
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => (this.ended = true));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The head that the client has sent, with its empty line. */
  get request(): string {
    const text = this.bytes.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    return end < 0 ? '' : text.slice(0, end + 4);
  }

  header(name: string): string | null {
    return new RegExp(`^${name}: (.*)\\r$`, 'im').exec(this.request)?.[1] ?? null;
  }

  get frames(): ReadFrame[] {
    return readFrames(this.bytes.subarray(this.request.length)).frames;
  }

  /** Each frame as its first byte in hex and its payload as text, Close frames as their code. */
  get shown(): string[] {
    return this.frames.map((one) => {
      const first = ((one.fin ? 0x80 : 0) | (one.rsv << 4) | one.opcode).toString(16);
      return `${first} ${one.opcode === 8 && one.payload.length > 1 ? one.payload.readUInt16BE(0) : one.payload.toString()}`;
    });
  }

  /** A 101 that fits the request, then frames, in one write. */
  open(headers: Record<string, string> = {}, ...frames: (FrameSpec | Buffer)[]): void {
    const accept = createHash('sha1')
      .update(`${this.header('Sec-WebSocket-Key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const all = { 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Accept': accept, ...headers };
    const lines = Object.entries(all)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    this.socket.write(
      Buffer.concat([Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`), ...frames.map(bytesOf)]),
    );
  }

  write(...frames: (FrameSpec | Buffer)[]): void {
    this.socket.write(Buffer.concat(frames.map(bytesOf)));
  }

  async gets(count: number): Promise<string[]> {
    await until(() => this.frames.length >= count);
    return this.shown;
  }

  async end(): Promise<string[]> {
    await until(() => this.ended);
    return this.shown;
  }
}

/** Frames of a server are not masked. */
const bytesOf = (one: FrameSpec | Buffer): Buffer => (Buffer.isBuffer(one) ? one : frame({ mask: false, ...one }));
