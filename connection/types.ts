import { TcpConnection as BaseTcpConnection } from './TcpConnection.js';
import { UdpConnection as BaseUdpConnection } from './UdpConnection.js';
import type { ConnectionTable } from './ConnectionTable.js';
import type { EventInterface } from '../timer/EventInterface.js';
import type { Socket } from 'node:net';
import type { Socket as UdpSocket } from 'node:dgram';

/*
 * The connection classes as users see them. Same classes, other types: PHP users hang their own data on connections
 * (`connection.uid = …`), so by default any name may be read and written; who names the shape of that data,
 * `TcpConnection<{ uid?: string }>`, has every access checked.
 */

/** Own data whose shape nobody has named: any property, of any type. */
export interface Loose {
  // The point of this type: what is hung on an object in PHP style is the user's business.
  [name: string]: any;
}

/** A TCP, TLS or unix connection that carries the user's `Data` and whose messages are `Message`s. */
export type TcpConnection<Data = Loose, Message = any> = BaseTcpConnection<Message, TcpConnection<Data, Message>> & Data;

/** A received datagram, with the user's `Data` on it. */
export type UdpConnection<Data = Loose, Message = any> = BaseUdpConnection<Message, UdpConnection<Data, Message>> & Data;

type TcpStatics = Omit<typeof BaseTcpConnection, 'prototype' | 'connections'>;
type UdpStatics = Omit<typeof BaseUdpConnection, 'prototype'>;

/** The class `TcpConnection`: constants, defaults and the live connections of the process. */
export interface TcpConnectionConstructor extends TcpStatics {
  new <Data = Loose, Message = any>(
    eventLoop: EventInterface | null, socket: Socket | null, remoteAddress?: string,
  ): TcpConnection<Data, Message>;
  readonly prototype: TcpConnection;
  /** Every live connection of this process by id, accepted and outgoing. */
  readonly connections: ConnectionTable<TcpConnection>;
}

/** The class `UdpConnection`. */
export interface UdpConnectionConstructor extends UdpStatics {
  new <Data = Loose, Message = any>(
    socket: UdpSocket | null, remote: { address: string; port: number },
  ): UdpConnection<Data, Message>;
  readonly prototype: UdpConnection;
}

export const TcpConnection: TcpConnectionConstructor = BaseTcpConnection as unknown as TcpConnectionConstructor;
export const UdpConnection: UdpConnectionConstructor = BaseUdpConnection as unknown as UdpConnectionConstructor;
