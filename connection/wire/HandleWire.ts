import { Socket, type Server, type SocketConstructorOpts } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Bytes } from '../../protocols/ProtocolInterface.js';
import { joinAddress } from '../address.js';
import { lingerMs } from '../linger.js';
import { deliver } from '../socketEvents.js';
import { isNativeHandle, native, type Native, type NativeHandle, type NativeRequest } from './native.js';
import { SocketWire } from './SocketWire.js';
import type { Wire, WireListener, WireWriter } from './Wire.js';

const { state, read: READ, written: WRITTEN, wasAsync: WAS_ASYNC, WriteRequest, ShutdownRequest } = (native ?? {}) as Native;

const UV_EOF = -4095;

/** Node writes a short text from its stack and tries to do so at once; a longer one costs an allocation and a turn. */
const LONGEST_TEXT = 4096;

/**
 * Every read of the process goes here, and whoever is told of it copies what is to be kept: 64 KiB once, instead of 64 KiB
 * that are allocated and cut down for every read.
 */
const memory: Buffer | null = native === null ? null : Buffer.allocUnsafeSlow(65_536);

/** Only a write that libuv has to finish later uses the request up. */
let spare: NativeRequest | null = native === null ? null : new WriteRequest();

/** Where a handle puts its addresses. With all the properties from the start, which makes setting them much cheaper. */
const name = { address: '', family: '', port: 0 };

/** A server's handle. */
interface ListeningHandle {
  onconnection: ((this: unknown, status: number, handle: unknown) => void) | null;
}

function onRead(this: NativeHandle): void {
  (this.wire as HandleWire | undefined)?._onRead(state[READ] as number);
}

function onWritten(this: NativeRequest, status: number): void {
  this.buffer = null;
  (this.wire as HandleWire)._onWritten(status);
}

function systemError(status: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: status, syscall });
}

/**
 * A wire straight over the handle of an accepted TCP or unix connection, without a `net.Socket` in between: that costs
 * several kilobytes and callbacks for each connection and for each write.
 */
export class HandleWire implements Wire {
  readonly countsBytes: boolean = false;
  dispatched = 0;
  failed = false;
  ended = false;
  #handle: NativeHandle | null;
  #listener: WireListener | null = null;
  #writer: WireWriter | null = null;
  #isReading = false;
  #isPaused = false;
  /** The write that libuv works on. */
  #request: NativeRequest | null = null;
  #lingerTimer: NodeJS.Timeout | null = null;
  #lingerDone: (() => void) | null = null;

  constructor(handle: NativeHandle) {
    this.#handle = handle;
    handle.wire = this;
    handle.onread = onRead;
    handle.useUserBuffer(memory as Buffer);
  }

  /** Its descriptor; undefined when it is gone, and where handles have none. */
  get fd(): number | undefined {
    return this.#handle?.fd;
  }

  get busy(): boolean {
    return this.#request !== null;
  }

  get pending(): number {
    return this.#request === null ? 0 : (this.#handle?.writeQueueSize ?? 0);
  }

  get progress(): number {
    return this.dispatched - this.pending;
  }

  open(listener: WireListener, writer: WireWriter): void {
    this.#listener = listener;
    this.#writer = writer;
    this.#start();
  }

  write(bytes: Bytes): void {
    const handle = this.#handle;
    if (handle === null) return;
    const request = spare as NativeRequest;
    if (typeof bytes !== 'string') this.#wrote(handle.writeBuffer(request, bytes), request, bytes);
    else if (bytes.length <= LONGEST_TEXT) this.#wrote(handle.writeUtf8String(request, bytes), request, null);
    else this.write(Buffer.from(bytes));
  }

  writeAll(batch: readonly Bytes[]): void {
    const handle = this.#handle;
    if (handle === null) return;
    const buffers = batch.map((bytes) => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
    const request = spare as NativeRequest;
    this.#wrote(handle.writev(request, buffers, true), request, buffers);
  }

  #wrote(status: number, request: NativeRequest, kept: unknown): void {
    if (status !== 0) return this.#fail(status, 'write');
    this.dispatched += state[WRITTEN] as number;
    if (state[WAS_ASYNC] === 0) return;
    spare = new WriteRequest();
    request.wire = this;
    request.buffer = kept;
    request.oncomplete = onWritten;
    this.#request = request;
  }

  /** @internal */
  _onWritten(status: number): void {
    this.#request = null;
    if (status < 0) this.#fail(status, 'write');
    else this.#writer?._onTaken();
  }

  /** @internal */
  _onRead(count: number): void {
    if (count > 0) {
      this.#listener?._onShared(memory as Buffer, count);
      return;
    }
    if (count === 0) return;
    this.#isReading = false;
    if (count === UV_EOF) this.ended = true;
    else this.failed = true;
    if (this.#lingerDone !== null) this.#lingered();
    else if (this.ended) this.#listener?._onEnd();
    else this.#listener?._onSocketError(systemError(count, 'read'));
  }

  /** The listener hears of it in a moment, as it does from Node's sockets. */
  #fail(status: number, syscall: string): void {
    this.failed = true;
    this.#stop();
    process.nextTick(() => this.#listener?._onSocketError(systemError(status, syscall)));
  }

  pause(): void {
    this.#isPaused = true;
    this.#stop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#start();
  }

  #start(): void {
    if (this.#isReading || this.#isPaused || this.ended || this.failed || this.#handle === null) return;
    const status = this.#handle.readStart();
    if (status !== 0) return this.#fail(status, 'read');
    this.#isReading = true;
  }

  #stop(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle?.readStop();
  }

  end(): void {
    if (this.#handle === null) return;
    // A peer that is gone already needs no FIN: whatever is wrong, reading or closing will show it, so nobody is told.
    this.#handle.shutdown(new ShutdownRequest());
  }

  destroy(): void {
    this.#leave();
    const handle = this.#handle;
    this.#handle = null;
    if (handle === null) return;
    handle.wire = undefined;
    handle.close();
  }

  linger(seconds: number, done: () => void): void {
    this.#leave();
    this.#lingerDone = done;
    if (seconds <= 0 || this.ended || this.failed || this.#handle === null) return this.#lingered();
    this.#lingerTimer = setTimeout(() => this.#lingered(), lingerMs(seconds));
    this.resume();
    this.end();
  }

  #lingered(): void {
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    const done = this.#lingerDone;
    this.#lingerTimer = this.#lingerDone = null;
    this.destroy();
    done?.();
  }

  remoteAddress(): string {
    const status = this.#handle?.getpeername?.(name) ?? -1;
    return status === 0 ? joinAddress(name.address, name.port) : '';
  }

  localAddress(): string {
    const status = this.#handle?.getsockname?.(name) ?? -1;
    return status === 0 ? joinAddress(name.address, name.port) : '';
  }

  /**
   * Gives the handle to one of Node's sockets, for somebody who has asked for it. A write that is under way is still
   * reported from here, also when it fails: who does not read would not learn of that otherwise.
   */
  asSocketWire(): SocketWire {
    this.#stop();
    const handle = this.#handle as NativeHandle;
    this.#handle = null;
    handle.wire = undefined;
    const options = {
      handle,
      allowHalfOpen: true,
      manualStart: true,
      // The memory that libuv reads into stays what it was.
      onread: { buffer: memory, callback: (count: number, bytes: Buffer) => deliver(socket, bytes, count) },
    };
    const socket: Socket = new Socket(options as SocketConstructorOpts);
    if (this.#isPaused) socket.pause();
    const wire = new SocketWire(socket, this.dispatched);
    if (this.#listener !== null) wire.open(this.#listener, this.#writer as WireWriter);
    if (this.#request === null) this.#listener = null;
    return wire;
  }

  #leave(): void {
    this.#listener = null;
    this.#writer = null;
  }
}

/** Has the clients of a listening server handed over as wires. @returns false when this Node can not do that */
export function acceptWires(server: Server, accept: (wire: HandleWire) => void): boolean {
  const listening = (server as unknown as { _handle?: ListeningHandle | null })._handle;
  if (native === null || typeof listening?.onconnection !== 'function') return false;
  const usual = listening.onconnection;
  listening.onconnection = function onConnection(status, handle) {
    if (status === 0 && isNativeHandle(handle)) accept(new HandleWire(handle));
    else usual.call(this, status, handle);
  };
  return true;
}
