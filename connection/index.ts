import '../protocols/builtIns.js';

export { ConnectionInterface } from './ConnectionInterface.js';
export type { Callback, ConnectionStatistics } from './ConnectionInterface.js';
export type { ConnectionTable } from './ConnectionTable.js';
export type { ConnectionStatus } from './TcpConnection.js';
export { TcpConnection, UdpConnection } from './types.js';
export type { Loose, TcpConnectionConstructor, UdpConnectionConstructor } from './types.js';
