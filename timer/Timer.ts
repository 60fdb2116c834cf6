import { WorkermanError } from '../errors.js';
import type { EventInterface, TimerCallback } from './EventInterface.js';

/**
 * Workerman's timers: seconds, ids from 1 upwards, one sequence for all kinds. The work is done by the loop that
 * {@link Timer.init} was given; the library gives it the worker process's loop, and the master's before that.
 */
export class Timer {
  static #event: EventInterface | null = null;
  /** In the master `del` always says true, as Workerman's does. */
  static #alwaysDeletes = false;

  /**
   * Binds Timer to a loop; called by the framework.
   * @param alwaysDeletes `del` returns true for any id
   */
  static init(event: EventInterface | null = null, alwaysDeletes = false): void {
    Timer.#event = event;
    Timer.#alwaysDeletes = alwaysDeletes;
  }

  /**
   * Calls `func(...args)` every `timeInterval` seconds, first after one interval; once when not `persistent`. An
   * async callback is not waited for. The next run is due one interval after the start of this one; runs missed while
   * the process was busy are not made up for.
   *
   * @param timeInterval seconds, fractions allowed, resolution 1 ms; 0 runs on every turn of the loop
   * @param func what it throws, or is rejected with, ends a worker process with 250; in the master it is printed
   * @param args what `func` is called with; nothing by default
   * @param persistent false: once
   * @returns the timer's id
   * @throws WorkermanError `WM_BAD_TIMER` for a negative interval, `WM_TIMER_ENVIRONMENT` before a Worker was
   * constructed; TypeError when the interval is not a finite number or `func` is not a function
   */
  static add<A extends unknown[]>(timeInterval: number, func: (...args: A) => unknown, args?: A | [] | null, persistent = true): number {
    checkArguments(timeInterval, func);
    if (timeInterval < 0) throw new WorkermanError('WM_BAD_TIMER', '$timeInterval can not less than 0');
    return persistent ? Timer.repeat(timeInterval, func, args) : Timer.delay(timeInterval, func, args);
  }

  /** As {@link add} with `persistent`, without its check for a negative interval, which counts as 0. */
  static repeat<A extends unknown[]>(timeInterval: number, func: (...args: A) => unknown, args?: A | [] | null): number {
    checkArguments(timeInterval, func);
    return Timer.#loop().repeat(timeInterval, func as TimerCallback, args ?? []);
  }

  /** As {@link add} without `persistent`, without its check for a negative interval, which counts as 0. */
  static delay<A extends unknown[]>(timeInterval: number, func: (...args: A) => unknown, args?: A | [] | null): number {
    checkArguments(timeInterval, func);
    return Timer.#loop().delay(timeInterval, func as TimerCallback, args ?? []);
  }

  /**
   * Resolves after `delay` seconds; the process stays free meanwhile. Not a timer: it has no id, is not counted, and
   * `delAll` does not cut it short.
   */
  static sleep(delay: number): Promise<void> {
    return new Promise((resolve) => wait(Math.max(0, delay) * 1000, resolve));
  }

  /** Removes a timer. @returns true when it was waiting, false for an unknown id, a second call or a spent one-shot. */
  static del(timerId: number): boolean {
    return (Timer.#event?.offDelay(timerId) ?? false) || Timer.#alwaysDeletes;
  }

  /** Removes all timers of the process. */
  static delAll(): void {
    Timer.#event?.deleteAllTimer();
  }

  static #loop(): EventInterface {
    if (Timer.#event === null) {
      throw new WorkermanError('WM_TIMER_ENVIRONMENT', 'Timer can only be used in workerman running environment');
    }
    return Timer.#event;
  }
}

/** Node's `setTimeout` fires at once above this; longer waits are done in legs. */
const LONGEST_WAIT_MS = 2_147_483_647;

function wait(ms: number, done: () => void): void {
  if (ms > LONGEST_WAIT_MS) setTimeout(() => wait(ms - LONGEST_WAIT_MS, done), LONGEST_WAIT_MS);
  else setTimeout(done, ms);
}

function checkArguments(interval: unknown, func: unknown): void {
  if (typeof interval !== 'number' || !Number.isFinite(interval)) {
    throw new TypeError(`A timer's interval is a finite number of seconds, got ${String(interval)}`);
  }
  if (typeof func !== 'function') throw new TypeError(`A timer's callback is a function, got ${typeof func}`);
}
