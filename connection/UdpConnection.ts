import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { toBytes } from '../protocols/toBytes.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import { joinAddress } from './address.js';
import { ConnectionInterface, isThenable } from './ConnectionInterface.js';

/** Largest UDP payload over IPv4; a larger datagram can not be sent whole. */
export const MAX_PAYLOAD = 65_507;

/**
 * One received datagram and the address to answer to. There is nothing behind it that could be closed: the object
 * lives as long as somebody holds it, and answers leave through the socket that the worker listens on.
 */
export class UdpConnection<Message = UserValue, Self = UserValue> extends ConnectionInterface<Message, Self> {
  /** Bytes of the largest datagram that is received. */
  static readonly MAX_UDP_PACKAGE_SIZE: 65535 = 65535;

  /** Always `'udp'`. */
  override transport: 'udp' = 'udp';

  protected _socket: Socket | null;
  protected _remoteIp: string;
  protected _remotePort: number;
  protected _closed = false;

  constructor(socket: Socket | null, remote: Pick<RemoteInfo, 'address' | 'port'>) {
    super();
    this._socket = socket;
    this._remoteIp = remote.address;
    this._remotePort = remote.port;
  }

  /**
   * Sends one datagram to the peer.
   * @returns `true` when it was accepted whole, `null` when the protocol had nothing to send, `false` after `close()`
   * or when it is too large.
   */
  send(data: unknown, raw = false): boolean | null {
    if (this._closed) return false;
    let bytes;
    if (raw || this.protocol === null) bytes = toBytes(data, 'A UDP connection');
    else {
      try {
        bytes = this.protocol.encode(data, this);
        if (isThenable(bytes)) bytes.then(undefined, () => {});
        bytes = toBytes(bytes, 'encode()');
      } catch (error) {
        this.error(error);
        return false;
      }
      if (bytes.length === 0) return null;
    }
    return this._transmit(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  protected _transmit(bytes: Uint8Array): boolean {
    if (bytes.length > MAX_PAYLOAD || this._socket === null) return false;
    try {
      // Errors of a single datagram (host unreachable, say) are nobody's business: UDP promises nothing.
      this._socket.send(bytes, this._remotePort, this._remoteIp, () => {});
      return true;
    } catch {
      // The socket is closed.
      return false;
    }
  }

  /**
   * Sends `data` when given; later sends return `false`. The worker's socket stays open (in Workerman this closes it,
   * which ends the process at the next datagram).
   */
  close(data: unknown = null, raw = false): void {
    if (data !== null && data !== undefined) this.send(data, raw);
    this._closed = true;
  }

  /** The peer's ip. IPv6 without brackets, unlike on TCP connections. */
  getRemoteIp(): string {
    return this._remoteIp;
  }

  /** The peer's port. */
  getRemotePort(): number {
    return this._remotePort;
  }

  /** `ip:port`, IPv6 in brackets. */
  getRemoteAddress(): string {
    return joinAddress(this._remoteIp, this._remotePort);
  }

  /** The local ip, IPv6 in brackets; `''` when the socket is closed. */
  getLocalIp(): string {
    const address = this.getLocalAddress();
    return address.slice(0, Math.max(0, address.lastIndexOf(':')));
  }

  /** The local port; 0 when the socket is closed. */
  getLocalPort(): number {
    return this.#local()?.port ?? 0;
  }

  /** `ip:port`, `''` when the socket is closed. */
  getLocalAddress(): string {
    const local = this.#local();
    return local === null ? '' : joinAddress(local.address, local.port);
  }

  /** True when the peer is reached over IPv4. */
  isIpV4(): boolean {
    return !isIPv6(this._remoteIp);
  }

  /** True when the peer is reached over IPv6. */
  isIpV6(): boolean {
    return isIPv6(this._remoteIp);
  }

  /** @internal */
  _callMessage(message: unknown): void {
    this._call(this.onMessage, this, message);
  }

  #local(): { address: string; port: number } | null {
    try {
      return this._socket?.address() ?? null;
    } catch {
      // Node throws when the socket is closed.
      return null;
    }
  }
}

/**
 * Cuts one datagram into packets and hands them to `onMessage` of `connection`: `input` → cut → `decode` over the
 * datagram; what is left when `input` wants more, or states a nonsense length, is dropped. Without a protocol, the
 * datagram as it is. An exception goes to the connection's `error`.
 */
export function handOutDatagram(connection: UdpConnection, datagram: Buffer): void {
  ConnectionInterface.statistics.total_request++;
  const { protocol } = connection;
  if (protocol === null) return connection._callMessage(datagram);
  try {
    if (protocol.input === undefined) {
      handOut(connection, protocol.decode(datagram, connection));
      return;
    }
    let rest = datagram;
    while (rest.length > 0) {
      const length = protocol.input(rest, connection);
      if (!Number.isInteger(length) || length <= 0 || length > rest.length) return;
      const message: unknown = protocol.decode(rest.subarray(0, length), connection);
      rest = rest.subarray(length);
      handOut(connection, message);
    }
  } catch (error) {
    connection.error(error);
  }
}

function handOut(connection: UdpConnection, message: unknown): void {
  if (isThenable(message)) {
    message.then(undefined, () => {});
    throw new TypeError('decode() returned a promise; decode is synchronous');
  }
  if (message !== false) connection._callMessage(message);
}
