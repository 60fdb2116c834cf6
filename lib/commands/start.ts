// Runs in the command process, which in the foreground becomes the master.
import { WorkermanError } from '../../errors.js';
import { StartLock } from '../control/StartLock.js';
import { checkOutputStream, currentLog, safeEcho } from '../output.js';
import { processState } from '../ProcessState.js';
import { Settings } from '../Settings.js';
import { banner } from './banner.js';
import { findMaster, say, type Service } from './service.js';

/** How to become the master, given by the room that knows it. */
export type StartMaster = (
  service: Service, lock: StartLock, announce: () => void, watch: boolean,
) => Promise<void>;

export interface StartOptions {
  /** Stop a running service first. */
  restart: boolean;
  graceful: boolean;
  quiet: boolean;
  /** Reload when the code changes. */
  watch: boolean;
}

type Workers = Parameters<typeof banner>[0];

/** Each process runs the script again, and nobody can read standard input twice. */
function checkStartFile(): void {
  if (processState.startFile !== '-') return;
  throw new WorkermanError('WM_START_FILE', 'The start script must be a file, and came on standard input');
}

/** `start` and `restart`. @returns the exit code, or null when this process is the master now */
export async function start(
  service: Service, options: StartOptions, workers: Workers, startMaster: StartMaster,
): Promise<number | null> {
  if (options.watch && Settings.daemonize) {
    safeEcho('--watch is for the foreground: start without -d (and without Worker.daemonize) to watch the code\n');
    return 1;
  }
  checkOutputStream();
  checkStartFile();
  currentLog()?.create();
  const lock = new StartLock(service.pidFile.path);
  // Before the look for a running master: of two starts at once, the second finds the first one's service.
  await lock.acquire();
  try {
    const exitCode = await makeWay(service, options);
    if (exitCode !== null) return exitCode;
    const announce = (): void => {
      if (!options.quiet) safeEcho(banner(workers, service.script, Settings.daemonize));
    };
    if (Settings.daemonize) return await startDaemon(announce);
    await startMaster(service, lock, announce, options.watch);
    return null;
  } finally {
    lock.release();
  }
}

/** @returns the exit code when there is nothing to be started, else null */
async function makeWay(service: Service, { restart, graceful }: StartOptions): Promise<number | null> {
  const pid = await findMaster(service);
  if (restart) {
    const { stopMaster } = await import('./stop.js');
    return (await stopMaster(service, pid, graceful)) ? null : 1;
  }
  if (pid === 0) return null;
  say(`Workerman[${service.script}] already running`);
  return 0;
}

async function startDaemon(announce: () => void): Promise<number> {
  const { daemonize } = await import('./daemonize.js');
  const failure = await daemonize();
  if (failure === null) {
    announce();
    return 0;
  }
  safeEcho(`${failure}\n`);
  return 1;
}
