/// <reference types="node" preserve="true" />
import '../protocols/builtIns.js';

export { ConnectionInterface } from './ConnectionInterface.js';
export type { Callback, ConnectionStatistics } from './ConnectionInterface.js';
export type { ConnectionTable } from './ConnectionTable.js';
export type { ConnectionStatus } from './TcpConnection.js';
export type { PeerFingerprint, SocketContext, SocketOptions, SslOptions } from './SocketContext.js';
export { AsyncTcpConnection, AsyncUdpConnection, TcpConnection, UdpConnection } from './types.js';
export type {
  AsyncTcpConnectionConstructor, AsyncUdpConnectionConstructor, ClientMessageOf, Loose, TcpConnectionConstructor,
  UdpConnectionConstructor,
} from './types.js';
