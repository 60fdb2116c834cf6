import { connect, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import type { UdpConnection } from '../../../connection/UdpConnection.js';
import { Worker } from '../../../lib/Worker.js';
import '../../../protocols/builtIns.js';
import { closeAll, Peer, until } from '../connection/peers.js';

const made: Worker[] = [];

/** A Worker that {@link withWorkers} takes down again. */
export function make(...args: ConstructorParameters<typeof Worker>): Worker {
  const worker = new Worker(...args);
  made.push(worker);
  return worker;
}

/** The same of one that speaks over UDP. */
export const makeUdp = (name: string): Worker<unknown, UdpConnection> =>
  make(name) as unknown as Worker<unknown, UdpConnection>;

export const portOf: (worker: Pick<Worker, 'getMainSocket'>) => number = (worker) => (worker.getMainSocket()!.address() as AddressInfo).port;

/** A client of a Worker, or of the unix socket at a path. */
export async function client(worker: Worker | string): Promise<Peer> {
  const socket = typeof worker === 'string' ? connect(worker) : connect(portOf(worker), '127.0.0.1');
  const peer = new Peer(socket);
  await until(() => !socket.connecting);
  return peer;
}

/** What a promise is rejected with. */
export const rejection = (promise: Promise<unknown>): Promise<{ code?: string; message?: string }> =>
  promise.then(() => expect.fail('was not rejected'), (error: unknown) => error as Error);

/** For one `describe`: what Workers print is kept, and those that were made are closed after each test. */
export function withWorkers(): { output: string } {
  const printed = { output: '' };
  const { outputStream } = Worker;
  before(() => {
    const stream = new PassThrough();
    stream.on('data', (chunk) => (printed.output += String(chunk)));
    Worker.outputStream = stream;
  });
  after(() => {
    Worker.outputStream = outputStream;
  });
  beforeEach(() => {
    printed.output = '';
  });
  afterEach(() => {
    for (const worker of made.splice(0)) {
      worker.unlisten();
      for (const connection of worker.connections as Iterable<TcpConnection>) connection.destroy();
    }
  });
  afterEach(closeAll);
  return printed;
}
