// Runs in the command process.
import { Settings } from '../Settings.js';
import { findStartedMaster, gone, order, say, type Service } from './service.js';

/** Seconds over `stopTimeout` after which a stop counts as failed. */
const PATIENCE = 3;

/** Stops a running master, in Workerman's words. @returns false when it would not go */
export async function stopMaster(service: Service, pid: number, graceful: boolean): Promise<boolean> {
  const { script } = service;
  say(`Workerman[${script}] is ${graceful ? 'gracefully ' : ''}stopping ...`);
  if (pid > 0) {
    // The time counts from the order on: a master that stands still does not answer it either.
    const ordered = order(service, pid, { command: 'stop', graceful }, graceful ? 'SIGQUIT' : 'SIGINT');
    const hasGone = await gone(pid, graceful ? Infinity : Settings.stopTimeout + PATIENCE);
    await ordered;
    if (!hasGone) {
      say(`Workerman[${script}] stop fail`);
      return false;
    }
  }
  say(`Workerman[${script}] stop success`);
  return true;
}

/** `stop [-g]` @returns the exit code */
export async function stop(service: Service, graceful: boolean): Promise<number> {
  const pid = await findStartedMaster(service);
  if (pid === 0) {
    say(`Workerman[${service.script}] not run`);
    return 0;
  }
  return (await stopMaster(service, pid, graceful)) ? 0 : 1;
}
