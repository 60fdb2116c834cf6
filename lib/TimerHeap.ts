import type { TimerCallback } from '../timer/EventInterface.js';

/** One timer. `interval` is null for a one-shot. Times in milliseconds of the monotonic clock. */
export interface TimerEntry {
  readonly id: number;
  due: number;
  readonly interval: number | null;
  readonly func: TimerCallback;
  readonly args: unknown[];
}

/** Earlier due first; what is due at the same time, in order of creation. */
const before = (a: TimerEntry, b: TimerEntry): boolean => a.due < b.due || (a.due === b.due && a.id < b.id);

/** Binary heap of timers, next one on top. */
export class TimerHeap {
  #entries: TimerEntry[] = [];

  get next(): TimerEntry | undefined {
    return this.#entries[0];
  }

  push(entry: TimerEntry): void {
    const heap = this.#entries;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent] as TimerEntry)) break;
      heap[at] = heap[parent] as TimerEntry;
      at = parent;
    }
    heap[at] = entry;
  }

  pop(): TimerEntry | undefined {
    const heap = this.#entries;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as TimerEntry, heap[child] as TimerEntry)) child++;
      if (!before(heap[child] as TimerEntry, last)) break;
      heap[at] = heap[child] as TimerEntry;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Drops every timer that `wanted` says no to. */
  retain(wanted: (entry: TimerEntry) => boolean): void {
    // A sorted array is a heap.
    this.#entries = this.#entries.filter(wanted).sort((a, b) => (before(a, b) ? -1 : 1));
  }

  clear(): void {
    this.#entries = [];
  }
}
