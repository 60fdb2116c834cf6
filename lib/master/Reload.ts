// Runs in the master: one reload, from the first process to the last.
import { Settings } from '../Settings.js';
import type { WorkerHandle } from './WorkerHandle.js';

/** What a reload needs of the one who supervises. */
export interface ReloadHost {
  /** A stop has begun: the reload is over. */
  readonly stopping: boolean;
  /** True while the process is the one of its id. */
  holds(handle: WorkerHandle): boolean;
  /** Starts a warm replacement; from now on nobody else takes the place of `old` when that ends. */
  reserve(old: WorkerHandle): WorkerHandle;
  /** The replacement becomes the process of its id. */
  install(next: WorkerHandle): void;
  /** The end of a reservation, whatever came of it. */
  unreserve(): void;
}

/**
 * Replaces processes one at a time. The replacement has read the new script before the old process is told anything,
 * so that a script that does not load costs nothing, and the gap is short.
 */
export class Reload {
  readonly #host: ReloadHost;
  readonly #graceful: boolean;

  constructor(host: ReloadHost, graceful: boolean) {
    this.#host = host;
    this.#graceful = graceful;
  }

  /** @returns the first process whose replacement did not start, which ends the reload; null when all went well */
  async run(handles: readonly WorkerHandle[]): Promise<WorkerHandle | null> {
    for (const handle of handles) {
      if (this.#host.stopping) return null;
      if (!this.#host.holds(handle) || handle.stage === 'stopping') continue;
      const next = this.#host.reserve(handle);
      const replaced = await this.#replace(handle, next);
      this.#host.unreserve();
      if (!replaced && !this.#host.stopping) return handle;
    }
    return null;
  }

  async #replace(old: WorkerHandle, next: WorkerHandle): Promise<boolean> {
    const loaded = await next.until(() => next.stage === 'waiting' || this.#host.stopping);
    if (!loaded || this.#host.stopping) return false;
    return this.#graceful ? this.#hand(old, next) : this.#swap(old, next);
  }

  /** Plain: the old process goes, and the moment it has gone the new one starts. */
  async #swap(old: WorkerHandle, next: WorkerHandle): Promise<boolean> {
    if (this.#host.holds(old)) {
      old.reload(Settings.stopTimeout);
      await old.until(() => false);
    }
    // What the kernel has queued meanwhile is waiting for this.
    return !this.#host.stopping && this.#begin(next);
  }

  /** Graceful: the old process accepts until the new one does, and then sees its connections to their end. */
  async #hand(old: WorkerHandle, next: WorkerHandle): Promise<boolean> {
    await this.#giveUpInnerAddresses(old);
    const ready = !this.#host.stopping && (await this.#begin(next));
    if (this.#host.stopping) return false;
    if (!ready) {
      // The old code goes on as if nothing had happened.
      old.hasYielded = false;
      old.send({ type: 'resume' });
      return false;
    }
    if (old.alive) old.drain('reload', Settings.drainTimeout, Settings.stopTimeout);
    return true;
  }

  /** A process that is too busy to answer would hold the reload for ever: it is not waited for very long. */
  async #giveUpInnerAddresses(old: WorkerHandle): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      old.changed();
    }, Settings.stopTimeout * 1000);
    old.send({ type: 'yield' });
    await old.until(() => old.hasYielded || late || this.#host.stopping);
    clearTimeout(timer);
  }

  async #begin(next: WorkerHandle): Promise<boolean> {
    next.start();
    if (!this.#graceful) this.#host.install(next);
    const ready = await next.until(() => next.stage === 'ready' || this.#host.stopping);
    if (this.#graceful && ready && !this.#host.stopping) this.#host.install(next);
    return ready;
  }
}
