import { performance } from 'node:perf_hooks';

/** Above this Node's `setTimeout` fires after a millisecond instead. */
const LONGEST = 2_147_483_647;

interface Pending {
  readonly func: () => void;
  readonly due: number;
  /** What the caller asked for. */
  readonly wait: number;
}

/**
 * Takes the place of the clock and of `setTimeout` between {@link install} and {@link uninstall}, so that tests wait
 * for nothing. Rounds and fails as Node does: whole milliseconds, at least one, at once when it is too long.
 */
export class FakeClock {
  now = 1000;
  /** Waits that were asked for, in milliseconds. */
  readonly waits: number[] = [];
  readonly #pending = new Set<Pending>();
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;

  install(): void {
    performance.now = () => this.now;
    const set = (func: () => void, wait: number): unknown => {
      this.waits.push(wait);
      const real = wait > LONGEST || !(wait >= 1) ? 1 : Math.trunc(wait);
      const entry = { func, due: this.now + real, wait, unref: () => entry, ref: () => entry };
      this.#pending.add(entry);
      return entry;
    };
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((entry: Pending) => void this.#pending.delete(entry)) as unknown as typeof clearTimeout;
  }

  uninstall(): void {
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
    // The method of the prototype is uncovered again.
    delete (performance as { now?: unknown }).now;
  }

  /** Timeouts of Node that are set. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Lets so many milliseconds pass, firing what is due on the way at its time. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = [...this.#pending].sort((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > end) break;
      this.now = Math.max(this.now, next.due);
      this.#pending.delete(next);
      next.func();
    }
    this.now = Math.max(this.now, end);
  }

  /** So many milliseconds pass while the process is busy: nothing fires. */
  block(ms: number): void {
    this.now += ms;
  }
}
