import type { StartRow } from './screens/startScreen.js';
import { settings } from './Settings.js';
import { currentUser } from './userAndGroup.js';
import type { EventLoopClass } from '../timer/EventInterface.js';

/** Name of the loop a Worker's processes run on, as the screens show it. */
export function eventLoopName(worker: { eventLoop: EventLoopClass | null }): string {
  const loop = worker.eventLoop ?? settings.eventLoopClass;
  return loop === null ? 'node' : loop.name.toLowerCase();
}

/** A Worker as a row of the banner. */
export function startRow(worker: {
  eventLoop: EventLoopClass | null;
  transport: string;
  user: string;
  name: string;
  count: number;
  getSocketName(): string;
}): StartRow {
  return {
    eventLoop: eventLoopName(worker),
    proto: worker.transport,
    user: worker.user || currentUser(),
    worker: worker.name || 'none',
    listen: worker.getSocketName(),
    count: Math.max(1, worker.count),
    state: '[OK]',
  };
}
