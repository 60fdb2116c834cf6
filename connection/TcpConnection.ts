import type { Socket } from 'node:net';
import type { EventInterface } from '../timer/EventInterface.js';
import type { Bytes, ProtocolInterface } from '../protocols/ProtocolInterface.js';
import { ipOf, localOf, portOf, remoteOf } from './address.js';
import { ConnectionInterface, isThenable, type Callback } from './ConnectionInterface.js';
import { addConnection, createConnectionTable, removeConnection, type ConnectionTable } from './ConnectionTable.js';
import { hooks } from './hooks.js';
import { lingerAndDestroy } from './linger.js';
import { toBytes } from '../protocols/toBytes.js';
import { ReceiveBuffer } from './ReceiveBuffer.js';
import { attachListener, detachListener, type SocketListener } from './socketEvents.js';
import { SendQueue, type ByteSource, type SendQueueOwner } from './SendQueue.js';

const INITIAL = 0;
const CONNECTING = 1;
const ESTABLISHED = 2;
const ENDING = 4;
const CLOSING = 8;
const CLOSED = 16;

/** Numeric connection status; see {@link TcpConnection.STATUS_TO_STRING}. */
export type ConnectionStatus = 0 | 1 | 2 | 4 | 8 | 16;

/** What a connection needs to know of the worker that accepted it. */
export interface ConnectionOwner {
  readonly name: string;
}

/**
 * One TCP, TLS or unix stream connection: status, read loop, send queue, orderly and hard close. Speaks any
 * {@link ProtocolInterface}, knows none. Accepted connections start ESTABLISHED.
 *
 * Members that begin with `_` belong to the package.
 */
export class TcpConnection<Message = any, Self = any>
  extends ConnectionInterface<Message, Self>
  implements SendQueueOwner, SocketListener
{
  /** Largest chunk of one read in Workerman; Node chooses its own chunk size. */
  static readonly READ_BUFFER_SIZE: 87380 = 87380;
  static readonly STATUS_INITIAL: 0 = INITIAL;
  static readonly STATUS_CONNECTING: 1 = CONNECTING;
  static readonly STATUS_ESTABLISHED: 2 = ESTABLISHED;
  static readonly STATUS_ENDING: 4 = ENDING;
  static readonly STATUS_CLOSING: 8 = CLOSING;
  static readonly STATUS_CLOSED: 16 = CLOSED;
  /** Status number → name. */
  static readonly STATUS_TO_STRING: Readonly<Record<ConnectionStatus, string>> = {
    0: 'INITIAL',
    1: 'CONNECTING',
    2: 'ESTABLISHED',
    8: 'CLOSING',
    4: 'ENDING',
    16: 'CLOSED',
  };
  /** Workerman's bounds of its packet cache. Kept as names only: packets are never cached here. */
  static readonly MAX_CACHE_STRING_LENGTH: 2048 = 2048;
  static readonly MAX_CACHE_SIZE: 512 = 512;
  /** Seconds of silence before the kernel probes an idle peer. */
  static readonly TCP_KEEPALIVE_INTERVAL: 55 = 55;
  /** Bytes; copied into each new connection. */
  static defaultMaxSendBufferSize = 1_048_576;
  /** Bytes; copied into each new connection. */
  static defaultMaxPackageSize = 10_485_760;
  /** Seconds; copied into each new connection. */
  static defaultLingerTimeout = 1.0;
  /** Every live connection of this process by id, accepted and outgoing. */
  static connections: ConnectionTable<TcpConnection> = createConnectionTable<TcpConnection>();
  /** @internal Set by a process that stops. */
  static _draining = false;

  static #lastId = 0;

  /** 1, 2, 3 … per process, never used twice. */
  id: number;
  /** `'tcp'`, `'unix'` or `'ssl'`. */
  transport: 'tcp' | 'unix' | 'ssl' = 'tcp';
  /** The worker that accepted this connection; `null` on client connections and after the close. */
  // Loosely typed here: the connection only hands it through; the typed view of this class says what it is.
  worker: any = null;
  /** Bytes read off the wire. */
  bytesRead = 0;
  /** @internal When the last bytes came in (or the connection was made), in milliseconds since 1970. */
  _lastRead: number = Date.now();
  /** Queued bytes from which on `onBufferFull` is called and further sends are dropped. */
  maxSendBufferSize: number = TcpConnection.defaultMaxSendBufferSize;
  /** Longest packet in bytes; a longer one closes the connection. */
  maxPackageSize: number = TcpConnection.defaultMaxPackageSize;
  /** Seconds for which input is still read and thrown away after our FIN. */
  lingerTimeout: number = TcpConnection.defaultLingerTimeout;
  /** Free for users and protocols. */
  context: Record<string, any> = {};
  /** HTTP: header lines for the next answer. WebSocket: for the handshake. */
  headers: any = {};
  /** `(connection)`: client connections only, TCP is up. */
  onConnect: Callback<[connection: Self]> = null;
  /** `(connection)`: `maxSendBufferSize` bytes are queued; the next send will be dropped. */
  onBufferFull: Callback<[connection: Self]> = null;
  /** `(connection)`: what was queued has gone out. */
  onBufferDrain: Callback<[connection: Self]> = null;

  /** @internal State of the protocol that this connection speaks; the protocol's own business. */
  _state: unknown = null;
  /** @internal True while `close()` or `end()` sends its data, so that a protocol can say it is the last. */
  _isLast = false;

  protected _status: ConnectionStatus = ESTABLISHED;
  protected _socket: Socket | null;
  protected _remoteAddress: string;
  protected readonly _queue: SendQueue;
  protected readonly _received: ReceiveBuffer = new ReceiveBuffer();
  /** False while a TLS handshake is under way: sends queue. */
  protected _writable = true;
  /** @internal Path of a unix socket, for getLocalAddress(). */
  _localPath = '';

  readonly #key: number;
  #packageLength = 0;
  #paused = false;
  #dispatching = false;
  /** A sequential protocol's handler is pending. */
  #busy = false;
  /** The socket is not read because too much waits behind a pending handler. */
  #throttled = false;
  #lingerTimer: NodeJS.Timeout | null = null;
  #bytesWritten = 0;

  /**
   * @param socket an accepted socket, opened with `allowHalfOpen`; client connections pass `null` and attach later.
   * @param remoteAddress `ip:port`; taken from the socket when not given.
   */
  constructor(eventLoop: EventInterface | null, socket: Socket | null, remoteAddress = '') {
    super();
    this.id = this.#key = ++TcpConnection.#lastId;
    this.eventLoop = eventLoop;
    this._socket = socket;
    this._remoteAddress = remoteAddress !== '' || socket === null ? remoteAddress : remoteOf(socket);
    this._queue = new SendQueue(this, socket);
    if (socket !== null) {
      this._register();
      this._listen(socket);
    }
  }

  /** Bytes that the operating system has accepted. */
  get bytesWritten(): number {
    return this._socket === null ? this.#bytesWritten : this._queue.written;
  }

  // ------------------------------------------------------------------------------------------------ sending

  /**
   * Sends `data`: through the protocol's `encode`, or as it is when `raw` or without a protocol.
   *
   * @returns `true` when nothing older waits and the operating system takes all of it at the latest at the end of this
   * tick; `null` when it was queued (or the protocol sends it itself); `false` when it was dropped: the connection is
   * closing or closed, the peer is gone, or the send buffer is full (then `onError` says so).
   */
  send(data: unknown, raw = false): boolean | null {
    if ((this._status & (ENDING | CLOSING | CLOSED)) !== 0) return false;
    return this.#sendOn(data, raw);
  }

  #sendOn(data: unknown, raw: boolean): boolean | null {
    const protocol = raw ? null : this.protocol;
    let bytes: Bytes;
    try {
      if (protocol === null) {
        bytes = toBytes(data);
      } else {
        bytes = protocol.encode(data, this);
        if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array)) bytes = toBytes(bytes, 'encode()');
        if (bytes.length === 0) return this.#sent(protocol, null);
      }
    } catch (error) {
      // Without a protocol this is a mistake of the caller, who gets the exception; encode's go the usual way.
      if (protocol === null) throw error;
      this.error(error);
      return false;
    }
    const result = this._push(bytes);
    return protocol === null ? result : this.#sent(protocol, result);
  }

  #sent(protocol: ProtocolInterface, result: boolean | null): boolean | null {
    protocol.onSent?.(this);
    return result;
  }

  /** @internal Queues wire bytes. Same results as {@link send}. */
  _push(bytes: Bytes): boolean | null {
    const queue = this._queue;
    if (!this._writable || this._status < ESTABLISHED || !queue.idle) {
      if (this._status !== CLOSED && queue.size > 0 && queue.size >= this.maxSendBufferSize) return this.#drop();
      queue.add(bytes);
      this.#checkFull();
      return null;
    }
    queue.add(bytes);
    if (this._socket?.errored) return this.#writeFailed();
    return queue.idle ? true : null;
  }

  /** @internal A flush has left bytes behind. */
  _lagging(): void {
    if (this._status !== CLOSED) this.#checkFull();
  }

  /** @internal Queues a source of bytes behind everything sent so far. */
  _pushSource(source: ByteSource): void {
    if ((this._status & (CLOSING | CLOSED)) !== 0) source.cancel();
    else this._queue.addSource(source);
  }

  #drop(): false {
    ConnectionInterface.statistics.send_fail++;
    this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'send buffer full and drop package');
    return false;
  }

  #checkFull(): void {
    if (this.onBufferFull !== null && this._queue.size >= this.maxSendBufferSize) this._call(this.onBufferFull, this);
  }

  #writeFailed(): false {
    ConnectionInterface.statistics.send_fail++;
    this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'client closed');
    this.destroy();
    return false;
  }

  /** @internal */
  _drained(): void {
    if (this._status === CLOSED) return;
    this._call(this.onBufferDrain, this);
    if (this._status === CLOSING) this.#finish();
    else if (this._status === ENDING) this.#shutdown();
  }

  /** @internal */
  _sourceFailed(error: unknown): void {
    if (this._status === CLOSED) return;
    hooks.print(`An answer was cut short: ${error instanceof Error ? error.message : String(error)}`);
    this.destroy();
  }

  /** Bytes that wait to be taken by the operating system. */
  getSendBufferQueueSize(): number {
    return this._queue.size;
  }

  /** Bytes received and not handed out yet. */
  getRecvBufferQueueSize(): number {
    return this._received.length;
  }

  /** True when nothing waits to be sent. */
  bufferIsEmpty(): boolean {
    return this._queue.idle;
  }

  // ------------------------------------------------------------------------------------------------ receiving

  /** Stops reading the socket and handing out packets. */
  pauseRecv(): void {
    if (this.#paused || this._status === CLOSED) return;
    this.#paused = true;
    this._socket?.pause();
  }

  /** Reads again and hands out the packets that are already complete. Nothing when not paused, or closing. */
  resumeRecv(): void {
    if (!this.#paused || (this._status & (CLOSING | CLOSED)) !== 0) return;
    this.#paused = false;
    if (!this.#throttled) this._socket?.resume();
    if (!this.#dispatching) this.#dispatch();
  }

  /** For protocols, inside `input`: drops the first `n` buffered bytes. */
  consumeRecvBuffer(n: number): void {
    this._received.take(Math.min(n, this._received.length));
  }

  /** @internal Takes over a socket: from here on its events are this connection's. */
  protected _listen(socket: Socket): void {
    attachListener(socket, this);
    if (this.#paused) socket.pause();
  }

  /** @internal */
  _onData(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this._lastRead = Date.now();
    if (this._status !== ESTABLISHED) return;
    this._received.push(chunk);
    if (!this.#dispatching) this.#dispatch();
    if (this.#busy && this._received.length > this.maxPackageSize && !this.#throttled) {
      this.#throttled = true;
      this._socket?.pause();
    }
  }

  #dispatch(): void {
    this.#dispatching = true;
    const queue = this._queue;
    queue.cork();
    while (this._received.length > 0 && !this.#paused && !this.#busy && this._status === ESTABLISHED) {
      if (this.protocol === null) this.#handOutRaw();
      else if (!this.#handOutPacket(this.protocol)) break;
    }
    this.#dispatching = false;
    queue.uncork();
  }

  #handOutRaw(): void {
    const data = this._received.take(this._received.length);
    ConnectionInterface.statistics.total_request++;
    this._call(this.onMessage, this, data);
  }

  /** One packet. @returns false when the loop has to wait for more bytes or is over. */
  #handOutPacket(protocol: ProtocolInterface): boolean {
    if (this.#packageLength === 0) {
      const length = this.#askLength(protocol);
      if (length === 0) return false;
      this.#packageLength = length;
    }
    if (this._received.length < this.#packageLength) return false;
    const packet = this._received.take(this.#packageLength);
    this.#packageLength = 0;
    ConnectionInterface.statistics.total_request++;
    if (protocol.sequential === true) this.#handleSequential(protocol, packet);
    else this.#handle(protocol, packet);
    return true;
  }

  /** @returns the packet's length, or 0: wait, or the connection has been dealt with. */
  #askLength(protocol: ProtocolInterface): number {
    let length: unknown;
    try {
      length = protocol.input?.(this._received.view(), this);
    } catch (error) {
      hooks.print(error instanceof Error ? (error.stack ?? error.message) : String(error));
      length = -1;
    }
    if (this._status !== ESTABLISHED) return 0;
    if (typeof length === 'number' && Number.isInteger(length)) {
      if (length > 0 && length <= this.maxPackageSize) return length;
      if (length === 0 && (this._received.length <= this.maxPackageSize || this.#paused)) return 0;
      if (length === 0) length = this._received.length;
    }
    hooks.print(`Protocol ${protocol.name ?? 'unknown'} Error package. package_length=${String(length)}`);
    this.destroy();
    return 0;
  }

  #decode(protocol: ProtocolInterface, packet: Buffer): unknown {
    const message: unknown = protocol.decode(packet, this);
    if (isThenable(message)) {
      message.then(undefined, () => {});
      throw new TypeError(`${protocol.name ?? 'protocol'}.decode() returned a promise; decode is synchronous`);
    }
    return message;
  }

  #handle(protocol: ProtocolInterface, packet: Buffer): void {
    try {
      const message = this.#decode(protocol, packet);
      // decode may deal with a packet by itself and end the connection over it.
      if (this._status === ESTABLISHED) this._call(this.onMessage, this, message);
    } catch (error) {
      this.error(error);
    }
  }

  /** As #handle, but the next packet waits until the handler's promise has settled. */
  #handleSequential(protocol: ProtocolInterface, packet: Buffer): void {
    let message: unknown;
    try {
      message = this.#decode(protocol, packet);
      const result: unknown = this.onMessage?.(this as unknown as Self, message as Message);
      if (isThenable(result)) {
        this.#busy = true;
        result.then(
          () => this.#settled(protocol, message),
          (error: unknown) => this.#settled(protocol, message, error),
        );
        return;
      }
    } catch (error) {
      protocol.onSettled?.(this, message, error);
      this.error(error);
      return;
    }
    protocol.onSettled?.(this, message);
  }

  #settled(protocol: ProtocolInterface, message: unknown, error?: unknown): void {
    this.#busy = false;
    protocol.onSettled?.(this, message, error);
    if (error !== undefined) this.error(error);
    if (this._status === CLOSED) return;
    if (this.#throttled && this._received.length <= this.maxPackageSize) {
      this.#throttled = false;
      if (!this.#paused) this._socket?.resume();
    }
    if (!this.#dispatching) this.#dispatch();
    if (this.#throttled && !this.#busy) {
      this.#throttled = false;
      if (!this.#paused) this._socket?.resume();
    }
  }

  /** @internal This process serves its last answers: protocols say so to the peer. */
  get _drains(): boolean {
    return TcpConnection._draining;
  }

  /** @internal A handler of a sequential protocol is pending: a stop waits for it. */
  get _busy(): boolean {
    return this.#busy;
  }

  /** @internal */
  _onEnd(): void {
    if (this._status === CLOSING || this._status === CLOSED) return;
    if (this._status === ENDING) this.close();
    else this.destroy();
  }

  /** @internal */
  _onSocketError(error: NodeJS.ErrnoException): void {
    if (this._status === CLOSED) return;
    if (error.syscall?.startsWith('write') === true) {
      ConnectionInterface.statistics.send_fail++;
      this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'client closed');
    }
    this.destroy();
  }

  /** @internal The socket went away unasked. */
  _onSocketClose(): void {
    if (this._status !== CLOSED) this.destroy();
  }

  // ------------------------------------------------------------------------------------------------ closing

  /**
   * Sends `data` when given, lets the send queue flush, then closes. When nothing is queued the connection is CLOSED
   * and `onClose` has run before this returns. There is no time limit on a peer that does not read.
   */
  close(data: unknown = null, raw = false): void {
    if (this._status < ESTABLISHED) return this.destroy();
    if ((this._status & (CLOSING | CLOSED)) !== 0) return;
    if (this._status !== ENDING) this.#sendLast(data, raw);
    if (this._status === CLOSED) return;
    this._status = CLOSING;
    this._queue.flush();
    if (this._queue.empty) this.#finish();
    else this._socket?.pause();
  }

  /**
   * Sends `data` when given, then FIN; what the peer still sends is read and thrown away for `lingerTimeout` seconds
   * or until its FIN, then the connection closes.
   */
  end(data: unknown = null, raw = false): void {
    if (this._status < ESTABLISHED) return this.destroy();
    if (this._status !== ESTABLISHED) return;
    this.#sendLast(data, raw);
    if (this._status !== ESTABLISHED) return;
    this._status = ENDING;
    this.onMessage = () => {};
    this._received.clear();
    this.#packageLength = 0;
    this.#paused = false;
    this._socket?.resume();
    this._queue.flush();
    if (this._status === ENDING && this._queue.empty) this.#shutdown();
  }

  #sendLast(data: unknown, raw: boolean): void {
    this._isLast = true;
    try {
      if (data !== null && data !== undefined) this.#sendOn(data, raw);
      const farewell = raw || this.protocol === null ? undefined : this.protocol.closing?.(this);
      if (farewell !== undefined && farewell.length > 0 && this._status === ESTABLISHED) this._queue.add(farewell);
    } finally {
      this._isLast = false;
    }
  }

  /** end(): everything is with the operating system; FIN, then linger. */
  #shutdown(): void {
    if (this.#lingerTimer !== null) return;
    if (this.lingerTimeout <= 0 || this._socket === null || this._socket.readableEnded) return this.close();
    this._socket.end();
    this.#lingerTimer = setTimeout(() => this.close(), this.lingerTimeout * 1000);
  }

  /** close(): everything is with the operating system. */
  #finish(): void {
    if (this._status !== CLOSED) this._teardown(false);
  }

  /** Closes at once: queues are thrown away, `onClose` runs before this returns. A second call does nothing. */
  destroy(): void {
    if (this._status === CLOSED) return;
    // What was sent in this tick has been promised to the operating system.
    if (this._status >= ESTABLISHED && this._writable) this._queue.flush();
    if ((this._status as ConnectionStatus) !== CLOSED) this._teardown(true);
  }

  /** @internal */
  protected _teardown(hard: boolean): void {
    const wasCounted = this._status !== INITIAL;
    const lingered = this.#lingerTimer !== null;
    this._status = CLOSED;
    this.#bytesWritten = this._queue.written;
    this._queue.detach();
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#lingerTimer = null;
    const socket = this._socket;
    this._socket = null;
    if (socket !== null) this._release(socket, hard || lingered);
    if (wasCounted) ConnectionInterface.statistics.connection_count--;
    this._received.clear();
    this.#packageLength = 0;
    this.#paused = false;
    this.#throttled = false;
    this._call(this.onClose, this);
    const protocol = this.protocol;
    if (protocol?.onClose) {
      try {
        protocol.onClose(this);
      } catch (error) {
        this.error(error);
      }
    }
    if ((this._status as ConnectionStatus) === CLOSED) this._forget();
  }

  /** @internal Hands the socket to its end. */
  protected _release(socket: Socket, hard: boolean): void {
    detachListener(socket);
    if (hard) socket.destroy();
    else lingerAndDestroy(socket, this.lingerTimeout);
  }

  /** @internal Nothing may be called on a connection that is closed for good. */
  protected _forget(): void {
    this._unregister();
    this.onMessage = null;
    this.onClose = null;
    this.onError = null;
    this.onBufferFull = null;
    this.onBufferDrain = null;
    this.errorHandler = null;
    this.eventLoop = null;
    this.worker = null;
  }

  /** @internal */
  protected _register(): void {
    ConnectionInterface.statistics.connection_count++;
    addConnection(TcpConnection.connections, this.#key, this);
  }

  /** @internal */
  protected _unregister(): void {
    removeConnection(TcpConnection.connections, this.#key);
    const own = this.worker?.connections as ConnectionTable<TcpConnection> | undefined;
    if (own !== undefined) removeConnection(own, this.#key);
  }

  // ------------------------------------------------------------------------------------------------ looking

  /** The status as a number, or as a name with `false`. */
  getStatus(raw: false): string;
  getStatus(raw?: true): ConnectionStatus;
  getStatus(raw: boolean): ConnectionStatus | string;
  getStatus(raw = true): ConnectionStatus | string {
    return raw ? this._status : TcpConnection.STATUS_TO_STRING[this._status];
  }

  /** The underlying socket; `null` once it is closed. */
  getSocket(): Socket | null {
    return this._socket;
  }

  /** `ip:port` of the peer, IPv6 in brackets. Stays available after the close. `''` for unix sockets. */
  getRemoteAddress(): string {
    return this._remoteAddress;
  }

  /** The peer's ip, IPv6 in brackets; `''` for unix sockets. */
  getRemoteIp(): string {
    return this.transport === 'unix' ? '' : ipOf(this._remoteAddress);
  }

  /** The peer's port; 0 for unix sockets. */
  getRemotePort(): number {
    return this.transport === 'unix' ? 0 : portOf(this._remoteAddress);
  }

  /** `ip:port` of this end, or the path of a unix socket; `''` once the socket is closed. */
  getLocalAddress(): string {
    if (this._socket === null) return '';
    return this.transport === 'unix' ? this._localPath : localOf(this._socket);
  }

  /** `''` once the socket is closed. */
  getLocalIp(): string {
    return this.transport === 'unix' ? '' : ipOf(this.getLocalAddress());
  }

  /** 0 once the socket is closed. */
  getLocalPort(): number {
    return this.transport === 'unix' ? 0 : portOf(this.getLocalAddress());
  }

  isIpV4(): boolean {
    return this.transport !== 'unix' && !this.getRemoteIp().includes(':');
  }

  isIpV6(): boolean {
    return this.transport !== 'unix' && this.getRemoteIp().includes(':');
  }

  /**
   * Forwards what comes in here to `dest`, with back-pressure: reading stops while `dest` has a full send buffer, and
   * a close here closes `dest`. Takes the place of `onMessage` and `onClose` here and of the buffer callbacks there.
   */
  pipe(dest: TcpConnection): void {
    this.onMessage = (_connection, data) => {
      dest.send(data);
    };
    this.onClose = () => {
      dest.close();
    };
    dest.onBufferFull = () => {
      this.pauseRecv();
    };
    dest.onBufferDrain = () => {
      this.resumeRecv();
    };
  }

  /** A plain description of the connection, keys as in Workerman. */
  jsonSerialize(): Record<string, unknown> {
    return {
      id: this.id,
      status: this.getStatus(),
      transport: this.transport,
      getRemoteIp: this.getRemoteIp(),
      remotePort: this.getRemotePort(),
      getRemoteAddress: this.getRemoteAddress(),
      getLocalIp: this.getLocalIp(),
      getLocalPort: this.getLocalPort(),
      getLocalAddress: this.getLocalAddress(),
      isIpV4: this.isIpV4(),
      isIpV6: this.isIpV6(),
    };
  }

  /** What `JSON.stringify(connection)` shows. */
  toJSON(): Record<string, unknown> {
    return this.jsonSerialize();
  }
}
