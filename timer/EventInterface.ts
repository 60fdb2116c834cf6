/** A callback of a timer. Its arguments are the user's own; `Timer` checks them where it takes them. */
// `any`: a loop calls it with what it was given, and users may write a callback for any arguments.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type TimerCallback = (...args: any[]) => unknown;

/**
 * What an event loop class offers (Workerman's `EventInterface`, less the raw descriptors that Node can not poll).
 * `Worker.getEventLoop()` returns one; `Worker.eventLoopClass` takes a class that implements it.
 */
export interface EventInterface {
  /** Calls `func(...args)` once after `delay` seconds. @returns the timer's id. */
  delay(delay: number, func: TimerCallback, args?: unknown[]): number;
  /** Removes a timer of either kind. @returns false when there was none. */
  offDelay(timerId: number): boolean;
  /** Calls `func(...args)` every `interval` seconds. @returns the timer's id. */
  repeat(interval: number, func: TimerCallback, args?: unknown[]): number;
  /** Removes a timer of either kind. @returns false when there was none. */
  offRepeat(timerId: number): boolean;
  /** Removes every timer. */
  deleteAllTimer(): void;
  /** Timers that wait: one-shots and repeats. */
  getTimerCount(): number;
  /** Sets the one handler of a signal, in place of the one before, the framework's included. */
  onSignal(signal: number | NodeJS.Signals, func: (signal: number) => unknown): void;
  /** Takes the handler off; the signal is ignored from then on. @returns false when there was none. */
  offSignal(signal: number | NodeJS.Signals): boolean;
  /** Sets what receives the exceptions of timers and signal handlers. Without one they are printed. */
  setErrorHandler(func: (error: unknown) => void): void;
  /** Starts the loop. Node's runs already, so the built-in one returns at once. */
  run(): void;
  /** Drops timers and signal handlers. The process ends only when somebody exits it. */
  stop(): void;
}

/** A class whose instances are event loops. */
export type EventLoopClass = new () => EventInterface;
