// Runs in the master.
import {
  armSocket, bindSocket, boundPort, closeSocket, kernelSpreads, listenError, removeSocketFile, type BindAddress,
  type BoundSocket,
} from '../bindSocket.js';
import { giveFile, mayBindPort } from '../userAndGroup.js';

interface Entry {
  readonly address: BindAddress;
  readonly socket: BoundSocket;
  /** Processes that use it; null: the master keeps it for as long as it runs. */
  readonly users: Set<number> | null;
}

/** Until a process accepts, which sets its own; the kernel caps it. */
const LARGEST_BACKLOG = 102_400;

/** To whom the file of a unix socket shall belong; `''` = nothing asked for. */
export interface SocketOwner {
  readonly user: string;
  readonly group: string;
}

/**
 * All listening sockets of the service. They live here, bound but not accepted from, and worker processes get copies:
 * so no client is refused while processes come and go, and the spreading of one address over several processes is
 * decided in one place.
 */
export class SocketStore {
  readonly #entries: Entry[] = [];
  /** Binds one after the other, so that two processes that ask at once can not both find an address free. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * Binds a Worker's socket, which the master keeps; the kernel queues clients from now on, whether a process accepts
   * or not. Rejects with the error of the bind.
   */
  keep(address: BindAddress, backlog: number, owner: SocketOwner): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#find(address, null) !== undefined) throw listenError(address.display, 'EADDRINUSE');
      const socket = armSocket(await bindSocket(address, true), address, backlog);
      if (address.kind !== 'unix') address.port = boundPort(socket);
      this.#entries.push({ address, socket, users: null });
      if (address.kind === 'unix') giveFile(address.path, owner.user, owner.group);
    });
  }

  /**
   * Binds an address for one process. With `reusePort` several processes may: each on a socket of its own where the
   * kernel spreads clients, else on one that they share.
   *
   * @param user the user that the process runs as: it gets no address that it could not bind itself
   * @returns the port
   */
  bindFor(pid: number, address: BindAddress, user: string): Promise<number> {
    return this.#inTurn(async () => {
      const existing = this.#find(address, kernelSpreads && address.reusePort ? pid : null);
      if (existing !== undefined) {
        if (existing.users === null || !(address.reusePort && existing.address.reusePort)) {
          throw listenError(address.display, 'EADDRINUSE');
        }
        existing.users.add(pid);
        return existing.address.port;
      }
      if (!mayBindPort(user, address.port)) throw listenError(address.display, 'EACCES');
      const socket = await bindWaiting(address);
      if (address.kind !== 'unix') address.port = boundPort(socket);
      if (this.#closed) {
        closeSocket(socket);
        throw listenError(address.display, 'ECANCELED');
      }
      this.#entries.push({ address, socket, users: new Set([pid]) });
      return address.port;
    });
  }

  /** True once the service stops. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What to pass to a process that accepts from the address; null when it is not bound (any more). */
  handleFor(pid: number, address: BindAddress, kept: boolean): unknown {
    if (this.#closed) return null;
    const entry = this.#entries.find(
      (candidate) => sameAddress(candidate.address, address) && (kept || candidate.users?.has(pid) === true),
    );
    return entry === undefined ? null : (entry.socket.dgram ?? entry.socket.raw);
  }

  /** A process needs the address no more. */
  release(pid: number, address: BindAddress): void {
    this.#drop((entry) => sameAddress(entry.address, address), pid);
  }

  /** A process has ended. */
  releaseAll(pid: number): void {
    this.#drop(() => true, pid);
  }

  /** The service stops: new clients are refused from now on. Unix paths stay until {@link removePaths}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const entry of this.#entries) {
      closeSocket(entry.socket);
      entry.users?.clear();
    }
  }

  /** Removes the files of unix sockets. */
  removePaths(): void {
    for (const { address } of this.#entries.splice(0)) {
      if (address.kind === 'unix') removeSocketFile(address.path);
    }
  }

  #find(address: BindAddress, user: number | null): Entry | undefined {
    const concerns = ({ users }: Entry): boolean => user === null || users === null || users.has(user);
    return this.#entries.find((entry) => sameAddress(entry.address, address) && concerns(entry));
  }

  #drop(matches: (entry: Entry) => boolean, pid: number): void {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as Entry;
      if (entry.users === null || !matches(entry) || !entry.users.delete(pid) || entry.users.size > 0) continue;
      this.#entries.splice(i, 1);
      if (this.#closed) continue;
      closeSocket(entry.socket);
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => {});
    return result;
  }
}

/**
 * Binds for a process, and lets the clients wait that come before it accepts. Where the kernel spreads clients over
 * sockets it must not give any to a process that is not ready: they go to the others.
 */
async function bindWaiting(address: BindAddress): Promise<BoundSocket> {
  const socket = await bindSocket(address, true);
  if (kernelSpreads && address.reusePort) return socket;
  try {
    return armSocket(socket, address, LARGEST_BACKLOG);
  } catch (error) {
    closeSocket(socket);
    throw error;
  }
}

function sameAddress(a: BindAddress, b: BindAddress): boolean {
  return a.kind === b.kind && a.host === b.host && a.port === b.port && a.path === b.path && a.port + a.path.length > 0;
}
