import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { waitUntil } from './process.js';

/** One of the clients of a transcript. */
export interface Peer {
  send(bytes: Buffer): Promise<void>;
  /** Waits for `length` bytes of a stream, or for one message. Less when the connection is closed before. */
  receive(length: number): Promise<Buffer>;
  /**
   * Waits until what is there begins with something that matches, and takes it. `hex:` patterns see hexadecimal digits.
   * @returns the named groups as numbers, null when the connection was closed without a match
   */
  receiveMatch(pattern: string): Promise<Record<string, number> | null>;
  /** Waits until whatever the server had to say is likely to have come; for a WebSocket, is sure to have come. */
  settle(): Promise<void>;
  /** What was received and not asked for yet, for people. */
  unread(): string;
  closed(): Promise<void>;
  close(): Promise<void>;
  destroy(): void;
}

/** How long a stream or a UDP socket is given to receive what should not come, and a server to see a piece alone. */
const PAUSE = 40;

/** @param address `tcp://1234`, `udp://1234` or `websocket://1234`: a port of 127.0.0.1 */
export async function connectPeer(address: string): Promise<Peer> {
  const [kind, port] = address.split('://');
  const peer = new KINDS[kind as keyof typeof KINDS](Number(port));
  await peer.opened();
  return peer;
}

abstract class ReceivingPeer {
  protected received: Buffer[] = [];
  protected isClosed = false;

  async settle(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }

  unread(): string {
    return Buffer.concat(this.received).toString();
  }

  async closed(): Promise<void> {
    await waitUntil(
      () => this.isClosed,
      () => `the end of a connection that has received ${this.unread()}`,
    );
  }

  async receiveMatch(pattern: string): Promise<Record<string, number> | null> {
    const isHex = pattern.startsWith('hex:');
    const expression = new RegExp(`^(?:${isHex ? pattern.slice(4) : pattern})`);
    const encoding = isHex ? 'hex' : 'utf8';
    const find = (): RegExpExecArray | null => expression.exec(Buffer.concat(this.received).toString(encoding));
    const ended = await waitUntil(
      () => (find() && 'found') || (this.isClosed && 'closed'),
      () => `${pattern}; there is ${this.unread()}`,
    );
    if (ended === 'closed') return null;
    const [taken, groups] = [find()![0], find()!.groups ?? {}];
    this.take(Buffer.byteLength(taken, encoding));
    return Object.fromEntries(Object.entries(groups).map(([name, digits]) => [name, parseInt(digits, isHex ? 16 : 10)]));
  }

  /** Removes so many bytes of a stream, or one message. */
  protected abstract take(length: number): Buffer;

  protected async available(isEnough: () => boolean): Promise<void> {
    await waitUntil(
      () => isEnough() || this.isClosed,
      () => `more than ${JSON.stringify(this.unread())}`,
    );
  }
}

abstract class MessagePeer extends ReceivingPeer {
  async receive(): Promise<Buffer> {
    await this.available(() => this.received.length > 0);
    return this.take();
  }

  protected take(): Buffer {
    return this.received.shift() ?? Buffer.alloc(0);
  }
}

class TcpPeer extends ReceivingPeer implements Peer {
  readonly #socket: Socket;

  constructor(port: number) {
    super();
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (data) => this.received.push(data));
    // An error is followed by the close.
    this.#socket.on('error', () => {}).on('close', () => (this.isClosed = true));
  }

  async opened(): Promise<void> {
    await once(this.#socket, 'connect');
  }

  async send(bytes: Buffer): Promise<void> {
    this.#socket.write(bytes);
  }

  async receive(length: number): Promise<Buffer> {
    await this.available(() => Buffer.concat(this.received).length >= length);
    return this.take(length);
  }

  protected take(length: number): Buffer {
    const all = Buffer.concat(this.received);
    this.received = all.length > length ? [all.subarray(length)] : [];
    return all.subarray(0, length);
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.closed();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

class WebSocketPeer extends MessagePeer implements Peer {
  readonly #socket: WebSocket;

  constructor(port: number) {
    super();
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
    this.#socket.on('message', (data) => this.received.push(data as Buffer));
    this.#socket.on('error', () => {}).on('close', () => (this.isClosed = true));
  }

  async opened(): Promise<void> {
    await once(this.#socket, 'open');
  }

  /** Text. The server has handled it when this returns. */
  async send(bytes: Buffer): Promise<void> {
    this.#socket.send(bytes, { binary: false });
    await this.settle();
  }

  override async settle(): Promise<void> {
    const pong = once(this.#socket, 'pong');
    this.#socket.ping();
    await pong;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed();
  }

  destroy(): void {
    this.#socket.terminate();
  }
}

class UdpPeer extends MessagePeer implements Peer {
  readonly #socket: UdpSocket = createSocket('udp4');
  readonly #port: number;

  constructor(port: number) {
    super();
    this.#port = port;
    this.#socket.on('message', (data) => this.received.push(data));
  }

  async opened(): Promise<void> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
  }

  async send(bytes: Buffer): Promise<void> {
    this.#socket.send(bytes, this.#port, '127.0.0.1');
  }

  async close(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    if (!this.isClosed) this.#socket.close();
    this.isClosed = true;
  }
}

const KINDS = { tcp: TcpPeer, udp: UdpPeer, websocket: WebSocketPeer };
