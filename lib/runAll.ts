import { WorkerProcess, type ServedWorker } from './child/WorkerProcess.js';
import { parseCommand, type ParsedCommand } from './commands/parseCommand.js';
import { reload } from './commands/reload.js';
import { say, settleFiles, type Service } from './commands/service.js';
import { start } from './commands/start.js';
import { connections, status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { sendToParent } from './control/ipc.js';
import { role } from './control/role.js';
import { formatMessage } from './logText.js';
import { Master } from './master/Master.js';
import type { SupervisedWorker } from './master/Supervisor.js';
import { safeEcho, writeLog } from './output.js';
import { processState, STATUS } from './ProcessState.js';
import { usage } from './screens/usage.js';
import { settings } from './Settings.js';
import type { startRow } from './startRow.js';

/*
 * The only file that knows all three kinds of process: the command that somebody types, the master, and the worker
 * processes. All of them run the same script; here their ways part.
 */

/** A Worker as all three see it. */
export type AnyWorker = ServedWorker & SupervisedWorker & Parameters<typeof startRow>[0];

/** @param workers all Workers of the script; in a worker process, the list is cut down to its own */
export function runAll(workers: AnyWorker[], keepOnly: (worker: ServedWorker) => void): void {
  const service = settleFiles();
  if (role.kind === 'worker') {
    WorkerProcess.run(role, { all: () => workers, keepOnly });
  } else if (role.kind === 'daemon') {
    void runDaemon(service, workers);
  } else {
    void runCommand(service, workers);
  }
}

async function runDaemon(service: Service, workers: AnyWorker[]): Promise<void> {
  settings.daemonize = true;
  processState.status = STATUS.STARTING;
  const master = new Master(workers, service.script, service.pidFile, null);
  try {
    await master.start(() => {});
    await master.listening();
    sendToParent({ type: 'started' }, () => process.disconnect?.());
  } catch (error) {
    writeLog(error);
    sendToParent({ type: 'failed', message: formatMessage(error) }, () => process.exit(1));
  }
}

async function runCommand(service: Service, workers: AnyWorker[]): Promise<void> {
  const parsed = parseCommand(process.argv.slice(2), settings.command);
  try {
    const exitCode = await carryOut(parsed, service, workers);
    if (exitCode !== null) process.exit(exitCode);
  } catch (error) {
    writeLog(error, false, true);
    process.exit(1);
  }
}

/** @returns the exit code, or null when this process goes on as the master */
function carryOut(parsed: ParsedCommand, service: Service, workers: AnyWorker[]): Promise<number | null> {
  const { command, graceful } = parsed;
  if (command === 'usage') {
    safeEcho(usage());
    return Promise.resolve(parsed.unknown ? 1 : 0);
  }
  if (parsed.daemon && (command === 'start' || command === 'restart')) settings.daemonize = true;
  announceCommand(parsed, service);
  switch (command) {
    case 'start':
    case 'restart':
      return start(
        service,
        { restart: command === 'restart', graceful, quiet: parsed.quiet },
        workers,
        async (_service, lock, announce) => {
          processState.status = STATUS.STARTING;
          await new Master(workers, service.script, service.pidFile, lock).start(announce);
        },
      );
    case 'stop':
      return stop(service, graceful);
    case 'reload':
      return reload(service, graceful);
    case 'status':
      return status(service, parsed.daemon, parsed.json);
    case 'connections':
      return connections(service, parsed.json);
  }
}

/** The first line of every command; where a program reads the output, in the log file only. */
function announceCommand({ command, json }: ParsedCommand, { script }: Service): void {
  const mode = command === 'start' ? ` in ${settings.daemonize ? 'DAEMON' : 'DEBUG'} mode` : '';
  const line = `Workerman[${script}] ${command}${mode}`;
  if (json) writeLog(line, false, false);
  else say(line);
}
