// Runs in a worker process.
import { ConnectionInterface } from '../../connection/ConnectionInterface.js';
import { TcpConnection } from '../../connection/TcpConnection.js';
import type { ProcessFigures } from '../control/ipc.js';
import type { ConnectionReport } from '../control/messages.js';

/** The figures of this process for the `status` command. */
export function processFigures(timers: number): ProcessFigures {
  const { connection_count, send_fail, total_request } = ConnectionInterface.statistics;
  return {
    memory: process.memoryUsage.rss(),
    connections: connection_count,
    sendFail: send_fail,
    timers,
    totalRequest: total_request,
  };
}

/** The connections of this process for the `connections` command. */
export function connectionReports(workerName: string): ConnectionReport[] {
  return Object.values(TcpConnection.connections).map((connection) => ({
    pid: process.pid,
    worker: (connection.worker as { name: string } | null)?.name ?? workerName,
    id: connection.id,
    transport: connection.transport,
    protocol: connection.protocol?.name ?? null,
    ipv4: connection.isIpV4(),
    ipv6: connection.isIpV6(),
    recvQueue: connection.getRecvBufferQueueSize(),
    sendQueue: connection.getSendBufferQueueSize(),
    bytesRead: connection.bytesRead,
    bytesWritten: connection.bytesWritten,
    status: connection.getStatus(false),
    localAddress: connection.getLocalAddress(),
    remoteAddress: connection.getRemoteAddress(),
  }));
}
