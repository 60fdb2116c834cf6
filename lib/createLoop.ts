import { WorkermanError } from '../errors.js';
import type { EventInterface, EventLoopClass } from '../timer/EventInterface.js';
import { EventLoop } from './EventLoop.js';

const METHODS = [
  'delay', 'repeat', 'offDelay', 'offRepeat', 'deleteAllTimer', 'getTimerCount', 'onSignal', 'offSignal',
  'setErrorHandler', 'run', 'stop',
] as const;

/**
 * @param loopClass null = the built-in one
 * @throws WorkermanError `WM_EVENT_LOOP_CLASS` when the user's class lacks a method of the interface
 */
export function checkLoopClass(loopClass: EventLoopClass | null): void {
  if (loopClass === null) return;
  const prototype = (loopClass as { prototype?: Partial<EventInterface> }).prototype;
  if (METHODS.some((method) => typeof prototype?.[method] !== 'function')) {
    throw new WorkermanError('WM_EVENT_LOOP_CLASS', 'Worker.eventLoopClass must implement EventInterface');
  }
}

/**
 * Makes the loop that a Worker's processes run on.
 * @throws as {@link checkLoopClass}
 */
export function createLoop(loopClass: EventLoopClass | null): EventInterface {
  checkLoopClass(loopClass);
  return loopClass === null ? new EventLoop() : new loopClass();
}
