// Runs in the master.
import { unlinkSync } from 'node:fs';
import { bindSocket, boundPort, closeSocket, kernelSpreads, listenError, type BindAddress, type BoundSocket } from '../bindSocket.js';

interface Entry {
  readonly address: BindAddress;
  readonly socket: BoundSocket;
  /** Processes that use it; null: the master keeps it for as long as it runs. */
  readonly users: Set<number> | null;
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

  /** Binds a Worker's socket, which the master keeps. Rejects with the error of the bind. */
  keep(address: BindAddress): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#find(address, null) !== undefined) throw listenError(address.display, 'EADDRINUSE');
      const socket = await bindSocket(address, true);
      if (address.kind !== 'unix') address.port = boundPort(socket);
      this.#entries.push({ address, socket, users: null });
    });
  }

  /**
   * Binds an address for one process. With `reusePort` several processes may: each on a socket of its own where the
   * kernel spreads clients, else on one that they share.
   * @returns the port
   */
  bindFor(pid: number, address: BindAddress): Promise<number> {
    return this.#inTurn(async () => {
      const existing = this.#find(address, kernelSpreads && address.reusePort ? pid : null);
      if (existing !== undefined) {
        if (existing.users === null || !(address.reusePort && existing.address.reusePort)) {
          throw listenError(address.display, 'EADDRINUSE');
        }
        existing.users.add(pid);
        return existing.address.port;
      }
      const socket = await bindSocket(address, true);
      if (address.kind !== 'unix') address.port = boundPort(socket);
      if (this.#closed) {
        closeSocket(socket);
        throw listenError(address.display, 'ECANCELED');
      }
      this.#entries.push({ address, socket, users: new Set([pid]) });
      return address.port;
    });
  }

  /** What to pass to a process that accepts from the address; null when it is not bound (any more). */
  handleFor(pid: number, address: BindAddress, own: boolean): unknown {
    const entry = this.#entries.find(
      (candidate) => sameAddress(candidate.address, address) && (own || candidate.users?.has(pid) === true),
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
    this.#closed = true;
    for (const entry of this.#entries) {
      closeSocket(entry.socket);
      entry.users?.clear();
    }
  }

  /** Removes the files of unix sockets. */
  removePaths(): void {
    for (const { address } of this.#entries.splice(0)) removePath(address);
  }

  #find(address: BindAddress, user: number | null): Entry | undefined {
    return this.#entries.find(
      (entry) => sameAddress(entry.address, address) && (user === null || entry.users === null || entry.users.has(user)),
    );
  }

  #drop(matches: (entry: Entry) => boolean, pid: number): void {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as Entry;
      if (entry.users === null || !matches(entry) || !entry.users.delete(pid) || entry.users.size > 0) continue;
      this.#entries.splice(i, 1);
      if (this.#closed) continue;
      closeSocket(entry.socket);
      removePath(entry.address);
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => {});
    return result;
  }
}

function sameAddress(a: BindAddress, b: BindAddress): boolean {
  return a.kind === b.kind && a.host === b.host && a.port === b.port && a.path === b.path && a.port + a.path.length > 0;
}

function removePath(address: BindAddress): void {
  if (address.kind !== 'unix') return;
  try {
    unlinkSync(address.path);
  } catch {
    // Somebody was quicker.
  }
}
