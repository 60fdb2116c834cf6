import type { NetConnectOpts, Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import { WorkermanError } from '../errors.js';
import { resolveProtocol } from '../protocols/registry.js';
import type { Response } from '../protocols/http/Response.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import { remoteOf } from './address.js';
import type { Callback } from './ConnectionInterface.js';
import { Dialer, type DialOwner, type DialPlan } from './Dialer.js';
import { Handshake } from './Handshake.js';
import { HttpProxyDialogue } from './proxy/http.js';
import type { ProxyDialogue } from './proxy/ProxyDialogue.js';
import { Socks5Dialogue } from './proxy/socks5.js';
import { bareHost, parseHostPort, parseRemoteAddress, type RemoteAddress } from './remoteAddress.js';
import { hooks } from './hooks.js';
import type { SocketContext } from './SocketContext.js';
import { TcpConnection } from './TcpConnection.js';
import { SocketWire } from './wire/SocketWire.js';
import type { Wire } from './wire/Wire.js';
import { clientTls, type ClientTls } from './tls.js';

const { STATUS_INITIAL, STATUS_CONNECTING, STATUS_ESTABLISHED, STATUS_CLOSING, STATUS_CLOSED } = TcpConnection;
const { CONNECT_FAIL, TCP_KEEPALIVE_INTERVAL } = TcpConnection;

/** A scheme that names a transport → what is spoken. The others are protocols. */
const SCHEMES: Readonly<Record<string, 'tcp' | 'unix' | 'ssl'>> = { tcp: 'tcp', unix: 'unix', ssl: 'ssl', tls: 'ssl' };
/** What `transport` may be. */
const TRANSPORTS: readonly string[] = ['tcp', 'unix', 'ssl'];
/** Transports of PHP that a stream client can not, or must not, speak. */
const REFUSED = ['udp', 'sslv2', 'sslv3'];

/** How long one of several addresses of a name may keep the others waiting. Node's 250 ms give up on far servers. */
const ADDRESS_ATTEMPT_MS = 1000;
/** Longest wait of a Node timer. */
const LONGEST_MS = 2_147_483_647;

/**
 * A connection that is made from here: over TCP, TLS or a unix socket, directly or through a proxy. Construct it, set
 * its callbacks, call {@link connect}. Every failure is reported by `onError` and `onClose`, after `connect()` has
 * returned. The same object can connect again, any number of times.
 */
export class AsyncTcpConnection<Message = UserValue, Self = UserValue> extends TcpConnection<Message, Self> implements DialOwner {
  /** The transports that an address may name. Of them `udp`, `sslv2` and `sslv3` are refused; `tls` is `ssl`. */
  static readonly BUILD_IN_TRANSPORTS: Readonly<Record<string, string>> = {
    tcp: 'tcp', udp: 'udp', unix: 'unix', ssl: 'ssl', sslv2: 'sslv2', sslv3: 'sslv3', tls: 'tls',
  };

  static {
    // A static property of PHP is one and the same for a class and for those that extend it.
    for (const name of ['defaultMaxSendBufferSize', 'defaultMaxPackageSize', 'defaultLingerTimeout'] as const) {
      Object.defineProperty(this, name, {
        get: () => TcpConnection[name],
        set: (value: number) => (TcpConnection[name] = value),
      });
    }
  }

  /** `host:port` of a SOCKS5 proxy, which also looks the target's name up; `''`: none. Wins over `proxyHttp`. */
  proxySocks5 = '';
  /** User name for the SOCKS5 proxy, at most 255 bytes; `''` and no password: none is offered. */
  proxySocks5Username = '';
  /** Password for the SOCKS5 proxy, at most 255 bytes. */
  proxySocks5Password = '';
  /** `host:port` of an HTTP proxy that knows CONNECT; `''`: none. */
  proxyHttp = '';
  /** Value of `Proxy-Authorization`, for example `Basic dXNlcjpwYXNz`; `''`: no such line. */
  proxyAuthorization = '';
  /** WebSocket client: `(connection, response)`, the handshake is done. Status, headers and version; an empty body. */
  declare onWebSocketConnect?: Callback<[connection: Self, response: Response]>;

  readonly #remote: RemoteAddress;
  readonly #context: SocketContext;
  #port: number;
  #dialer: Dialer | null = null;
  #tls: ClientTls | null = null;
  #startedAt = 0;
  #reconnectTimer: NodeJS.Timeout | null = null;

  /**
   * @param remoteAddress `scheme://host:port/path?query`, or `unix:///path`. The scheme is a transport (`tcp`, `ssl`,
   * `tls`, `unix`; `tcp` when missing) or a protocol (`ws`, `text`, `frame`, your own). Port missing: 443 when
   * `transport` is `'ssl'` at the time of `connect()`, else 80
   * @param socketContext options of the socket (`bindto`) and of TLS
   * @throws WorkermanError `WM_BAD_REMOTE_ADDRESS`, `WM_INVALID_SCHEME`, `WM_UNKNOWN_SCHEME`
   */
  constructor(remoteAddress: string, socketContext: SocketContext = {}) {
    const remote = parseRemoteAddress(remoteAddress);
    if (REFUSED.includes(remote.scheme)) {
      throw new WorkermanError('WM_BAD_REMOTE_ADDRESS', `A client connection can not speak '${remote.scheme}'`);
    }
    const transport = Object.hasOwn(SCHEMES, remote.scheme) ? SCHEMES[remote.scheme] : undefined;
    const protocol = transport === undefined ? resolveProtocol(remote.scheme) : null;
    super(hooks.loop, null, remote.path === '' ? `${remote.host}:${remote.port}` : remote.path);
    this._status = STATUS_INITIAL;
    this.transport = transport ?? 'tcp';
    this.#remote = remote;
    this.#port = remote.port;
    this.#context = socketContext ?? {};
    this.protocol = protocol;
  }

  /** The host given to the constructor, IPv6 in brackets; `''` for unix. */
  getRemoteHost(): string {
    return this.#remote.host;
  }

  /** Path and query given to the constructor, at least `/`; `''` for unix. */
  getRemoteURI(): string {
    return this.#remote.uri;
  }

  /** @internal The target's port, also while the remote address is that of a proxy; 0 for unix. */
  get _targetPort(): number {
    return this.#port;
  }

  // ------------------------------------------------------------------------------------------------ connecting

  /**
   * Connects; returns at once. Nothing when already connecting or connected. What was sent before goes out first.
   *
   * On success `onConnect` is called when the target can be reached: under TLS before the handshake, after which what
   * was sent leaves. On failure `onError(connection, 1, reason)`, then `onClose`.
   */
  connect(): void {
    if (this._status !== STATUS_INITIAL && this._status !== STATUS_CLOSING && this._status !== STATUS_CLOSED) return;
    this.#leave();
    this._status = STATUS_CONNECTING;
    this._register();
    this.#startedAt = performance.now();
    if (this.#port === 0 && this.#remote.path === '') {
      this.#port = this.transport === 'ssl' ? 443 : 80;
      this._remoteAddress = `${this.#remote.host}:${this.#port}`;
    }
    this.#dialer = new Dialer(this, () => this.#prepare());
  }

  /**
   * Connects again. The same callbacks are used. A connection that is still open is dropped without `onClose`.
   *
   * @param after seconds to wait, fractions allowed; 0 or less: now
   */
  reconnect(after = 0): void {
    this.cancelReconnect();
    this.#leave();
    this._status = STATUS_INITIAL;
    if (!(after > 0)) return this.connect();
    this.#reconnectTimer = setTimeout(() => {
      this.#reconnectTimer = null;
      this.connect();
    }, Math.min(after * 1000, LONGEST_MS));
  }

  /** The manual's spelling of {@link reconnect}. */
  reConnect(after = 0): void {
    this.reconnect(after);
  }

  /** Forgets a reconnect that waits; nothing else. `close()` and `destroy()` do not do that. */
  cancelReconnect(): void {
    if (this.#reconnectTimer !== null) clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = null;
  }

  /**
   * Ends what was before, without a callback of the user. Bytes that wait for a connection that never came about are
   * kept for the next; what belongs to a connection that was established goes with it.
   */
  #leave(): void {
    const isEstablished = this._wire !== null;
    // What was sent in this tick has been promised to the operating system.
    if (this._direct) this._queue.flush();
    if (isEstablished) this._drop(true);
    else this.#stopDialling();
    // When it is CLOSED this is inside onClose, or later: the protocol is told before anything of the next connection.
    if (isEstablished || this._status === STATUS_CLOSED) this._tellEnd();
    this._uncount();
    this._unregister();
  }

  #stopDialling(): void {
    this.#dialer?.abort();
    this.#dialer = null;
  }

  /** Reads and checks everything that can be wrong; what it throws is a failure to connect. */
  #prepare(): DialPlan {
    const { host, path } = this.#remote;
    // A transport that is misspelt in plain JavaScript must not end in plain text.
    if (!TRANSPORTS.includes(this.transport)) throw new Error(`Bad connection.transport '${String(this.transport)}'`);
    this.#tls = this.transport === 'ssl' ? clientTls(bareHost(host), this.#context.ssl) : null;
    if (path !== '') return { socket: { path, allowHalfOpen: true }, dialogue: null };
    const dialogue = this.#dialogue();
    const proxy = this.proxySocks5 || this.proxyHttp;
    const first = dialogue === null ? { host: bareHost(host), port: this.#port } : parseHostPort(proxy);
    if (first === null) throw new Error(`A proxy is given as host:port, got '${proxy}'`);
    const socket: NetConnectOpts = {
      ...first,
      ...bindTo(this.#context.socket?.bindto),
      allowHalfOpen: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    };
    return { socket, dialogue };
  }

  #dialogue(): ProxyDialogue | null {
    const { host } = this.#remote;
    if (this.proxySocks5 !== '') {
      const login = { username: this.proxySocks5Username, password: this.proxySocks5Password };
      return new Socks5Dialogue(host, this.#port, login);
    }
    return this.proxyHttp === '' ? null : new HttpProxyDialogue(host, this.#port, this.proxyAuthorization);
  }

  /** @internal */
  _dialled(socket: Socket, early: Buffer): void {
    this.#dialer = null;
    if (this.#remote.path === '') {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEPALIVE_INTERVAL * 1000);
      this._remoteAddress = remoteOf(socket) || this._remoteAddress;
    }
    this.#takeOver(socket, early);
    this._status = STATUS_ESTABLISHED;
    const own = this._wire;
    this._call(this.onConnect, this);
    if (this.#isOn(own)) this.#tellConnected();
    if (this._direct && this.#isOn(own) && early.length > 0) this._onData(early);
    if (this._direct && this._wire === own) this._queue.flush();
  }

  #takeOver(socket: Socket, early: Buffer): void {
    if (this.#tls !== null) return this._encrypt(Handshake.connect(socket, early, this.#tls, this));
    const wire = new SocketWire(socket);
    this._wire = wire;
    this._direct = true;
    this._queue.attach(wire);
    this._listen(wire);
  }

  /** The connection has not been closed, ended or made anew meanwhile. */
  #isOn(wire: Wire | null): boolean {
    return this._wire === wire && this._status === STATUS_ESTABLISHED;
  }

  #tellConnected(): void {
    try {
      this.protocol?.onConnect?.(this);
    } catch (error) {
      this.error(error);
    }
  }

  /** @internal */
  _dialFailed(reason: string | null): void {
    this.#dialer = null;
    this._status = STATUS_CLOSING;
    const seconds = Number(((performance.now() - this.#startedAt) / 1000).toFixed(4));
    const text = reason ?? `connect ${this._remoteAddress} fail after ${seconds} seconds`;
    this._call(this.onError, this, CONNECT_FAIL, text);
    if ((this._status as number) === STATUS_CLOSING) this.destroy();
  }

  // ------------------------------------------------------------------------------------------------ closing

  /** @internal */
  protected override _drop(hard: boolean): void {
    this.#stopDialling();
    super._drop(hard);
  }

  /** @internal The callbacks are kept: this object may connect again. */
  protected override _forget(): void {
    this._unregister();
  }
}

/** @throws Error for what is no `ip:port` */
function bindTo(bindto: string | undefined): { localAddress?: string; localPort?: number; family?: number } {
  if (bindto === undefined || bindto === '') return {};
  const local = parseHostPort(bindto);
  if (local === null) throw new Error(`bindto is given as ip:port, got '${bindto}'`);
  return {
    // PHP's '0:port' leaves the address to the system.
    ...(local.host === '0' ? {} : { localAddress: local.host, family: isIPv6(local.host) ? 6 : 4 }),
    ...(local.port === 0 ? {} : { localPort: local.port }),
  };
}
