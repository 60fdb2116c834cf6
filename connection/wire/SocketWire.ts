import type { Socket } from 'node:net';
import type { Bytes } from '../../protocols/ProtocolInterface.js';
import { localOf, remoteOf } from '../address.js';
import { lingerMs } from '../linger.js';
import { attachListener, detachListener } from '../socketEvents.js';
import type { Wire, WireListener, WireWriter } from './Wire.js';

/** What Node's sockets have no public name for: the bytes that libuv still holds, and the socket below one of TLS. */
interface SocketInternals {
  _handle?: { writeQueueSize?: number } | null;
  _parent?: SocketInternals | null;
}

const ignore = (): void => {};

/** A wire over one of Node's sockets: TLS, clients, and everything where Node's handles can not be used. */
export class SocketWire implements Wire {
  readonly countsBytes: boolean = true;
  readonly socket: Socket;
  dispatched: number;
  #writer: WireWriter | null = null;
  readonly #taken = (): void => this.#writer?._onTaken();

  /** @param dispatched bytes that went over the connection before */
  constructor(socket: Socket, dispatched = 0) {
    this.socket = socket;
    this.dispatched = dispatched;
  }

  get busy(): boolean {
    return this.socket.writableLength > 0;
  }

  get pending(): number {
    const socket = this.socket;
    // Under TLS the handle counts encrypted bytes.
    if ('encrypted' in socket) return socket.writableLength;
    // The libuv count is exact for a write that was taken in part; Node's public figure knows only whole writes.
    const exact = (socket as SocketInternals)._handle?.writeQueueSize;
    return typeof exact === 'number' && exact > 0 ? exact : socket.writableLength;
  }

  get progress(): number {
    const socket = this.socket as SocketInternals;
    // Under TLS the socket below counts, in encrypted bytes; the one above knows whole writes only.
    const handle = (socket._parent ?? socket)._handle;
    return this.dispatched - (handle?.writeQueueSize ?? this.socket.writableLength);
  }

  get failed(): boolean {
    return this.socket.errored !== null && this.socket.errored !== undefined;
  }

  get ended(): boolean {
    return this.socket.readableEnded;
  }

  open(listener: WireListener, writer: WireWriter): void {
    this.#writer = writer;
    attachListener(this.socket, listener);
  }

  write(bytes: Bytes): void {
    if (typeof bytes === 'string') {
      this.dispatched += Buffer.byteLength(bytes);
      this.socket.write(bytes, 'utf8', this.#taken);
    } else {
      this.dispatched += bytes.length;
      this.socket.write(bytes, this.#taken);
    }
  }

  writeAll(batch: readonly Bytes[]): void {
    this.socket.cork();
    for (const bytes of batch) this.write(bytes);
    this.socket.uncork();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.#leave();
    this.socket.destroy();
  }

  linger(seconds: number, done: () => void): void {
    const socket = this.socket;
    this.#leave();
    if (seconds <= 0 || socket.destroyed) {
      socket.destroySoon();
      done();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), lingerMs(seconds));
    socket.once('close', () => {
      clearTimeout(timer);
      done();
    });
    if (socket.readableEnded) {
      socket.end(() => socket.destroy());
      return;
    }
    socket.on('end', () => socket.destroy());
    socket.on('data', ignore);
    socket.resume();
    socket.end();
  }

  remoteAddress(): string {
    return remoteOf(this.socket);
  }

  localAddress(): string {
    return localOf(this.socket);
  }

  asSocketWire(): this {
    return this;
  }

  #leave(): void {
    this.#writer = null;
    detachListener(this.socket);
  }
}
