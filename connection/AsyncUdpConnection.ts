import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIPv6 } from 'node:net';
import { WorkermanError } from '../errors.js';
import { resolveProtocol } from '../protocols/registry.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import { ConnectionInterface, type Callback } from './ConnectionInterface.js';
import { hooks } from './hooks.js';
import { bareHost, parseHostPort, parseRemoteAddress } from './remoteAddress.js';
import type { SocketContext } from './SocketContext.js';
import { MAX_PAYLOAD, UdpConnection } from './UdpConnection.js';

/** One opening of the socket, from the look-up of the name to its close. */
interface Session {
  socket: Socket | null;
  isConnected: boolean;
  /** Datagrams that wait for the socket, in order. */
  waiting: Uint8Array[];
  /** Datagrams that were given to the socket and not reported back yet. */
  sending: number;
  /** Close when nothing waits and nothing is being sent. */
  isClosing: boolean;
}

/**
 * A UDP client: a socket connected to one peer. `connect()` may be left out, the first `send` does it. Datagrams that
 * nobody receives are no error.
 */
export class AsyncUdpConnection<Message = UserValue, Self = UserValue> extends UdpConnection<Message, Self> {
  /** `(connection)`: the socket is ready. Forgotten by `close()`, like the other callbacks. */
  onConnect: Callback<[connection: Self]> = null;

  readonly #host: string;
  readonly #context: SocketContext;
  #session: Session | null = null;
  #closed = false;

  /**
   * @param remoteAddress `udp://host:port`, or a protocol in place of `udp`
   * @param contextOption `socket.bindto`, `socket.so_broadcast`
   * @throws WorkermanError `WM_BAD_REMOTE_ADDRESS`, `WM_INVALID_SCHEME`, `WM_UNKNOWN_SCHEME`
   */
  constructor(remoteAddress: string, contextOption: SocketContext = {}) {
    const { scheme, host, port } = parseRemoteAddress(remoteAddress);
    const protocol = scheme === 'udp' ? null : resolveProtocol(scheme);
    if (port === 0) throw new WorkermanError('WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress');
    super(null, { address: bareHost(host), port });
    this.eventLoop = hooks.loop;
    this.protocol = protocol;
    this.#host = bareHost(host);
    this.#context = contextOption ?? {};
  }

  /**
   * Looks the name up, opens a socket connected to it, then calls `onConnect`. Nothing when that has been begun. A name
   * that is unknown or an address that can not be used is told to `onError`, and the next `send` tries again.
   */
  connect(): void {
    if (this.#session !== null) return;
    this.#closed = false;
    const session: Session = { socket: null, isConnected: false, waiting: [], sending: 0, isClosing: false };
    this.#session = session;
    lookup(this.#host, (error, address) => {
      if (this.#isGone(session)) return;
      if (error !== null) this.#failed(session, error);
      else this.#open(session, address);
    });
  }

  /**
   * Sends one datagram, connecting first when that has not been done.
   * @returns true when it was accepted, or waits for the socket; null when the protocol had nothing to send; false
   * when it is too large
   */
  override send(data: unknown, raw = false): boolean | null {
    this.connect();
    return super.send(data, raw);
  }

  /**
   * Sends `data` when given and closes: `onClose` is called before this returns, datagrams that still wait go out
   * before the socket is closed. Then the callbacks are forgotten. A second call does nothing.
   */
  override close(data: unknown = null, raw = false): void {
    if (this.#closed) return;
    if (data !== null && data !== undefined) this.send(data, raw);
    this.#closed = true;
    const session = this.#session;
    this.#session = null;
    this._socket = null;
    this._call(this.onClose, this);
    this.onConnect = this.onMessage = this.onClose = this.onError = this.errorHandler = this.eventLoop = null;
    if (session === null) return;
    session.isClosing = true;
    this.#closeWhenDone(session);
  }

  protected override _transmit(bytes: Uint8Array): boolean {
    const session = this.#session;
    if (session === null || bytes.length > MAX_PAYLOAD) return false;
    if (session.isConnected) this.#sendNow(session, bytes);
    else session.waiting.push(bytes);
    return true;
  }

  #open(session: Session, address: string): void {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    session.socket = socket;
    socket.on('message', (data) => this.#received(session, data));
    // Before the socket is connected an error means that it never will be; later it is a datagram that got lost.
    socket.on('error', (error) => {
      if (!session.isConnected && !this.#isGone(session)) this.#failed(session, error);
    });
    const options = this.#context.socket;
    const local = options?.bindto ? parseHostPort(options.bindto) : null;
    if (options?.bindto && local === null) {
      return this.#failed(session, new Error(`bindto is given as ip:port, got '${options.bindto}'`));
    }
    const host = local === null || local.host === '0' ? undefined : local.host;
    socket.bind(local?.port ?? 0, host, () => {
      if (this.#isGone(session)) return;
      if (options?.so_broadcast) socket.setBroadcast(true);
      // Node has no type for it, but this is where it says that the address can not be used.
      socket.connect(this._remotePort, address, (error?: Error) => {
        if (error === undefined) this.#connected(session, socket, address);
        else if (!this.#isGone(session)) this.#failed(session, error);
      });
    });
  }

  #connected(session: Session, socket: Socket, address: string): void {
    if (this.#isGone(session)) return;
    session.isConnected = true;
    for (const bytes of session.waiting.splice(0)) this.#sendNow(session, bytes);
    if (session.isClosing) return this.#closeWhenDone(session);
    this._socket = socket;
    this._remoteIp = address;
    this._call(this.onConnect, this);
  }

  #sendNow(session: Session, bytes: Uint8Array): void {
    session.sending++;
    session.socket?.send(bytes, () => {
      session.sending--;
      this.#closeWhenDone(session);
    });
  }

  #closeWhenDone(session: Session): void {
    if (!session.isClosing || session.sending > 0 || session.waiting.length > 0) return;
    session.isClosing = false;
    closeSocket(session);
  }

  /** The session has come to its end while something of it was under way. */
  #isGone(session: Session): boolean {
    return session !== this.#session && !session.isClosing;
  }

  #received(session: Session, data: Buffer): void {
    if (session !== this.#session) return;
    ConnectionInterface.statistics.total_request++;
    if (this.protocol === null) return this._callMessage(data);
    let message: unknown;
    try {
      message = this.protocol.decode(data, this);
    } catch (error) {
      return this.error(error);
    }
    this._callMessage(message);
  }

  /** The name is unknown, or the address can not be used. The next `send` or `connect` tries again. */
  #failed(session: Session, error: Error): void {
    const isCurrent = session === this.#session;
    if (isCurrent) this.#session = null;
    session.waiting = [];
    session.isClosing = false;
    closeSocket(session);
    hooks.print(`connect ${this.getRemoteAddress()} fail: ${error.message}`);
    if (isCurrent) this._call(this.onError, this, ConnectionInterface.CONNECT_FAIL, error.message);
  }
}

function closeSocket(session: Session): void {
  const { socket } = session;
  session.socket = null;
  socket?.close();
}
