import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTcpConnection, type SocketContext, type TcpConnection } from '../../../connection/index.js';
import { Worker } from '../../../lib/types.js';
import { until } from './peers.js';

/**
 * Workers that listen in this very process, and clients that connect to them. {@link stopAll} ends all of them, for
 * `afterEach`.
 */

const workers = new Set<Worker>();
const clients = new Set<AsyncTcpConnection>();
const folders = new Set<string>();

/** Starts a worker. `prepare` runs before it listens. */
export async function serve(
  name: string, context: SocketContext = {}, prepare: (worker: Worker) => void = () => {},
): Promise<Worker> {
  const worker: Worker = new Worker(name, context);
  workers.add(worker);
  prepare(worker);
  await worker.listen();
  return worker;
}

/** The port on which a worker listens. */
export const portOf = (worker: Worker): number => ((worker.getMainSocket() as Server).address() as AddressInfo).port;

/** A client that is not connected yet. */
export function client(address: string, context: SocketContext = {}): AsyncTcpConnection {
  const connection: AsyncTcpConnection = new AsyncTcpConnection(address, context);
  clients.add(connection);
  return connection;
}

/** A path in a folder of its own. */
export function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-unix-'));
  folders.add(folder);
  return join(folder, 'a.sock');
}

/** A worker's connections, in order. */
export const connectionsOf = (worker: Worker): TcpConnection[] => [...worker.connections];

/** Stops everything, and fails when a connection is left. */
export async function stopAll(): Promise<void> {
  for (const connection of clients) {
    connection.cancelReconnect();
    connection.onClose = connection.onError = null;
    connection.destroy();
  }
  clients.clear();
  for (const worker of workers) {
    void worker.stop();
    for (const connection of connectionsOf(worker)) connection.destroy();
  }
  await until(() => [...workers].every((worker) => worker.connections.size === 0));
  workers.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** Everything that a connection's callbacks tell, as one line each, in order. */
export function record(connection: TcpConnection, into: string[] = []): string[] {
  connection.onMessage = (_c, data: Buffer | string) => into.push(`message ${data.toString()}`);
  connection.onClose = () => into.push('close');
  connection.onError = (_c, code, text) => into.push(`error ${code} ${text}`);
  connection.onBufferFull = () => into.push('full');
  connection.onBufferDrain = () => into.push('drain');
  return into;
}
