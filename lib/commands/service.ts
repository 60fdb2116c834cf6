// Runs in the command process.
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { askMaster, type AskResult, type ControlRequest } from '../control/ControlChannel.js';
import { controlSocketPath, PidFile } from '../control/PidFile.js';
import { isProcessAlive } from '../control/processes.js';
import { writeLog } from '../output.js';
import { processState } from '../ProcessState.js';
import { settings } from '../Settings.js';

const ANSWER_TIMEOUT_MS = 2000;
const POLL_MS = 10;

/** What is known of the service that a command is about. */
export interface Service {
  /** Base name of the start script. */
  readonly script: string;
  readonly pidFile: PidFile;
  readonly socketPath: string;
}

/** Fills in the files that the script has not named. */
export function settleFiles(): Service {
  const start = resolve(processState.startFile);
  const script = basename(start);
  const folder = dirname(start);
  if (settings.pidFile === '') settings.pidFile = join(folder, `workerman.${script}.pid`);
  if (settings.statusFile === '') settings.statusFile = join(folder, `workerman.${script}.status`);
  if (settings.logFile === '') settings.logFile = join(folder, 'workerman.log');
  const pidFile = new PidFile(settings.pidFile);
  return { script, pidFile, socketPath: controlSocketPath(pidFile.path) };
}

/** A line of the command: on the screen, daemon or not, and in the log file. */
export function say(line: string): void {
  writeLog(line, false, true);
}

/** The title is what `ps` shows; it is cut to the length of the original command line. */
function looksLikeMaster(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('WorkerMan: m');
  } catch {
    return false;
  }
}

/**
 * Pid of the running master, 0 when there is none. Alive means: the control channel answers with the pid in the pid
 * file, or somebody holds it and gives no answer (stopped, or busy), or the socket is gone but the pid is a master.
 */
export async function findMaster(service: Service): Promise<number> {
  const pid = service.pidFile.read();
  if (pid === 0) return 0;
  const result = await askMaster(service.socketPath, { command: 'ping' }, ANSWER_TIMEOUT_MS);
  const alive =
    (result.kind === 'answer' && result.answer.pid === pid) ||
    (isProcessAlive(pid) && (result.kind === 'silent' || (result.kind === 'absent' && looksLikeMaster(pid))));
  if (alive) return pid;
  say(`Master pid:${pid} is not alive`);
  return 0;
}

/** Gives an order by the control channel, or by the signal when there is none. */
export async function order(service: Service, pid: number, request: ControlRequest, signal: NodeJS.Signals): Promise<void> {
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
    await sleep(POLL_MS);
  }
  return true;
}
