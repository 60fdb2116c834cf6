import type { EventInterface } from '../timer/EventInterface.js';
import { Timer } from '../timer/Timer.js';
import { EventLoop } from './EventLoop.js';
import { safeEcho } from './output.js';
import { formatMessage } from './logText.js';

/**
 * The timers above `runAll()`. That code runs in every process of the service but means the master, so nothing fires
 * until it is known which process this is: the master then starts them, the others drop them.
 */
class WaitingTimers extends EventLoop {
  #calls: ((loop: EventInterface) => void)[] = [];
  #deleted = new Set<number>();
  #lastWaitingId = 0;

  constructor() {
    super(true);
  }

  override delay(delay: number, func: (...args: unknown[]) => unknown, args: unknown[] = []): number {
    return this.#wait((loop) => loop.delay(delay, func, args));
  }

  override repeat(interval: number, func: (...args: unknown[]) => unknown, args: unknown[] = []): number {
    return this.#wait((loop) => loop.repeat(interval, func, args));
  }

  override offDelay(timerId: number): boolean {
    this.#deleted.add(timerId);
    return true;
  }

  override offRepeat(timerId: number): boolean {
    return this.offDelay(timerId);
  }

  override deleteAllTimer(): void {
    for (let id = 1; id <= this.#lastWaitingId; id++) this.#deleted.add(id);
  }

  /** Adds what was not deleted meanwhile to `loop`, ids kept. */
  moveTo(loop: EventInterface): void {
    for (const call of this.#calls) call(loop);
    for (const id of this.#deleted) loop.offDelay(id);
  }

  #wait(call: (loop: EventInterface) => void): number {
    this.#calls.push(call);
    return ++this.#lastWaitingId;
  }
}

let waiting: WaitingTimers | null = null;
let decided = false;

/** A Worker was constructed: from here on `Timer` may be used. */
export function prepareTimers(): void {
  if (decided || waiting !== null) return;
  waiting = new WaitingTimers();
  Timer.init(waiting, true);
}

/** This process is the master: its timers start. An exception in one is printed and forgotten, as in Workerman. */
export function startMasterTimers(): void {
  const loop = new EventLoop(true);
  loop.setErrorHandler((error) => safeEcho(`${formatMessage(error)}\n`));
  waiting?.moveTo(loop);
  waiting = null;
  decided = true;
  Timer.init(loop, true);
}

/** This process serves on `loop`: what was added before is dropped. */
export function startWorkerTimers(loop: EventInterface): void {
  waiting = null;
  decided = true;
  Timer.init(loop, false);
}
