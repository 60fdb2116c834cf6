import type { Socket } from 'node:net';
import type { EventInterface } from '../timer/EventInterface.js';
import type { Request } from '../protocols/http/Request.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import { ipOf, portOf } from './address.js';
import { ConnectionInterface, type Callback } from './ConnectionInterface.js';
import { addConnection, createConnectionTable, removeConnection, type ConnectionTable } from './ConnectionTable.js';
import { Handshake, type HandshakeOwner } from './Handshake.js';
import { hooks } from './hooks.js';
import { lingerAndDestroy, lingerMs } from './linger.js';
import { SendingConnection } from './SendingConnection.js';
import { SendQueue } from './SendQueue.js';
import { CLOSED, CLOSING, CONNECTING, type ConnectionStatus, ENDING, ESTABLISHED, INITIAL } from './status.js';
import type { ServerTls } from './tls.js';
import { HandleWire } from './wire/HandleWire.js';
import { SocketWire } from './wire/SocketWire.js';
import type { Wire } from './wire/Wire.js';

export type { ConnectionStatus };

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
export class TcpConnection<Message = UserValue, Self = UserValue>
  extends SendingConnection<Message, Self>
  implements HandshakeOwner
{
  /** Largest chunk of one read in Workerman; Node chooses its own chunk size. */
  static readonly READ_BUFFER_SIZE: 87380 = 87380;
  /** Client: `connect()` has not been called yet. */
  static readonly STATUS_INITIAL: 0 = INITIAL;
  /** Client: `connect()` is at work. */
  static readonly STATUS_CONNECTING: 1 = CONNECTING;
  /** Open; under TLS already before its handshake. */
  static readonly STATUS_ESTABLISHED: 2 = ESTABLISHED;
  /** `end()` was called: what is queued goes out, then FIN, then input is thrown away. */
  static readonly STATUS_ENDING: 4 = ENDING;
  /** `close()` was called and bytes are still queued; on a client also: connecting has failed. */
  static readonly STATUS_CLOSING: 8 = CLOSING;
  /** Closed. */
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
  /** As {@link MAX_CACHE_STRING_LENGTH}: a name only. */
  static readonly MAX_CACHE_SIZE: 512 = 512;
  /** Seconds of silence before the kernel probes an idle peer. */
  static readonly TCP_KEEPALIVE_INTERVAL: 55 = 55;
  /** Bytes, 1 MiB: `maxSendBufferSize` of each new connection. */
  static defaultMaxSendBufferSize = 1_048_576;
  /** Bytes, 10 MiB: `maxPackageSize` of each new connection. */
  static defaultMaxPackageSize = 10_485_760;
  /** Seconds: `lingerTimeout` of each new connection. */
  static defaultLingerTimeout = 1.0;
  /** Every live connection of this process by id, accepted and outgoing. */
  static connections: ConnectionTable<TcpConnection> = createConnectionTable<TcpConnection>();
  /** @internal Set by a process that stops. */
  static _draining = false;

  static #lastId = 0;

  /** 1, 2, 3 … per process, one sequence for accepted and client connections, never used twice. */
  id: number;
  /** `'tcp'`, `'unix'` or `'ssl'`. */
  override transport: 'tcp' | 'unix' | 'ssl' = 'tcp';
  /** The worker that accepted this connection; `null` on client connections and after the close. */
  worker: UserValue = null;
  /** Queued bytes from which on `onBufferFull` is called and further sends are dropped. */
  maxSendBufferSize: number = TcpConnection.defaultMaxSendBufferSize;
  /** Longest packet in bytes; a longer one closes the connection. */
  maxPackageSize: number = TcpConnection.defaultMaxPackageSize;
  /** Seconds for which input is still read and thrown away after our FIN. */
  lingerTimeout: number = TcpConnection.defaultLingerTimeout;
  /** Free for users and protocols. Default `{}`. */
  context: Record<string, UserValue> = {};
  /** HTTP: header lines for the next answer, emptied by it. WebSocket: for the handshake. Default `{}`. */
  // Each protocol has a form of its own for them, and checks them when it writes them.
  headers: UserValue = {};
  /** `(connection)`: client connections only, TCP is up; under TLS before its handshake. */
  onConnect: Callback<[connection: Self]> = null;

  // Declared only: a connection that speaks something else has none of these.
  /**
   * WebSocket: type of what `send` sends, one character whose code is the first byte of the frame. Unset until the
   * handshake, then `Websocket.BINARY_TYPE_BLOB` unless it was set.
   */
  declare websocketType?: string;
  /** WebSocket client: value of `Sec-WebSocket-Protocol`, a comma-separated list; unset: no such line. */
  declare websocketClientProtocol?: string;
  /** WebSocket client: value of `Origin`; unset: no such line. */
  declare websocketOrigin?: string;
  /** WebSocket client: seconds between pings; unset or 0: none. */
  declare websocketPingInterval?: number;
  /**
   * WebSocket: `(connection, request)`, nothing answered yet; on a client `(connection, response)`, handshake done.
   * Typed as neither: a client connection has to pass for a connection.
   */
  declare onWebSocketConnect?: Callback<[connection: Self, handshake: UserValue]>;
  /** WebSocket server: `(connection, request)`, handshake answered. */
  declare onWebSocketConnected?: Callback<[connection: Self, request: Request]>;
  /** WebSocket: `(connection, payload)`, the peer's Close frame: code and reason. */
  declare onWebSocketClose?: Callback<[connection: Self, payload: Buffer]>;
  /** WebSocket: `(connection, payload)` in place of the automatic pong; `send` sends pongs meanwhile. */
  declare onWebSocketPing?: Callback<[connection: Self, payload: Buffer]>;
  /** WebSocket: `(connection, payload)`, a pong was received. */
  declare onWebSocketPong?: Callback<[connection: Self, payload: Buffer]>;

  /** @internal State of the protocol that this connection speaks; the protocol's own business. */
  _state: unknown = null;
  protected _status: ConnectionStatus = ESTABLISHED;
  protected _wire: Wire | null;
  protected _remoteAddress: string;
  protected readonly _queue: SendQueue;
  protected _direct: boolean;
  /** The TLS handshake that is under way. */
  protected _handshake: Handshake | null = null;
  /** @internal Path of a unix socket, for getLocalAddress(). */
  _localPath = '';

  readonly #key: number;
  #lingerTimer: NodeJS.Timeout | null = null;
  /** Part of `connection_count`. */
  #counted = false;
  /** The protocol has heard of the end of this connection. */
  #endTold = false;

  /**
   * @param socket an accepted socket, opened with `allowHalfOpen`; client connections pass `null` and attach later.
   * @param remoteAddress `ip:port`; taken from the socket when not given.
   * @param tls speak TLS on the accepted socket, which is then one of Node's; for the package
   */
  constructor(
    eventLoop: EventInterface | null, socket: Socket | HandleWire | null, remoteAddress = '', tls: ServerTls | null = null,
  ) {
    super();
    this.id = this.#key = ++TcpConnection.#lastId;
    this.eventLoop = eventLoop;
    const wire = socket === null || socket instanceof HandleWire ? socket : new SocketWire(socket);
    this._wire = wire;
    this._remoteAddress = remoteAddress !== '' || wire === null ? remoteAddress : wire.remoteAddress();
    this._direct = wire !== null && tls === null;
    this._queue = new SendQueue(this, this._direct ? wire : null);
    if (wire === null) return;
    this._register();
    if (tls === null) this._listen(wire);
    else this._encrypt(Handshake.accept(socket as Socket, tls, this));
  }

  // ------------------------------------------------------------------------------------------------ the wire

  /** @internal Takes over a wire: from here on its events are this connection's. */
  protected _listen(wire: Wire): void {
    if (this._paused) wire.pause();
    wire.open(this, this._queue);
    // A client that was made to wait may have given up meanwhile, and its FIN is not reported again.
    if (wire.ended) process.nextTick(() => this._onEnd());
  }

  /** @internal Sends and reads nothing before the handshake is done. */
  protected _encrypt(handshake: Handshake): void {
    this.transport = 'ssl';
    this._wire = new SocketWire(handshake.socket);
    this._handshake = handshake;
  }

  /** @internal */
  _secured(): void {
    const wire = this._wire as Wire;
    this._handshake = null;
    this._queue.attach(wire);
    this._listen(wire);
    this._queue.flush();
  }

  /** @internal */
  _handshakeFailed(): void {
    this.destroy();
  }

  /** @internal */
  _onSocketError(error: NodeJS.ErrnoException): void {
    if (this._status === CLOSED) return;
    const isPaused = this._paused;
    // Who does not read learns of a reset by writing only.
    if (error.syscall?.startsWith('write') === true || (isPaused && !this._queue.empty)) this._writeFailed();
    else if (isPaused) this._endMissed = true;
    else this.destroy();
  }

  /** @internal A line for the console. */
  _print(line: string): void {
    hooks.print(line);
  }

  /** @internal This process serves its last answers: protocols say so to the peer. */
  get _drains(): boolean {
    return TcpConnection._draining;
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
    if (!this._flushNow() || (this._status as ConnectionStatus) === CLOSING) return;
    this._status = CLOSING;
    if (this._queue.empty) this._finish();
    else this._wire?.pause();
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
    this._endInput();
    if (this._flushNow() && this._status === ENDING && this._queue.empty) this._shutdown();
  }

  #sendLast(data: unknown, raw: boolean): void {
    this._isLast = true;
    try {
      if (data !== null && data !== undefined) this._sendOn(data, raw);
      const farewell = raw || this.protocol === null ? undefined : this.protocol.closing?.(this);
      if (farewell !== undefined && farewell.length > 0 && this._status === ESTABLISHED) this._queue.add(farewell);
    } finally {
      this._isLast = false;
    }
  }

  /** end(): everything is with the operating system; FIN, then linger. */
  protected _shutdown(): void {
    if (this.#lingerTimer !== null) return;
    if (this.lingerTimeout <= 0 || this._wire === null || this._endMissed) return this.close();
    this._wire.end();
    this.#lingerTimer = setTimeout(() => this.close(), lingerMs(this.lingerTimeout));
  }

  /** close(): everything is with the operating system. */
  protected _finish(): void {
    if (this._status !== CLOSED) this._teardown(false);
  }

  /** Closes at once: queues are thrown away, `onClose` runs before this returns. A second call does nothing. */
  destroy(): void {
    if (this._status === CLOSED) return;
    // What was sent in this tick has been promised to the operating system.
    if (this._direct && !this._flushNow()) return;
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
    // The protocol may have connected it again as well.
    if ((this._status as ConnectionStatus) === CLOSED) this._forget();
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
    const wire = this._wire;
    this._wire = null;
    if (wire !== null) this._release(wire, hard || isUnfinished);
    this._uncount();
    this._reserved = 0;
    this._dropInput();
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

  /** @internal Hands the wire to its end. */
  protected _release(wire: Wire, hard: boolean): void {
    if (hard) wire.destroy();
    else lingerAndDestroy(wire, this.lingerTimeout);
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

  /**
   * The underlying `net.Socket`, under TLS the `tls.TLSSocket`; `null` once it is closed. A plain accepted connection has
   * none before it is asked for. Look at it and set its options; what is read and written belongs to the connection.
   */
  getSocket(): Socket | null {
    if (this._wire === null) return null;
    const own = this._wire.asSocketWire();
    if (own !== this._wire) {
      this._wire = own;
      if (this._direct) this._queue.attach(own);
    }
    return own.socket;
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
    if (this._wire === null) return '';
    return this.transport === 'unix' ? this._localPath : this._wire.localAddress();
  }

  /** The ip of this end, IPv6 in brackets; `''` for unix sockets and once the socket is closed. */
  getLocalIp(): string {
    return this.transport === 'unix' ? '' : ipOf(this.getLocalAddress());
  }

  /** The port of this end; 0 for unix sockets and once the socket is closed. */
  getLocalPort(): number {
    return this.transport === 'unix' ? 0 : portOf(this.getLocalAddress());
  }

  /** True when the peer is reached over IPv4; false for unix sockets. */
  isIpV4(): boolean {
    return this.transport !== 'unix' && !this.getRemoteIp().includes(':');
  }

  /** True when the peer is reached over IPv6; false for unix sockets. */
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
  override jsonSerialize(): Record<string, unknown> {
    return { id: this.id, status: this.getStatus(), ...super.jsonSerialize() };
  }
}
