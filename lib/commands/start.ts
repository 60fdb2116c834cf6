// Runs in the command process, which in the foreground becomes the master.
import { StartLock } from '../control/StartLock.js';
import { checkOutputStream, currentLog, safeEcho } from '../output.js';
import { settings } from '../Settings.js';
import { banner } from './banner.js';
import { daemonize } from './daemonize.js';
import { findMaster, say, type Service } from './service.js';
import { stopMaster } from './stop.js';

/** How to become the master, given by the room that knows it. */
export type StartMaster = (service: Service, lock: StartLock, announce: () => void) => Promise<void>;

export interface StartOptions {
  /** Stop a running service first. */
  restart: boolean;
  graceful: boolean;
  quiet: boolean;
}

type Workers = Parameters<typeof banner>[0];

/** `start` and `restart`. @returns the exit code, or null when this process is the master now */
export async function start(
  service: Service, options: StartOptions, workers: Workers, startMaster: StartMaster,
): Promise<number | null> {
  checkOutputStream();
  currentLog()?.create();
  const lock = new StartLock(service.pidFile.path);
  // Before the look for a running master: of two starts at once, the second finds the first one's service.
  await lock.acquire();
  const pid = await findMaster(service);
  if (options.restart) {
    if (!(await stopMaster(service, pid, options.graceful))) {
      lock.release();
      return 1;
    }
  } else if (pid > 0) {
    say(`Workerman[${service.script}] already running`);
    lock.release();
    return 0;
  }
  const announce = (): void => {
    if (!options.quiet) safeEcho(banner(workers, service.script, settings.daemonize));
  };
  if (!settings.daemonize) {
    await startMaster(service, lock, announce);
    return null;
  }
  const failure = await daemonize();
  lock.release();
  if (failure !== null) {
    safeEcho(`${failure}\n`);
    return 1;
  }
  announce();
  return 0;
}
