import type * as dgram from 'node:dgram';
import { lstatSync, statSync, unlinkSync } from 'node:fs';
import * as net from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { WorkermanError } from '../errors.js';

/**
 * Opens sockets that are bound but not yet read or accepted from. The master needs that: it owns the address so that
 * no client is refused while worker processes come and go, yet it must never take a connection itself. Node's public
 * API only binds and accepts in one step, so the handle is made the way Node's own `cluster` makes it; everything that
 * is not public API about listening is in this file.
 */

/** Where to listen. */
export interface BindAddress {
  kind: 'tcp' | 'udp' | 'unix';
  host: string;
  port: number;
  /** Unix only. */
  path: string;
  ipv6Only?: boolean;
  /** The kernel spreads clients over all sockets bound to the address with this set. */
  reusePort?: boolean;
  broadcast?: boolean;
  /** The address as the user wrote it, for messages. */
  display: string;
}

/** A raw libuv handle as Node wraps it: what is passed between processes. */
export interface RawHandle {
  readonly fd: number;
  close(callback?: () => void): void;
  getsockname?(out: { address?: string; port?: number; family?: string }): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, seconds: number): number;
  listen(backlog: number): number;
  readStart(): number;
  readStop(): number;
}

/** A bound socket: `raw` for streams, `dgram` for UDP. */
export type BoundSocket = { raw: RawHandle; dgram: null } | { raw: null; dgram: dgram.Socket };

type CreateServerHandle = (
  address: string | null, port: number, addressType: number, fd: number | undefined, flags: number,
) => RawHandle | number;

const UV_TCP_IPV6ONLY = 1;
const UV_TCP_REUSEPORT = 2;
const KEEP_ALIVE_SECONDS = 55;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Whether this Node passes SO_REUSEPORT on to the kernel; older ones ignore the option in silence. */
export const kernelSpreads: boolean =
  process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12));

const TEXTS: Record<string, string> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EACCES: 'Permission denied',
  ENOTFOUND: 'Name or service not known',
  ENOENT: 'No such file or directory',
};

/** The error of an address that can not be listened on: names it and the system's reason, `code` is the system's. */
export function listenError(display: string, code: string): WorkermanError {
  const system = [...getSystemErrorMap().values()].find(([name]) => name === code)?.[1];
  return new WorkermanError(code, `Unable to listen on ${display}: ${TEXTS[code] ?? system ?? code}`);
}

/**
 * Binds.
 * @param forOthers the socket will be read by other processes: a UDP socket does not receive here
 * @throws WorkermanError with the system's code (`EADDRINUSE`, `EACCES`, …)
 */
export async function bindSocket(address: BindAddress, forOthers: boolean): Promise<BoundSocket> {
  if (address.kind === 'udp') return { raw: null, dgram: await bindUdp(address, forOthers) };
  if (address.kind === 'unix') return { raw: await bindUnix(address), dgram: null };
  const handle = create(address, await resolveHost(address), address.port);
  // Set on the listening socket, inherited by every accepted one: two system calls less for each connection.
  handle.setNoDelay?.(true);
  handle.setKeepAlive?.(true, KEEP_ALIVE_SECONDS);
  return { raw: handle, dgram: null };
}

async function resolveHost({ host, display }: BindAddress): Promise<string> {
  if (net.isIP(host) !== 0) return host;
  try {
    return (await process.getBuiltinModule('node:dns/promises').lookup(host)).address;
  } catch (error) {
    throw listenError(display, (error as NodeJS.ErrnoException).code ?? 'ENOTFOUND');
  }
}

function create(address: BindAddress, host: string, port: number): RawHandle {
  const type = address.kind === 'unix' ? -1 : net.isIP(host);
  let flags = address.ipv6Only ? UV_TCP_IPV6ONLY : 0;
  if (address.reusePort && kernelSpreads && address.kind !== 'unix') flags |= UV_TCP_REUSEPORT;
  const handle = createServerHandle(address, host, port, type, undefined, flags);
  // An address in use is not reported by the bind but by the first call after it.
  const status = handle.getsockname?.({}) ?? 0;
  if (status === 0) return handle;
  handle.close();
  throw listenError(address.display, codeOf(status));
}

function createServerHandle(address: BindAddress, ...rest: Parameters<CreateServerHandle>): RawHandle {
  const handle = (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle(...rest);
  if (typeof handle === 'number') throw listenError(address.display, codeOf(handle));
  return handle;
}

function codeOf(status: number): string {
  return getSystemErrorMap().get(status)?.[0] ?? String(status);
}

/** Not so where nobody may look. */
function isMissing(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

async function bindUnix(address: BindAddress): Promise<RawHandle> {
  try {
    return create(address, address.path, -1);
  } catch (error) {
    const { code } = error as WorkermanError;
    // libuv says of a folder that is missing that it is not permitted.
    if (code === 'EACCES' && isMissing(dirname(address.path))) throw listenError(address.display, 'ENOENT');
    if (code !== 'EADDRINUSE' || !(await isLeftover(address.path))) throw error;
  }
  unlinkSync(address.path);
  return create(address, address.path, -1);
}

/** True for the socket file of a process that has gone: nobody accepts on it. */
async function isLeftover(path: string): Promise<boolean> {
  try {
    if (!lstatSync(path).isSocket()) return false;
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

async function bindUdp(address: BindAddress, forOthers: boolean): Promise<dgram.Socket> {
  const host = await resolveHost(address);
  const socket = process.getBuiltinModule('node:dgram').createSocket({
    type: net.isIPv6(host) ? 'udp6' : 'udp4',
    ipv6Only: address.ipv6Only ?? false,
    ...(address.reusePort && kernelSpreads ? { reusePort: true } : {}),
  } as dgram.SocketOptions);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address.display, error.code ?? 'UNKNOWN')));
    socket.bind(address.port, host, () => resolve());
  });
  socket.removeAllListeners('error');
  socket.on('error', () => {});
  if (address.broadcast) socket.setBroadcast(true);
  if (forOthers) stopReceiving(socket);
  return socket;
}

/** What Node keeps of a UDP socket. */
interface UdpState {
  handle?: {
    recvStop?: () => void;
    lookup?: (address: string, done: (error: Error | null, ip?: string) => void) => void;
  };
  receiving?: boolean;
}

function stateOf(socket: dgram.Socket): UdpState | undefined {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  return key && (socket as unknown as Record<symbol, UdpState>)[key];
}

/** The process that holds a UDP socket for others must not read its datagrams. */
function stopReceiving(socket: dgram.Socket): void {
  const state = stateOf(socket);
  if (!state?.handle?.recvStop) throw new WorkermanError('WM_LISTEN', 'This version of Node can not share UDP sockets');
  state.handle.recvStop();
  state.receiving = false;
}

/**
 * Has datagrams to an ip sent inside the call of `send`. Node looks every address up first, an ip too, and sends a moment
 * later, when the process may be gone. Without the internal handle they go out as Node does it.
 */
export function sendAtOnce(socket: dgram.Socket): void {
  const handle = stateOf(socket)?.handle;
  const lookup = handle?.lookup;
  if (handle === undefined || typeof lookup !== 'function') return;
  handle.lookup = (address, done) => (net.isIP(address) === 0 ? lookup(address, done) : done(null, address));
}

/** The port that a socket was really bound to (after asking for port 0), 0 for unix sockets. */
export function boundPort(socket: BoundSocket): number {
  if (socket.dgram !== null) return socket.dgram.address().port;
  const out: { port?: number } = {};
  socket.raw.getsockname?.(out);
  return out.port ?? 0;
}

/** Removes the file of a unix socket that is no longer listened on. */
export function removeSocketFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody was quicker.
  }
}

/** Closes this process's copy of the socket. */
export function closeSocket(socket: BoundSocket): void {
  if (socket.dgram !== null) socket.dgram.close();
  else socket.raw.close();
}

/**
 * Makes the kernel queue the clients of a bound socket, none of which this process takes: it listens and does not
 * poll. Node has no call for that, but two methods of its handle together do it: a stream that was opened on a
 * descriptor may be read from, and when reading stops, so does the polling that listening has begun. The bound handle is
 * used up; it stays in being without being closed, because the descriptor belongs to the new one now.
 *
 * @throws WorkermanError with the system's code
 */
export function armSocket(socket: BoundSocket, address: BindAddress, backlog: number): BoundSocket {
  if (socket.raw === null) return socket;
  const handle = createServerHandle(address, null, 0, -1, socket.raw.fd, 0);
  const status = handle.listen(backlog);
  if (status !== 0) throw listenError(address.display, codeOf(status));
  if (handle.readStart() !== 0 || handle.readStop() !== 0) {
    throw new WorkermanError('WM_LISTEN', 'This version of Node can not hold a socket without accepting from it');
  }
  return { raw: handle, dgram: null };
}

/** A server that accepts from a socket which another process has bound. Takes `handle` over. */
export function serverOn(handle: unknown, backlog: number, options: net.ServerOpts = {}): net.Server {
  const server = net.createServer({ allowHalfOpen: true, ...options });
  // Node takes TCP handles as they are and pipes only by descriptor.
  const isPipe = (handle as { constructor: { name: string } }).constructor.name === 'Pipe';
  server.listen(isPipe ? { fd: (handle as RawHandle).fd, backlog } : (handle as net.ListenOptions), backlog);
  return server;
}
