import { EventLoop } from './EventLoop.js';
import type { StartRow } from './screens/startScreen.js';
import { Settings } from './Settings.js';
import { resolveTransport, splitScheme } from './SocketName.js';
import { currentUser } from './userAndGroup.js';
import { wantedProcesses } from './wantedProcesses.js';
import type { EventLoopClass } from '../timer/EventInterface.js';

/** Name of the loop a Worker's processes run on, as the screens show it. */
export function eventLoopName(worker: { eventLoop: EventLoopClass | null }): string {
  const loop = worker.eventLoop ?? Settings.eventLoopClass;
  return loop === null || loop === EventLoop ? 'node' : loop.name.toLowerCase();
}

/** The transport that a Worker uses. The command that starts a daemon shows it and never listens itself. */
function transportOf(worker: { transport: string; getSocketName(): string }): string {
  try {
    return resolveTransport(splitScheme(worker.getSocketName()).scheme, worker.transport);
  } catch {
    // No socket, or a name that listen() will complain of.
    return worker.transport;
  }
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
    proto: transportOf(worker),
    user: worker.user || currentUser(),
    worker: worker.name || 'none',
    listen: worker.getSocketName(),
    count: wantedProcesses(worker.count),
    state: '[OK]',
  };
}
