import type { Socket } from 'node:net';
import type { EventInterface } from '../timer/EventInterface.js';
import type { Request } from '../protocols/http/Request.js';
import type { Bytes, ProtocolInterface } from '../protocols/ProtocolInterface.js';
import { ipOf, localOf, portOf, remoteOf } from './address.js';
import { ConnectionInterface, isThenable, type Callback } from './ConnectionInterface.js';
import { addConnection, createConnectionTable, removeConnection, type ConnectionTable } from './ConnectionTable.js';
import { Handshake, type HandshakeOwner } from './Handshake.js';
import { hooks } from './hooks.js';
import { lingerAndDestroy } from './linger.js';
import { toBytes } from '../protocols/toBytes.js';
import { ReceiveBuffer } from './ReceiveBuffer.js';
import { attachListener, detachListener, type SocketListener } from './socketEvents.js';
import { SendQueue, type ByteSink, type ByteSource, type SendQueueOwner } from './SendQueue.js';
import type { ServerTls } from './tls.js';

const INITIAL = 0;
const CONNECTING = 1;
const ESTABLISHED = 2;
const ENDING = 4;
const CLOSING = 8;
const CLOSED = 16;

const NOTHING: Buffer = Buffer.alloc(0);

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
  implements SendQueueOwner, SocketListener, HandshakeOwner
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

  // Declared only: a connection that speaks something else has none of these.
  /**
   * WebSocket: type of what `send` sends, one character whose code is the first byte of the frame. Unset until the
   * handshake, then `Websocket.BINARY_TYPE_BLOB` unless it was set.
   */
  declare websocketType?: string;
  /** WebSocket client: value of `Sec-WebSocket-Protocol`, a comma-separated list. */
  declare websocketClientProtocol?: string;
  /** WebSocket client: value of `Origin`. */
  declare websocketOrigin?: string;
  /** WebSocket client: seconds between pings; unset or 0: none. */
  declare websocketPingInterval?: number;
  /**
   * WebSocket: `(connection, request)`, nothing answered yet; on a client `(connection, response)`, handshake done.
   * Typed as neither: a client connection has to pass for a connection.
   */
  declare onWebSocketConnect?: Callback<[connection: Self, handshake: any]>;
  /** WebSocket server: `(connection, request)`, handshake answered. */
  declare onWebSocketConnected?: Callback<[connection: Self, request: Request]>;
  /** WebSocket: `(connection, payload)`, the peer's Close frame: code and reason. */
  declare onWebSocketClose?: Callback<[connection: Self, payload: Buffer]>;
  /** WebSocket: `(connection, payload)` in place of the automatic pong; `send` sends pongs meanwhile. */
  declare onWebSocketPing?: Callback<[connection: Self, payload: Buffer]>;
  /** WebSocket: `(connection, payload)`. */
  declare onWebSocketPong?: Callback<[connection: Self, payload: Buffer]>;

  /** @internal State of the protocol that this connection speaks; the protocol's own business. */
  _state: unknown = null;
  /** @internal True while `close()` or `end()` sends its data, so that a protocol can say it is the last. */
  _isLast = false;

  protected _status: ConnectionStatus = ESTABLISHED;
  protected _socket: Socket | null;
  protected _remoteAddress: string;
  protected readonly _queue: SendQueue;
  protected readonly _received: ReceiveBuffer = new ReceiveBuffer();
  /**
   * True on plain transports while connected: what is sent goes to the operating system. Otherwise it is queued first,
   * under TLS always, as in Workerman.
   */
  protected _direct: boolean;
  /** The TLS handshake that is under way. */
  protected _handshake: Handshake | null = null;
  /** @internal Path of a unix socket, for getLocalAddress(). */
  _localPath = '';

  readonly #key: number;
  #packageLength = 0;
  #paused = false;
  #dispatching = false;
  /** A sequential protocol's handler, or the protocol itself, is at work: no packet is cut. */
  #busy = false;
  /** A packet for `decode` that came while paused, see _deliver. */
  #held: Buffer | null = null;
  /** Bytes that the protocol keeps back; they count as queued. */
  #reserved = 0;
  /** The socket is not read because too much waits behind a pending handler or an answer that is not taken. */
  #throttled = false;
  /** Takes received bytes in place of the buffer. */
  #sink: ByteSink | null = null;
  /** The socket is not read because the sink has no room. */
  #sinkFull = false;
  /** Received bytes that the protocol knows to be waiting. */
  #reported = 0;
  /** While the protocol is at work, the peer's end waits too: what came before it has still to be handed out. */
  #holdsEnd = false;
  /** The peer has ended or reset the connection while it was paused: that goes unnoticed until it is resumed. */
  #endMissed = false;
  #lingerTimer: NodeJS.Timeout | null = null;
  /** Part of `connection_count`. */
  #counted = false;
  /** The protocol has heard of the end of this connection. */
  #endTold = false;

  /**
   * @param socket an accepted socket, opened with `allowHalfOpen`; client connections pass `null` and attach later.
   * @param remoteAddress `ip:port`; taken from the socket when not given.
   * @param tls speak TLS on the accepted socket; for the package
   */
  constructor(
    eventLoop: EventInterface | null, socket: Socket | null, remoteAddress = '', tls: ServerTls | null = null,
  ) {
    super();
    this.id = this.#key = ++TcpConnection.#lastId;
    this.eventLoop = eventLoop;
    this._socket = socket;
    this._remoteAddress = remoteAddress !== '' || socket === null ? remoteAddress : remoteOf(socket);
    this._direct = socket !== null && tls === null;
    this._queue = new SendQueue(this, this._direct ? socket : null);
    if (socket === null) return;
    this._register();
    if (tls === null) this._listen(socket);
    else this._encrypt(Handshake.accept(socket, tls, this));
  }

  /** Bytes that the operating system has accepted. */
  get bytesWritten(): number {
    return this._queue.written;
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
        const encoded: unknown = protocol.encode(data, this);
        if (isThenable(encoded)) encoded.then(undefined, () => {});
        bytes = toBytes(encoded, 'encode()');
        if (bytes.length === 0) return this.#sent(protocol, null);
      }
    } catch (error) {
      // Without a protocol this is a mistake of the caller, who gets the exception; encode's go the usual way.
      if (protocol === null) throw error;
      this.error(error);
      return false;
    }
    const result = this._push(bytes);
    if (protocol !== null) return this.#sent(protocol, result);
    if (raw) this.protocol?.onRaw?.(this, bytes);
    return result;
  }

  #sent(protocol: ProtocolInterface, result: boolean | null): boolean | null {
    const own = protocol.onSent?.(this);
    return own === undefined ? result : own;
  }

  /** @internal Queues wire bytes. Same results as {@link send}. */
  _push(bytes: Bytes): boolean | null {
    const queue = this._queue;
    if (this._status === CLOSED) return false;
    if (!this._direct || !queue.idle) {
      const size = queue.size + this.#reserved;
      if (size > 0 && size >= this.maxSendBufferSize) return this._dropPackage();
      queue.add(bytes);
      this.#checkFull();
      return null;
    }
    queue.add(bytes);
    if (this._socket?.errored) return this.#writeFailed();
    return queue.idle && (this._status as ConnectionStatus) !== CLOSED ? true : null;
  }

  /** Writes what this tick has promised to the operating system. @returns false when that ended the connection */
  #flush(): boolean {
    const queue = this._queue;
    const promised = queue.idle && !queue.empty;
    queue.flush();
    if (promised && this._socket?.errored) return this.#writeFailed();
    return this._status !== CLOSED;
  }

  /** @internal A flush has left bytes behind. */
  _lagging(): void {
    // What is queued first has been looked at when it was.
    if (this._status !== CLOSED && this._direct) this.#checkFull();
  }

  /** @internal Queues a source of bytes behind everything sent so far. */
  _pushSource(source: ByteSource): void {
    if ((this._status & (CLOSING | CLOSED)) !== 0) source.cancel();
    else this._queue.addSource(source);
  }

  /** @internal Bytes that a protocol keeps back to send them later; negative when it does. */
  _reserve(bytes: number): void {
    this.#reserved += bytes;
    if (bytes > 0) this.#checkFull();
  }

  /** @internal What was to be sent is dropped, because too much is queued. */
  _dropPackage(): false {
    ConnectionInterface.statistics.send_fail++;
    this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'send buffer full and drop package');
    return false;
  }

  #checkFull(): void {
    if (this.onBufferFull === null || this._queue.size + this.#reserved < this.maxSendBufferSize) return;
    this._call(this.onBufferFull, this);
  }

  #writeFailed(): false {
    this._queue.clear();
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
    else if (this._status === ESTABLISHED && this._received.length > 0) this._goOn();
  }

  /** @internal */
  _sourceFailed(error: unknown): void {
    if (this._status === CLOSED) return;
    const { errorHandler } = this;
    this.destroy();
    // One answer is spoilt, and its client can tell. A file that shrinks or an upstream that breaks off is no reason to end
    // the process, so only a handler that was set for exceptions hears of it as one.
    if (errorHandler !== null) this._route(error, errorHandler);
    else hooks.print(`An answer was cut short: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  /** @internal Changes while the peer takes what was sent; null while nothing waits for that. */
  get _sendProgress(): number | null {
    return this._queue.progress;
  }

  /** Bytes that wait to be taken by the operating system. */
  getSendBufferQueueSize(): number {
    return this.#reserved + (this.bufferIsEmpty() ? 0 : this._queue.size);
  }

  /** Bytes received and not handed out yet. */
  getRecvBufferQueueSize(): number {
    return this._received.length;
  }

  /** True when nothing waits to be sent. What the operating system takes at the end of this tick does not wait. */
  bufferIsEmpty(): boolean {
    return this._queue.empty || (this._queue.idle && this._direct);
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
    this.#readOn();
    const held = this.#held;
    this.#held = null;
    if (held !== null) this._deliver(held);
    else this._goOn();
    // Behind the data that came before it, and not inside this call.
    this.#noticeEnd();
  }

  /** Soon: what has ended while the connection was paused, or its protocol at work. */
  #noticeEnd(): void {
    if (!this.#endMissed) return;
    process.nextTick(() => {
      if (this.#endMissed && !this.#holdsEnd) this._onEnd();
    });
  }

  /** @internal True between `pauseRecv` and `resumeRecv`. */
  get _paused(): boolean {
    return this.#paused;
  }

  /** For protocols, inside `input`: drops the first `n` buffered bytes. */
  consumeRecvBuffer(n: number): void {
    if (n > 0) this._received.take(Math.min(n, this._received.length));
  }

  /** @internal Takes over a socket: from here on its events are this connection's. */
  protected _listen(socket: Socket): void {
    attachListener(socket, this);
    if (this.#paused) socket.pause();
    // A client that was made to wait may have given up meanwhile, and its 'end' is not repeated.
    if (socket.readableEnded) process.nextTick(() => this._onEnd());
  }

  /** @internal Sends and reads nothing before the handshake is done. */
  protected _encrypt(handshake: Handshake): void {
    this.transport = 'ssl';
    this._socket = handshake.socket;
    this._handshake = handshake;
  }

  /** @internal */
  _secured(): void {
    const { socket } = this._handshake as Handshake;
    this._handshake = null;
    this._queue.attach(socket);
    this._listen(socket);
    this._queue.flush();
  }

  /** @internal */
  _handshakeFailed(): void {
    this.destroy();
  }

  /** @internal */
  _onData(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this._lastRead = Date.now();
    if (this._status !== ESTABLISHED) return;
    const rest = this.#sink === null ? chunk : this.#feed(this.#sink, chunk);
    if (rest.length === 0 || (this._status as ConnectionStatus) !== ESTABLISHED) return;
    this._received.push(rest);
    this._goOn();
  }

  /** @internal From here on received bytes go to `sink`, beginning with those that wait, until it is done. */
  _divert(sink: ByteSink): void {
    this.#sink = sink;
    const rest = this.#feed(sink, this._received.take(this._received.length));
    if (rest.length > 0 && this._status === ESTABLISHED) this._received.push(rest);
  }

  /** @internal For the sink: it has no room, or room again. */
  _holdInput(full: boolean): void {
    if (this.#sinkFull === full) return;
    this.#sinkFull = full;
    if (full) this._socket?.pause();
    else this.#readOn();
  }

  /** @returns the bytes that are not the sink's. */
  #feed(sink: ByteSink, chunk: Buffer): Buffer {
    const taken = chunk.length === 0 ? 0 : sink.write(chunk);
    if (sink.done && this.#sink === sink) this.#sink = null;
    return taken === chunk.length ? NOTHING : chunk.subarray(taken);
  }

  /** Reads the socket unless there is a reason against it. */
  #readOn(): void {
    if (!this.#paused && !this.#throttled && !this.#sinkFull) this._socket?.resume();
  }

  /** @internal Hands out what can be handed out, then sees to what is left. */
  _goOn(): void {
    if (this.#dispatching) return;
    this.#dispatch();
    if (this._status !== ESTABLISHED) return;
    const { length } = this._received;
    const stop = length > this.maxPackageSize && (this.#busy || this.#clogged());
    if (stop !== this.#throttled) {
      this.#throttled = stop;
      if (stop) this._socket?.pause();
      else this.#readOn();
    }
    if (length !== this.#reported) {
      this.#reported = length;
      this.protocol?.onBuffered?.(this, length);
    }
  }

  #dispatch(): void {
    this.#dispatching = true;
    const queue = this._queue;
    queue.cork();
    while (this._received.length > 0 && this.#sink === null && !this.#paused && !this.#busy) {
      if (this._status !== ESTABLISHED || this.#isClogged()) break;
      if (this.protocol === null) this.#handOutRaw();
      else if (!this.#handOutPacket(this.protocol)) break;
    }
    this.#dispatching = false;
    queue.uncork();
  }

  /** As {@link #clogged}, when everything has been written that can be. */
  #isClogged(): boolean {
    if (!this.#clogged()) return false;
    this._queue.flush();
    return this._status !== ESTABLISHED || this.#clogged();
  }

  /**
   * Sequential protocols: the peer has not taken what was sent, so the next packet has to wait. Otherwise a client that
   * asks and asks without reading could make any number of answers wait, and open any number of files.
   */
  #clogged(): boolean {
    if (this.protocol?.sequential !== true) return false;
    const { sources, size } = this._queue;
    return sources > 0 || (size > 0 && size >= this.maxSendBufferSize);
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
      if (isThenable(length)) length.then(undefined, () => {});
    } catch (error) {
      hooks.print(error instanceof Error ? (error.stack ?? error.message) : String(error));
      length = -1;
    }
    if (this._status !== ESTABLISHED) return 0;
    if (typeof length === 'number' && Number.isInteger(length)) {
      if (length > 0 && length <= this.maxPackageSize) return length;
      const most = Math.max(this.maxPackageSize, protocol.headLimit ?? 0);
      if (length === 0 && (this._received.length <= most || this.#paused || this.#busy)) return 0;
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
      const { errorHandler } = this;
      const result: unknown = this.onMessage?.(this as unknown as Self, message as Message);
      if (isThenable(result)) {
        this.#busy = true;
        result.then(
          () => this.#settled(protocol, message),
          (error: unknown) => {
            this.#settled(protocol, message, error, () => this._route(error, this.errorHandler ?? errorHandler));
          },
        );
        return;
      }
    } catch (error) {
      if (protocol.onSettled?.(this, message, error) !== true) this.error(error);
      return;
    }
    protocol.onSettled?.(this, message);
  }

  #settled(protocol: ProtocolInterface, message: unknown, error?: unknown, report?: () => void): void {
    this.#busy = false;
    if (protocol.onSettled?.(this, message, error) !== true) report?.();
    this._vacate();
  }

  /**
   * @internal For protocols that work on something received: no packet is cut until {@link _vacate}.
   * @param holdsEnd the peer's FIN is not noticed before that either, so that what came before it is not lost
   */
  _occupy(holdsEnd = false): void {
    this.#busy = true;
    this.#holdsEnd = holdsEnd;
  }

  /** @internal Goes on with what was received meanwhile. */
  _vacate(): void {
    this.#busy = false;
    this.#holdsEnd = false;
    if (this._status === CLOSED) return;
    this._goOn();
    this.#noticeEnd();
  }

  /** @internal After {@link _occupy}: `decode` gives the message for this packet. It is handed out, then input goes on. */
  _deliver(packet: Buffer): void {
    if (this.#paused) {
      this.#held = packet;
      return;
    }
    if (this._status === ESTABLISHED && this.protocol !== null) {
      ConnectionInterface.statistics.total_request++;
      this.#handle(this.protocol, packet);
    }
    this._vacate();
  }

  /** @internal A line for the console. */
  _print(line: string): void {
    hooks.print(line);
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
    if (this.#paused || (this.#holdsEnd && this._status === ESTABLISHED)) this.#endMissed = true;
    else if (this._status === ENDING) this.close();
    else this.destroy();
  }

  /** @internal */
  _onSocketError(error: NodeJS.ErrnoException): void {
    if (this._status === CLOSED) return;
    const isPaused = this.#paused;
    // Who does not read learns of a reset by writing only.
    if (error.syscall?.startsWith('write') === true || (isPaused && !this._queue.empty)) this.#writeFailed();
    else if (isPaused) this.#endMissed = true;
    else this.destroy();
  }

  /** @internal The socket went away unasked. */
  _onSocketClose(): void {
    if (this._status !== CLOSED && !this.#endMissed) this.destroy();
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
    if (!this.#flush() || (this._status as ConnectionStatus) === CLOSING) return;
    this._status = CLOSING;
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
    this.#sink = null;
    this.#paused = this.#throttled = this.#sinkFull = false;
    this._socket?.resume();
    if (this.#flush() && this._status === ENDING && this._queue.empty) this.#shutdown();
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
    if (this.lingerTimeout <= 0 || this._socket === null || this.#endMissed) return this.close();
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
    if (this._direct && !this.#flush()) return;
    this._teardown(true);
  }

  /** @internal */
  protected _teardown(hard: boolean): void {
    this._status = CLOSED;
    this._drop(hard);
    this._call(this.onClose, this);
    // A client that connects again in onClose has told its protocol before it began.
    if ((this._status as ConnectionStatus) !== CLOSED) return;
    this._tellEnd();
    this._forget();
  }

  /** @internal Lets go of the socket and of everything that came or would have gone over it. */
  protected _drop(hard: boolean): void {
    const isUnfinished = this.#lingerTimer !== null || this._handshake !== null;
    this._queue.detach();
    this._direct = false;
    this._handshake?.cancel();
    this._handshake = null;
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#lingerTimer = null;
    const socket = this._socket;
    this._socket = null;
    if (socket !== null) this._release(socket, hard || isUnfinished);
    this._uncount();
    this._received.clear();
    this.#packageLength = 0;
    this.#reserved = 0;
    this.#held = null;
    this.#busy = false;
    this.#holdsEnd = false;
    this.#sink = null;
    this.#paused = this.#throttled = this.#sinkFull = false;
    this.#reported = 0;
    this.#endMissed = false;
  }

  /** @internal Once per connection, however often it is called. */
  protected _tellEnd(): void {
    if (this.#endTold) return;
    this.#endTold = true;
    try {
      this.protocol?.onClose?.(this);
    } catch (error) {
      this.error(error);
    }
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

  /** @internal A connection, or another attempt to connect, begins. */
  protected _register(): void {
    this.#endTold = false;
    if (!this.#counted) ConnectionInterface.statistics.connection_count++;
    this.#counted = true;
    addConnection(TcpConnection.connections, this.#key, this);
  }

  /** @internal */
  protected _uncount(): void {
    if (this.#counted) ConnectionInterface.statistics.connection_count--;
    this.#counted = false;
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
