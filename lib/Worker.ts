import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { isThenable, type Callback } from '../connection/ConnectionInterface.js';
import { addConnection, createConnectionTable, type ConnectionTable } from '../connection/ConnectionTable.js';
import { hooks } from '../connection/hooks.js';
import type { SocketContext } from '../connection/SocketContext.js';
import { TcpConnection } from '../connection/TcpConnection.js';
import { serverTls, type ServerTls } from '../connection/tls.js';
import { handOutDatagram, UdpConnection } from '../connection/UdpConnection.js';
import type { HandleWire } from '../connection/wire/HandleWire.js';
import type { Request } from '../protocols/http/Request.js';
import type { ProtocolInterface } from '../protocols/ProtocolInterface.js';
import { registerProtocol, resolveProtocol } from '../protocols/registry.js';
import type { EventLoopClass } from '../timer/EventInterface.js';
import type { BindAddress } from './bindSocket.js';
import { Heartbeat, type HeartbeatOptions } from './Heartbeat.js';
import { Listener, type ListenerOwner } from './Listener.js';
import { listening, trackListen } from './listening.js';
import { writeLog } from './output.js';
import { processState, STATUS } from './ProcessState.js';
import { runAll } from './runAll.js';
import { getSingleLineTotalLength } from './screens/startScreen.js';
import { versionLine } from './screens/table.js';
import { Settings } from './Settings.js';
import { BUILD_IN_TRANSPORTS, getSocketName, parseSocketName, type Transport } from './SocketName.js';
import { startRow } from './startRow.js';
import { ThisProcess } from './ThisProcess.js';
import { prepareTimers } from './timers.js';
import { currentUser, giveFile, switchUserAndGroup } from './userAndGroup.js';
import { VERSION } from './version.js';
import { versions } from './versions.js';

const ignoreMessage = (): void => {};

/**
 * A service: an address, a protocol, callbacks, a number of processes. Construct it at the top of the script, set its
 * properties, end the script with `Worker.runAll()`. Constructed and `listen()`ed inside a worker process, it serves
 * in that process only.
 *
 * Members that begin with `_` belong to the package.
 */
export class Worker<Message = unknown, Connection = TcpConnection, Self = unknown> extends ThisProcess implements ListenerOwner {
  /** The package's version, as in its package.json. */
  static readonly VERSION: string = VERSION;
  /** Clients that may wait to be accepted, when the context says nothing; the kernel caps it. */
  static readonly DEFAULT_BACKLOG: 102400 = 102400;
  /** Blanks between the columns of the banner. */
  static readonly UI_SAFE_LENGTH: 4 = 4;
  /** Transport → kind of socket. */
  static readonly BUILD_IN_TRANSPORTS: Readonly<Record<Transport, 'tcp' | 'udp' | 'unix'>> = BUILD_IN_TRANSPORTS;

  static readonly #all: Worker[] = [];

  /** Index of this worker process, 0 to count-1; the replacement of a dead process gets the same. */
  id = 0;
  /** Label in banner, status and messages. */
  name = 'none';
  /** Worker processes; below 1 becomes 1 at the start. Read then and after `Worker.onMasterReload`. */
  count = 1;
  /** User to switch to (needs root); `''` becomes the current one at the start. One that does not exist only warns. */
  user = '';
  /** Group to switch to; `''` = the user's primary group. */
  group = '';
  /** False: a reload only calls `onWorkerReload`, the process stays. */
  reloadable = true;
  /** Each process binds a socket of its own and the kernel spreads the clients (where Node can: >= 22.12). */
  reusePort = false;
  /**
   * `'tcp'`, `'udp'`, `'unix'` or `'ssl'`: what is spoken below the protocol, so `http://` with `'ssl'` is https. Set
   * it before `runAll()` or `listen()`, which rejects with `WM_BAD_TRANSPORT` for anything else.
   */
  transport: Transport = 'tcp';
  /** Class with static `input`, `decode`, `encode`; set from the scheme when that names a protocol. */
  protocol: ProtocolInterface | null = null;
  /** Live accepted TCP, TLS and unix connections of this process, by connection id. */
  connections: ConnectionTable<Connection> = createConnectionTable<Connection>();
  /** True once `stop()` has run. */
  stopping = false;
  /**
   * HTTP: requests that have a body are handed out when their head is complete. The handler reads the body in pieces
   * with `for await (const piece of request.body)`, or whole with `await request.readBody(limit)`; `maxPackageSize` then
   * limits the head alone. Our addition.
   */
  streamBodies = false;
  /** Finds peers that have vanished. Read when the Worker begins to accept; null (the default): TCP's own ways only. */
  heartbeat: HeartbeatOptions | null = null;
  /** Loop class of this worker's processes, in place of `Worker.eventLoopClass`; null (the default): that one. */
  eventLoop: EventLoopClass | null = null;

  /**
   * Once per process, socket bound; clients are accepted when it (or its promise) has ended. When it throws or is
   * rejected, nothing is served and the process exits with 250, a second later.
   */
  onWorkerStart: Callback<[worker: Self]> = null;
  /**
   * Once per process that stops in an orderly way, its connections still open; the stop waits for its promise. An
   * exception is logged and ignored.
   */
  onWorkerStop: Callback<[worker: Self]> = null;
  /** When it is this process's turn in a reload, before it stops. An exception ends the process with 250. */
  onWorkerReload: Callback<[worker: Self]> = null;
  /** A client was accepted; under TLS before its handshake. Not for UDP. An exception ends the process with 250. */
  onConnect: Callback<[connection: Connection]> = null;
  /**
   * One decoded message; what it is depends on the protocol. A function that does nothing by default. An exception goes
   * to the connection's `errorHandler`, without one it ends the process with 250.
   */
  onMessage: Callback<[connection: Connection, message: Message]> = ignoreMessage;
  /** Once per connection, however it ended. Not for UDP. */
  onClose: Callback<[connection: Connection]> = null;
  /** A send failed, `code` is `ConnectionInterface.SEND_FAIL`. */
  onError: Callback<[connection: Connection, code: number, text: string]> = null;
  /** A send buffer has reached `connection.maxSendBufferSize`; the next send will be dropped. */
  onBufferFull: Callback<[connection: Connection]> = null;
  /** A send buffer has run empty after a flush. */
  onBufferDrain: Callback<[connection: Connection]> = null;
  /** WebSocket: handshake request received, nothing answered yet. May close; the answer waits for its promise. */
  onWebSocketConnect: Callback<[connection: Connection, request: Request]> = null;
  /** WebSocket: handshake answered. */
  onWebSocketConnected: Callback<[connection: Connection, request: Request]> = null;
  /** WebSocket: close frame received; `payload` is code and reason. It is answered when this has ended. */
  onWebSocketClose: Callback<[connection: Connection, payload: Buffer]> = null;
  /** WebSocket: ping received; takes the place of the automatic pong, `connection.send(payload)` sends one. */
  onWebSocketPing: Callback<[connection: Connection, payload: Buffer]> = null;
  /** WebSocket: pong received. */
  onWebSocketPong: Callback<[connection: Connection, payload: Buffer]> = null;

  /** Says where in the user's code the Worker was made. Its stack is put into words only when somebody reads it. */
  readonly #origin: Error = new Error();
  readonly #socketName: string;
  readonly #context: SocketContext;
  #listener: Listener | null = null;
  /** After {@link unlisten}: resolves when the address is free again. */
  #released: Promise<unknown> | null = null;
  #heartbeat: Heartbeat | null = null;
  #paused = false;
  #transportUsed: Transport = 'tcp';
  /** Set while the transport is ssl: the certificates as they were when the listener was started. */
  #tls: ServerTls | null = null;

  /**
   * Registers the Worker. Nothing is parsed, bound or checked before `listen()`.
   *
   * @param socketName `scheme://address`; empty or null: a Worker without a socket, for timers and clients
   * @param context options of the socket and of TLS
   */
  constructor(socketName: string | null = '', context: SocketContext = {}) {
    super();
    this.#socketName = socketName ?? '';
    this.#context = this.#socketName === '' ? {} : (context ?? {});
    if (this.#context.socket?.so_reuseport) this.reusePort = true;
    Worker.#all.push(this as unknown as Worker);
    prepareTimers();
  }

  // ------------------------------------------------------------------------------------------------ the process

  /**
   * Runs all Workers, or carries out the command on the command line. Returns at once, so it is the script's last
   * line. Never throws: a start that fails is logged and the process exits with 1.
   */
  static runAll(): void {
    runAll(Worker.#all, (worker) => Worker._keepOnly(worker as Worker));
  }

  /** Master: all, in order of construction. Worker process: its own, then inner ones. */
  static getAllWorkers(): Worker[] {
    return [...Worker.#all];
  }

  /** @internal The Workers that this process has nothing to do with. */
  static _keepOnly(worker: Worker): void {
    // The very same array: others hold it.
    Worker.#all.splice(0, Worker.#all.length, worker);
  }

  /** Width of the banner in characters. */
  static getSingleLineTotalLength(): number {
    return getSingleLineTotalLength(Worker.#all.map(startRow), versionLine(versions()));
  }

  /**
   * Makes `new Worker('<name>://…')` and `new AsyncTcpConnection('<name>://…')` speak `protocol`. Call it before the
   * `listen()` or the client that needs it. Our addition.
   *
   * @param name a letter, then letters and digits; its first letter's case is free. It wins over a built-in one
   * @param protocol a class, or an object, with the functions of `ProtocolInterface`
   * @throws WorkermanError `WM_PROTOCOL_NAME`, `WM_PROTOCOL_CLASS`
   */
  static registerProtocol(name: string, protocol: ProtocolInterface): void {
    registerProtocol(name, protocol);
  }

  // ------------------------------------------------------------------------------------------------ the socket

  /** The constructor's string with its first letter in lower case, or `'none'`. */
  getSocketName(): string {
    return getSocketName(this.#socketName);
  }

  /** The server or UDP socket that accepts; `null` while this process accepts nothing, in `onWorkerStart` for example. */
  getMainSocket(): Server | UdpSocket | null {
    return this.#listener?.server ?? null;
  }

  /**
   * Binds the socket, once, and accepts unless told not to. Nothing on a Worker without a socket.
   *
   * @param autoAccept false: `resumeAccept()` will be called later
   * @returns a promise that rejects with an Error that names address and reason; its `code` is the system's
   * (`EADDRINUSE`) or one of ours for a name that can not be understood
   */
  listen(autoAccept = true): Promise<void> {
    return trackListen(this.#listen(autoAccept));
  }

  async #listen(autoAccept: boolean): Promise<void> {
    if (this.#socketName === '') return;
    // Before anything is waited for: a pauseAccept() or unlisten() right behind this call has the last word.
    if (autoAccept) this.#paused = false;
    const own = listening.isOwn(this);
    if (this.#listener === null) {
      const address = this._resolve();
      const backlog = this.#context.socket?.backlog ?? Worker.DEFAULT_BACKLOG;
      this.#listener = new Listener(address, backlog, own, this, listening.provider);
    }
    const listener = this.#listener;
    try {
      // The bind that an unlisten() has called off still holds the address for a moment.
      if (this.#released !== null) await this.#released;
      if (this.#listener !== listener) return;
      await listener.open();
      // That of the Worker of a worker process was given away by the master.
      if (listener.address.kind === 'unix' && !own) giveFile(listener.address.path, this.user, this.group);
    } catch (error) {
      if (this.#listener === listener) this.#listener = null;
      throw error;
    }
    if (autoAccept && this.#listener === listener && !this.#paused) {
      this.#beginHeartbeat();
      await listener.resume();
    }
  }

  /** @internal Understands the socket name: sets protocol and transport, gives the address. Throws what `listen` rejects with. */
  _resolve(): BindAddress {
    const parsed = parseSocketName(this.#socketName, this.transport, (scheme) => {
      this.protocol = resolveProtocol(scheme);
    });
    if (parsed.protocolScheme === null) this.transport = parsed.transport;
    this.#transportUsed = parsed.transport;
    this.#tls = parsed.transport === 'ssl' ? serverTls(this.#context.ssl) : null;
    const socket = this.#context.socket;
    return {
      kind: parsed.kind,
      host: parsed.host,
      port: parsed.port,
      path: parsed.path,
      display: this.getSocketName(),
      ipv6Only: Boolean(socket?.ipv6_v6only),
      broadcast: Boolean(socket?.so_broadcast),
      reusePort: this.reusePort,
    };
  }

  /** @internal */
  get _hasSocket(): boolean {
    return this.#socketName !== '';
  }

  /** @internal Between `listen()` and `unlisten()`. */
  get _listens(): boolean {
    return this.#listener !== null;
  }

  /** @internal */
  get _origin(): Error {
    return this.#origin;
  }

  /** @internal */
  get _backlog(): number {
    return this.#context.socket?.backlog ?? Worker.DEFAULT_BACKLOG;
  }

  #beginHeartbeat(): void {
    if (this.heartbeat === null || this.#heartbeat !== null) return;
    this.#heartbeat = new Heartbeat(() => this.connections as Iterable<TcpConnection>, this.heartbeat);
    this.#heartbeat.start();
  }

  /** Stops accepting and closes the socket; `listen()` binds it again. */
  unlisten(): void {
    if (this.#listener === null) return;
    this.#released = Promise.all([this.#released, this.#listener.settled]);
    this.#listener.close();
    this.#listener = null;
  }

  /** Stops accepting in this process; clients wait, or go to the other processes. */
  pauseAccept(): void {
    if (this.#listener === null) return;
    this.#paused = true;
    this.#listener.pause();
  }

  /** Accepts again; nothing when this process does already, or has no socket. */
  resumeAccept(): void {
    this.#paused = false;
    this.#listener?.resume().catch((error: unknown) => this.failed(error));
  }

  /** Switches this process to the Worker's user and group; run by the framework. Problems only warn. */
  setUserAndGroup(): void {
    const user = this.user === '' ? currentUser() : this.user;
    if (this.user === '' && this.group === '') return;
    switchUserAndGroup(user, this.group, (line) => writeLog(line));
  }

  /** Binds when needed, calls `onWorkerStart` and waits for it, accepts. */
  async run(): Promise<void> {
    await this.listen(false);
    if (this.onWorkerStart !== null) await this.onWorkerStart(this as unknown as Self);
    await listening.settled();
    this.#beginHeartbeat();
    if (!this.#paused && !this.stopping) await this.#listener?.resume();
  }

  /**
   * Stops this Worker in this process: `onWorkerStop`, then the socket, then (unless the stop is a graceful one) its
   * connections. A second call does nothing, and waits with the first. Does not end the process.
   *
   * @param force close every connection; otherwise those with unread input or a pending handler are left
   * @returns a promise only when `onWorkerStop` returned one
   */
  stop(force = true): void | Promise<void> {
    if (this.stopping || this.#stopBegun) return this.#stopEnd ?? undefined;
    this.#stopBegun = true;
    let result: unknown;
    try {
      result = this.onWorkerStop?.(this as unknown as Self);
    } catch (error) {
      writeLog(error);
    }
    this.unlisten();
    if (!isThenable(result)) return this.#finishStop(force);
    this.#stopEnd = Promise.resolve(result).then(
      () => this.#finishStop(force),
      (error: unknown) => {
        writeLog(error);
        this.#finishStop(force);
      },
    );
    return this.#stopEnd;
  }

  #stopBegun = false;
  /** While the promise of `onWorkerStop` is pending: the end of the stop. */
  #stopEnd: Promise<void> | null = null;

  #finishStop(force: boolean): void {
    this.#stopEnd = null;
    // A process that stops sees its connections off by itself, a little later: see Drain.
    if (!processState.gracefulStop && (force || processState.status !== STATUS.SHUTDOWN)) {
      for (const connection of Object.values(this.connections) as TcpConnection[]) {
        if (force || isIdle(connection)) connection.close();
      }
    }
    this.onMessage = this.onClose = this.onError = this.onBufferDrain = this.onBufferFull = null;
    this.#heartbeat?.stop();
    this.stopping = true;
  }

  // ------------------------------------------------------------------------------------------------ clients

  /**
   * Sends the same `data` to every connection of this Worker in this process; an addition of ours. The wire form is
   * made once, not once for each.
   *
   * @param except a connection, or several, to leave out
   * @returns how many connections took it
   */
  broadcast(data: unknown, except: Connection | Iterable<Connection> | null = null): number {
    const left = new Set<unknown>(isIterable(except) ? except : [except]);
    let taken = 0;
    data = this.protocol?.prepare?.(data) ?? data;
    for (const connection of Object.values(this.connections) as TcpConnection[]) {
      if (!left.has(connection) && connection.send(data) !== false) taken++;
    }
    return taken;
  }

  /** @internal */
  get needsSockets(): boolean {
    return this.#tls !== null;
  }

  /** @internal */
  accepted(socket: Socket | HandleWire): void {
    const connection = new TcpConnection<Message, Connection>(Settings.globalEvent, socket, '', this.#tls);
    connection.worker = this;
    if (this.#transportUsed === 'unix') {
      connection.transport = 'unix';
      connection._localPath = this.#listener?.address.path ?? '';
    }
    connection.onMessage = this.onMessage;
    connection.onClose = this.onClose;
    connection.onError = this.onError;
    connection.onBufferFull = this.onBufferFull;
    connection.onBufferDrain = this.onBufferDrain;
    addConnection(this.connections, connection.id, connection as Connection);
    connection.protocol = this.protocol;
    if (this.onConnect === null) return;
    try {
      const result = this.onConnect(connection as Connection);
      if (!isThenable(result)) return;
      result.then(undefined, hooks.fail);
      connection._attend(result);
    } catch (error) {
      hooks.fail(error);
    }
  }

  /** @internal */
  datagram(data: Buffer, remote: RemoteInfo, socket: UdpSocket): void {
    const connection = new UdpConnection<Message, Connection>(socket, remote);
    connection.protocol = this.protocol;
    connection.onMessage = this.onMessage;
    // An exception over a datagram always ends the process: there is no connection that could take it.
    handOutDatagram(connection, data);
  }

  /** @internal */
  failed(error: unknown): void {
    hooks.fail(error);
  }
}

/** Nothing of a request has arrived and no handler is pending: closing loses nothing. */
export function isIdle(connection: TcpConnection): boolean {
  return connection.getRecvBufferQueueSize() === 0 && !connection._busy;
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value;
