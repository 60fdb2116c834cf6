import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ConnectionInterface } from '../../../connection/ConnectionInterface.js';
import { hooks } from '../../../connection/hooks.js';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { acceptWires, type HandleWire } from '../../../connection/wire/HandleWire.js';

/**
 * Connections over real sockets: a plain server hands each accepted client to a TcpConnection, as workers do (without a
 * socket of Node's, or with one when `WORKERMAN_TS_PUBLIC_SOCKETS=1`), a {@link Peer} is at the other end. Everything that
 * was opened is closed by {@link closeAll}, for `afterEach`.
 */

const servers = new Set<Server>();
const peers = new Set<Peer>();
const accepted = new Set<TcpConnection>();

/** Waits until `done` holds, one turn of the event loop after the other; Mocha's time limit ends a vain wait. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The far end of a connection. Stays half open when the connection closes. */
export class Peer {
  readonly socket: Socket;
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | null = null;
  #chunks: Buffer[] = [];

  /** @param reads false: nothing is read before {@link read}. */
  constructor(socket: Socket, reads = true) {
    this.socket = socket;
    peers.add(this);
    socket.on('error', (error) => (this.error = error));
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    if (reads) this.read();
  }

  read(): this {
    this.socket.on('data', (chunk) => this.#chunks.push(chunk));
    return this;
  }

  get bytes(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  /** What has arrived, one character for each byte. */
  get text(): string {
    return this.bytes.toString('latin1');
  }

  get length(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Resolves when `bytes` have gone to the operating system. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  /** FIN. Resolves when it is on its way. */
  fin(): Promise<void> {
    return new Promise((resolve) => this.socket.end(resolve));
  }

  /** RST. Resolves when the socket is gone. */
  async reset(): Promise<void> {
    this.socket.resetAndDestroy();
    await until(() => this.closed);
  }

  /** Waits for so much text, or for a pattern in it. */
  async gets(wanted: number | RegExp): Promise<string> {
    await until(() => (typeof wanted === 'number' ? this.length >= wanted : wanted.test(this.text)));
    return this.text;
  }
}

/** Where {@link open} listens. */
export interface Place {
  host?: string;
  /** The address that the client connects to, when it is not `host`. */
  clientHost?: string;
  path?: string;
  /** False: the peer does not read. */
  reads?: boolean;
}

async function listen(place: Place): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  servers.add(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (place.path !== undefined) server.listen(place.path, resolve);
    else server.listen(0, place.host ?? '127.0.0.1', resolve);
  });
  return server;
}

/**
 * One connection and its peer.
 * @param prepare runs when the connection has just been made, before anything is read
 */
export async function open(
  prepare: (connection: TcpConnection) => void = () => {}, place: Place = {},
): Promise<{ connection: TcpConnection; peer: Peer }> {
  const server = await listen(place);
  const made = new Promise<TcpConnection>((resolve) => {
    const accept = (socket: Socket | HandleWire): void => {
      const connection = new TcpConnection(null, socket);
      if (place.path !== undefined) {
        connection.transport = 'unix';
        connection._localPath = place.path;
      }
      accepted.add(connection);
      prepare(connection);
      resolve(connection);
    };
    server.once('connection', accept);
    acceptWires(server, accept);
  });
  const target = place.path !== undefined
    ? { path: place.path }
    : { port: (server.address() as AddressInfo).port, host: place.clientHost ?? place.host ?? '127.0.0.1' };
  const socket = connect({ ...target, allowHalfOpen: true });
  const peer = new Peer(socket, place.reads ?? true);
  if (place.path === undefined) socket.setNoDelay();
  const connection = await made;
  await until(() => !socket.connecting);
  return { connection, peer };
}

/**
 * Lets everything that is in the kernel by now come in: three bytes go to and fro over a connection of their own, and
 * what was sent before them is noticed at the latest with them.
 */
export async function settle(): Promise<void> {
  const { connection, peer } = await open((c) => {
    c.onMessage = (self: TcpConnection, data: Buffer) => void self.send(data);
  });
  for (let i = 1; i <= 3; i++) {
    await peer.write('x');
    await peer.gets(i);
  }
  connection.destroy();
  peer.socket.destroy();
  await until(() => peer.closed);
}

/** Closes everything that was opened. */
export async function closeAll(): Promise<void> {
  for (const connection of accepted) connection.destroy();
  accepted.clear();
  for (const peer of peers) peer.socket.destroy();
  await until(() => [...peers].every((peer) => peer.closed));
  peers.clear();
  await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
  servers.clear();
}

/** What connections have reported to the slots above them, instead of to the process. */
export interface Reports {
  readonly failures: unknown[];
  readonly lines: string[];
}

/** Fills the slots for the tests of one `describe`. */
export function catchReports(): Reports {
  const reports: Reports = { failures: [], lines: [] };
  const { fail, print } = hooks;
  before(() => {
    hooks.fail = (error) => void reports.failures.push(error);
    hooks.print = (line) => void reports.lines.push(line);
  });
  beforeEach(() => {
    reports.failures.length = 0;
    reports.lines.length = 0;
  });
  after(() => {
    hooks.fail = fail;
    hooks.print = print;
  });
  return reports;
}

/** The counters, as differences from now on. */
export function countFromHere(): () => { connections: number; requests: number; sendFails: number } {
  const then = { ...ConnectionInterface.statistics };
  return () => {
    const now = ConnectionInterface.statistics;
    return {
      connections: now.connection_count - then.connection_count,
      requests: now.total_request - then.total_request,
      sendFails: now.send_fail - then.send_fail,
    };
  };
}

/** Fills the operating system's buffers, so that the next send is queued. @returns the bytes sent so far. */
export function fill(connection: TcpConnection): number {
  let sent = 0;
  const piece = Buffer.alloc(1 << 20);
  while (connection.bufferIsEmpty()) {
    connection.send(piece);
    sent += piece.length;
  }
  return sent;
}
