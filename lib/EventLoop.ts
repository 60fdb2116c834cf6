import { constants } from 'node:os';
import { isThenable } from '../connection/ConnectionInterface.js';
import type { EventInterface, TimerCallback } from '../timer/EventInterface.js';
import { TimerHeap, type TimerEntry } from './TimerHeap.js';

/** Node's `setTimeout` fires at once above this; longer waits are done in legs. */
const LONGEST_WAIT_MS = 2_147_483_647;

const ignoreSignal = (): void => {};

/**
 * Workerman's event loop interface over Node's own loop: timers by one `setTimeout` for whichever is due next, signals
 * by `process.on`. Timers that are due together run in order of creation, and one that is deleted by another never runs.
 */
export class EventLoop implements EventInterface {
  /** True: a timer that waits does not keep the process alive (master and command processes). */
  readonly #background: boolean;
  readonly #timers = new Map<number, TimerEntry>();
  readonly #heap = new TimerHeap();
  readonly #signals = new Map<string, (signal: number) => void>();
  #lastId = 0;
  #wakeUp: NodeJS.Timeout | null = null;
  #wakeUpAt = Infinity;
  #errorHandler: ((error: unknown) => void) | null = null;

  /**
   * The package makes one for each process; `Worker.getEventLoop()` returns it.
   *
   * @param background true: a timer that waits does not keep the process alive
   */
  constructor(background = false) {
    this.#background = background;
  }

  delay(delay: number, func: TimerCallback, args: unknown[] = []): number {
    return this.#addTimer(delay, null, func, args);
  }

  repeat(interval: number, func: TimerCallback, args: unknown[] = []): number {
    return this.#addTimer(interval, Math.max(0, interval) * 1000, func, args);
  }

  offDelay(timerId: number): boolean {
    const had = this.#timers.delete(timerId);
    // Deleted timers stay in the heap until they are due: long ones must not pile up there.
    if (had && this.#heap.size > 64 && this.#heap.size > 2 * this.#timers.size) {
      this.#heap.retain((entry) => this.#timers.has(entry.id));
    }
    return had;
  }

  offRepeat(timerId: number): boolean {
    return this.offDelay(timerId);
  }

  deleteAllTimer(): void {
    this.#timers.clear();
    this.#heap.clear();
    this.#schedule();
  }

  getTimerCount(): number {
    return this.#timers.size;
  }

  onSignal(signal: number | NodeJS.Signals, func: (signal: number) => unknown): void {
    const name = signalName(signal);
    const number = constants.signals[name];
    const listener = (): void => this.#guard(() => func(number));
    this.#replaceListener(name, listener);
    this.#signals.set(name, listener);
  }

  offSignal(signal: number | NodeJS.Signals): boolean {
    const name = signalName(signal);
    const had = this.#signals.delete(name);
    // An empty listener has to stay: without any, Node would give the signal its deadly default back.
    this.#replaceListener(name, ignoreSignal);
    return had;
  }

  setErrorHandler(func: (error: unknown) => void): void {
    this.#errorHandler = func;
  }

  run(): void {
    // Node's loop is running already.
  }

  stop(): void {
    this.deleteAllTimer();
    for (const name of [...this.#signals.keys()]) this.offSignal(name as NodeJS.Signals);
  }

  #replaceListener(name: NodeJS.Signals, listener: () => void): void {
    const others = process.listeners(name);
    // Add before removing: a moment without a listener could let the signal end the process.
    process.on(name, listener);
    for (const other of others) process.off(name, other);
  }

  #addTimer(seconds: number, interval: number | null, func: TimerCallback, args: unknown[]): number {
    const id = ++this.#lastId;
    const entry: TimerEntry = { id, due: performance.now() + Math.max(0, seconds) * 1000, interval, func, args };
    this.#timers.set(id, entry);
    this.#heap.push(entry);
    this.#schedule();
    return id;
  }

  /** Sets the wake-up for whatever is due next. */
  #schedule(): void {
    const heap = this.#heap;
    while (heap.next !== undefined && !this.#timers.has(heap.next.id)) heap.pop();
    const due = heap.next?.due ?? Infinity;
    if (due === this.#wakeUpAt) return;
    if (this.#wakeUp !== null) clearTimeout(this.#wakeUp);
    this.#wakeUp = null;
    this.#wakeUpAt = due;
    if (due === Infinity) return;
    const wait = Math.min(Math.max(1, Math.ceil(due - performance.now())), LONGEST_WAIT_MS);
    this.#wakeUp = setTimeout(() => this.#runDue(), wait);
    if (this.#background) this.#wakeUp.unref();
  }

  #runDue(): void {
    this.#wakeUp = null;
    this.#wakeUpAt = Infinity;
    // What is added or due again from now on belongs to a later turn, so that an interval of 0 leaves room for I/O.
    const now = performance.now();
    const due: TimerEntry[] = [];
    for (let next = this.#heap.next; next !== undefined && next.due <= now; next = this.#heap.next) {
      this.#heap.pop();
      due.push(next);
    }
    for (const entry of due) if (this.#timers.get(entry.id) === entry) this.#runTimer(entry);
    this.#schedule();
  }

  #runTimer(entry: TimerEntry): void {
    if (entry.interval === null) this.#timers.delete(entry.id);
    else {
      entry.due = performance.now() + entry.interval;
      this.#heap.push(entry);
    }
    this.#guard(() => entry.func(...entry.args));
  }

  #guard(func: () => unknown): void {
    try {
      const result = func();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#errorHandler !== null) this.#errorHandler(error);
    else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}

/** @throws TypeError for what is no signal, or can not be listened to. */
function signalName(signal: number | NodeJS.Signals): NodeJS.Signals {
  const table = constants.signals as Record<string, number>;
  const name = typeof signal === 'number' ? Object.keys(table).find((key) => table[key] === signal) : signal;
  if (name === undefined || table[name] === undefined) throw new TypeError(`${String(signal)} is not a signal`);
  if (name === 'SIGKILL' || name === 'SIGSTOP') throw new TypeError(`${name} can not be handled`);
  return name as NodeJS.Signals;
}
