import type { SocketProvider } from './Listener.js';

let pending = new Set<Promise<void>>();

/** How Workers of this process get their sockets; set by a worker process before it runs. */
export const listening: {
  provider: SocketProvider | null;
  /** True for the Worker that this process was started for, whose socket the master has bound. */
  isOwn: (worker: unknown) => boolean;
  /** Resolves when every `listen()` begun so far has come to an end, good or bad. */
  settled: () => Promise<void>;
} = {
  provider: null,
  isOwn: () => false,
  async settled() {
    while (pending.size > 0) {
      const now = pending;
      pending = new Set();
      await Promise.all(now);
    }
  },
};

/** Remembers a `listen()` that is under way. Whether its failure is handled stays its caller's business. */
export function trackListen(promise: Promise<void>): Promise<void> {
  const end = promise.then(
    () => {},
    () => {},
  );
  pending.add(end);
  void end.then(() => pending.delete(end));
  // A promise of its own: the one above has a handler, so nobody would hear of its rejection.
  return promise.then(() => {});
}
