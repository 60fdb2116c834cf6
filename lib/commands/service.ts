// Runs in the command process.
import { existsSync, readFileSync } from 'node:fs';
import { askMaster, type AskResult, type ControlRequest } from '../control/ControlChannel.js';
import { controlSocketPath, PidFile } from '../control/PidFile.js';
import { isProcessAlive } from '../control/processes.js';
import { StartLock } from '../control/StartLock.js';
import { writeLog } from '../output.js';
import { settleFiles } from '../settleFiles.js';
import { Settings } from '../Settings.js';

const ANSWER_TIMEOUT_MS = 2000;
const POLL_MS = 10;
/** For how many seconds a command waits for a start that is under way. */
const START_PATIENCE = 5;
const MASTER_TITLE = 'WorkerMan: master process';

/** What is known of the service that a command is about. */
export interface Service {
  /** Base name of the start script. */
  readonly script: string;
  readonly pidFile: PidFile;
  readonly socketPath: string;
}

/** @throws WorkermanError WM_PID_FILE when there is no place for a control socket */
export function describeService(): Service {
  const script = settleFiles();
  const pidFile = new PidFile(Settings.pidFile);
  return { script, pidFile, socketPath: controlSocketPath(pidFile.path) };
}

/** A line of the command: on the screen, daemon or not, and in the log file. */
export function say(line: string): void {
  writeLog(line, false, true);
}

/** The title is what `ps` shows. It is cut to the length of the original command line, which may be a short one. */
function looksLikeMaster(pid: number): boolean {
  try {
    const title = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replace(/\0+$/, '');
    return title.startsWith(MASTER_TITLE) || (title.startsWith('WorkerMan') && MASTER_TITLE.startsWith(title));
  } catch {
    return false;
  }
}

/** The process exists, and is one that we may give orders to. */
function mayBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return isProcessAlive(pid);
}

/**
 * Alive means: the control channel answers with the pid in the pid file, or somebody holds it and gives no answer
 * (stopped, or busy), or the socket is gone but the pid is a master.
 */
async function isMaster(service: Service, pid: number): Promise<boolean> {
  const result = await askMaster(service.socketPath, { command: 'ping' }, ANSWER_TIMEOUT_MS);
  if (result.kind === 'answer') return result.answer.pid === pid;
  return mayBeSignalled(pid) && (result.kind === 'silent' || looksLikeMaster(pid));
}

/** Pid of the running master, 0 when there is none. */
export async function findMaster(service: Service): Promise<number> {
  const pid = service.pidFile.read();
  if (pid === 0) return 0;
  if (await isMaster(service, pid)) return pid;
  say(`Master pid:${pid} is not alive`);
  return 0;
}

/**
 * As {@link findMaster}, for the commands that do not start anything: one that comes while a service is starting means
 * that service.
 */
export async function findStartedMaster(service: Service): Promise<number> {
  const lock = new StartLock(service.pidFile.path);
  const pid = service.pidFile.read();
  if (existsSync(lock.path) && (pid === 0 || !(await isMaster(service, pid)))) {
    await lock.acquire(START_PATIENCE);
    lock.release();
  }
  return findMaster(service);
}

/** Gives an order by the control channel, or by the signal when there is none. */
export async function order(
  service: Service, pid: number, request: ControlRequest, signal: NodeJS.Signals,
): Promise<void> {
  const result = await askMaster(service.socketPath, request, ANSWER_TIMEOUT_MS);
  if (result.kind !== 'absent') return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}

/** Asks for a report. */
export function ask(service: Service, request: ControlRequest): Promise<AskResult> {
  return askMaster(service.socketPath, request, ANSWER_TIMEOUT_MS);
}

/** Waits for a process to end. @returns false when it still exists after `seconds` */
export async function gone(pid: number, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (isProcessAlive(pid)) {
    if (performance.now() > end) return false;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  return true;
}
