import { AsyncTcpConnection as BaseAsyncTcpConnection } from './AsyncTcpConnection.js';
import { AsyncUdpConnection as BaseAsyncUdpConnection } from './AsyncUdpConnection.js';
import type { SocketContext } from './SocketContext.js';
import { TcpConnection as BaseTcpConnection } from './TcpConnection.js';
import { UdpConnection as BaseUdpConnection } from './UdpConnection.js';
import type { ConnectionTable } from './ConnectionTable.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import type { EventInterface } from '../timer/EventInterface.js';
import type { Socket } from 'node:net';
import type { Socket as UdpSocket } from 'node:dgram';

/*
 * The connection classes as users see them. Same classes, other types: PHP users hang their own data on connections
 * (`connection.uid = …`), so by default any name may be read and written; who names the shape of that data,
 * `TcpConnection<{ uid?: string }>`, has every access checked.
 */

/** Own data whose shape nobody has named: every property, of whatever type. */
export interface Loose {
  [name: string]: UserValue;
}

/** A TCP, TLS or unix connection that carries the user's `Data` and whose messages are `Message`s. */
export type TcpConnection<Data = Loose, Message = UserValue> = BaseTcpConnection<Message, TcpConnection<Data, Message>> & Data;

/** A received datagram, with the user's `Data` on it. */
export type UdpConnection<Data = Loose, Message = UserValue> = BaseUdpConnection<Message, UdpConnection<Data, Message>> & Data;

type TcpStatics = Omit<typeof BaseTcpConnection, 'prototype' | 'connections'>;
type UdpStatics = Omit<typeof BaseUdpConnection, 'prototype'>;

/** The class `TcpConnection`: constants, defaults and the live connections of the process. */
export interface TcpConnectionConstructor extends TcpStatics {
  /**
   * For the package and for tests: a Worker makes the connections that it accepts.
   *
   * @param eventLoop the loop of the process
   * @param socket an accepted socket, opened with `allowHalfOpen`
   * @param remoteAddress `ip:port`; taken from the socket when not given
   */
  new <Data = Loose, Message = UserValue>(
    eventLoop: EventInterface | null, socket: Socket | null, remoteAddress?: string,
  ): TcpConnection<Data, Message>;
  readonly prototype: TcpConnection;
  /** Every live connection of this process by id, accepted and outgoing. */
  readonly connections: ConnectionTable<TcpConnection>;
}

/** The class `UdpConnection`. */
export interface UdpConnectionConstructor extends UdpStatics {
  /**
   * For the package and for tests: a Worker makes one for each datagram.
   *
   * @param socket the socket that answers leave through; null: nothing can be sent
   * @param remote where the datagram came from
   */
  new <Data = Loose, Message = UserValue>(
    socket: UdpSocket | null, remote: { address: string; port: number },
  ): UdpConnection<Data, Message>;
  readonly prototype: UdpConnection;
}

/** What `onMessage` of a client gets, by the scheme of its literal address. The first letter of a protocol is free. */
export type ClientMessageOf<Address extends string> = string extends Address
  ? UserValue
  : Address extends `${'tcp' | 'ssl' | 'tls' | 'unix' | 'udp'}:${string}`
    ? Buffer
    : Uncapitalize<Address> extends `ws:${string}`
      ? string | Buffer
      : Uncapitalize<Address> extends `text:${string}`
        ? string
        : Uncapitalize<Address> extends `frame:${string}`
          ? Buffer
          : UserValue;

/** A client connection that carries the user's `Data` and whose messages are `Message`s. */
export type AsyncTcpConnection<Data = Loose, Message = UserValue> =
  BaseAsyncTcpConnection<Message, AsyncTcpConnection<Data, Message>> & Data;

/** A UDP client that carries the user's `Data` and whose messages are `Message`s. */
export type AsyncUdpConnection<Data = Loose, Message = UserValue> =
  BaseAsyncUdpConnection<Message, AsyncUdpConnection<Data, Message>> & Data;

type AsyncTcpStatics = Omit<typeof BaseAsyncTcpConnection, 'prototype' | 'connections'>;
type AsyncUdpStatics = Omit<typeof BaseAsyncUdpConnection, 'prototype'>;

/** The class `AsyncTcpConnection`. */
export interface AsyncTcpConnectionConstructor extends AsyncTcpStatics {
  /**
   * The scheme of a literal address says what `onMessage` gets; own data may be anything.
   *
   * @param remoteAddress `scheme://host:port/path?query`, or `unix:///path`. The scheme is a transport (`tcp`, `ssl`,
   * `tls`, `unix`; `tcp` when missing) or a protocol (`ws`, `text`, `frame`, your own). Port missing: 443 when
   * `transport` is `'ssl'` at the time of `connect()`, else 80
   * @param socketContext options of the socket (`bindto`) and of TLS; none by default
   * @throws WorkermanError `WM_BAD_REMOTE_ADDRESS`, `WM_INVALID_SCHEME`, `WM_UNKNOWN_SCHEME`
   */
  new <const Address extends string = string>(
    remoteAddress: Address, socketContext?: SocketContext,
  ): AsyncTcpConnection<Loose, ClientMessageOf<Address>>;
  /** With the shape of the own data named. */
  new <Data extends object>(
    remoteAddress: `ws:${string}`, socketContext?: SocketContext,
  ): AsyncTcpConnection<Data, string | Buffer>;
  new <Data extends object>(
    remoteAddress: `text:${string}`, socketContext?: SocketContext,
  ): AsyncTcpConnection<Data, string>;
  new <Data extends object>(
    remoteAddress: `${'tcp' | 'ssl' | 'tls' | 'unix' | 'frame'}:${string}`, socketContext?: SocketContext,
  ): AsyncTcpConnection<Data, Buffer>;
  new <Data extends object>(remoteAddress: string, socketContext?: SocketContext): AsyncTcpConnection<Data>;
  readonly prototype: AsyncTcpConnection;
  /** Every live connection of this process by id, accepted and outgoing. */
  readonly connections: ConnectionTable<TcpConnection>;
}

/** The class `AsyncUdpConnection`. */
export interface AsyncUdpConnectionConstructor extends AsyncUdpStatics {
  /**
   * The scheme of a literal address says what `onMessage` gets; own data may be anything.
   *
   * @param remoteAddress `udp://host:port`, or a protocol in place of `udp`
   * @param contextOption `socket.bindto`, `socket.so_broadcast`; none by default
   * @throws WorkermanError `WM_BAD_REMOTE_ADDRESS`, `WM_INVALID_SCHEME`, `WM_UNKNOWN_SCHEME`
   */
  new <const Address extends string = string>(
    remoteAddress: Address, contextOption?: SocketContext,
  ): AsyncUdpConnection<Loose, ClientMessageOf<Address>>;
  /** With the shape of the own data named. */
  new <Data extends object>(
    remoteAddress: `${'udp' | 'frame'}:${string}`, contextOption?: SocketContext,
  ): AsyncUdpConnection<Data, Buffer>;
  new <Data extends object>(
    remoteAddress: `text:${string}`, contextOption?: SocketContext,
  ): AsyncUdpConnection<Data, string>;
  new <Data extends object>(remoteAddress: string, contextOption?: SocketContext): AsyncUdpConnection<Data>;
  readonly prototype: AsyncUdpConnection;
}

/**
 * One TCP, TLS or unix stream connection. Accepted ones are handed to a Worker's callbacks, client ones are
 * `AsyncTcpConnection`s. Own data may be hung on it under any name; as a type, `TcpConnection<Data, Message>` says what
 * that is and what a message is.
 *
 * @class
 */
export const TcpConnection: TcpConnectionConstructor = BaseTcpConnection as unknown as TcpConnectionConstructor;
/**
 * One received datagram and the address to answer to. There is nothing behind it that could be closed: the object
 * lives as long as somebody holds it, and answers leave through the socket that the Worker listens on.
 *
 * @class
 */
export const UdpConnection: UdpConnectionConstructor = BaseUdpConnection as unknown as UdpConnectionConstructor;
/**
 * A connection that is made from here: over TCP, TLS or a unix socket, directly or through a proxy. Construct it, set
 * its callbacks, call `connect()`. Every failure is reported by `onError` and `onClose`, after `connect()` has
 * returned. The same object can connect again, any number of times.
 *
 * @class
 */
export const AsyncTcpConnection: AsyncTcpConnectionConstructor =
  BaseAsyncTcpConnection as unknown as AsyncTcpConnectionConstructor;
/**
 * A UDP client: a socket connected to one peer. `connect()` may be left out, the first `send` does it. Datagrams that
 * nobody receives are no error.
 *
 * @class
 */
export const AsyncUdpConnection: AsyncUdpConnectionConstructor =
  BaseAsyncUdpConnection as unknown as AsyncUdpConnectionConstructor;
