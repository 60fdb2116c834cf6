import './control/inbox.js';
import type { ServedWorker } from './child/WorkerProcess.js';
import type { CommandWorker } from './commands/runCommand.js';
import { sendToParent } from './control/ipc.js';
import { role } from './control/role.js';
import { formatMessage } from './logText.js';
import type { SupervisedWorker } from './master/SupervisedWorker.js';
import { outliveUserCode } from './outliveUserCode.js';
import { exitWhenWritten, outliveOutput, writeLog } from './output.js';
import { processState, STATUS } from './ProcessState.js';
import { Settings } from './Settings.js';
import type { EventLoopClass } from '../timer/EventInterface.js';

/*
 * The only file that knows all three kinds of process: the command that somebody types, the master, and the worker
 * processes. All of them run the same script; here their ways part, and each loads what it needs itself.
 */

/** A Worker as all three see it. */
export type AnyWorker = ServedWorker & SupervisedWorker & CommandWorker;

let begun = false;

/**
 * @param workers all Workers of the script
 * @param keepOnly in a worker process: forget the Workers that it has nothing to do with
 */
export function runAll(workers: AnyWorker[], keepOnly: (worker: ServedWorker) => void): void {
  if (begun) return;
  begun = true;
  outliveOutput();
  takeLoopClass();
  if (role.kind !== 'worker') outliveUserCode();
  const ways = {
    worker: () => serve(workers, keepOnly),
    // What is constructed later, in a callback of the master, has no processes.
    daemon: () => runDaemon([...workers]),
    main: () => runMain([...workers]),
  };
  ways[role.kind]().catch((error: unknown) => {
    writeLog(error, false, true);
    exitWhenWritten(role.kind === 'worker' ? 250 : 1);
  });
}

/** Of a loop that the script has made itself only the class is used: each worker process makes its own. */
function takeLoopClass(): void {
  if (Settings.globalEvent === null) return;
  Settings.eventLoopClass = Settings.globalEvent.constructor as EventLoopClass;
  Settings.globalEvent = null;
}

async function serve(workers: AnyWorker[], keepOnly: (worker: ServedWorker) => void): Promise<void> {
  if (role.kind !== 'worker') return;
  const { WorkerProcess } = await import('./child/WorkerProcess.js');
  WorkerProcess.run(role, { all: () => workers, keepOnly });
}

async function runMain(workers: AnyWorker[]): Promise<void> {
  const { runCommand } = await import('./commands/runCommand.js');
  const exitCode = await runCommand(workers, async (service, lock, announce, watch) => {
    const { Master } = await import('./master/Master.js');
    processState.status = STATUS.STARTING;
    await new Master(workers, service.script, service.pidFile, lock).start(announce, watch);
  });
  if (exitCode !== null) exitWhenWritten(exitCode);
}

async function runDaemon(workers: AnyWorker[]): Promise<void> {
  Settings.daemonize = true;
  processState.status = STATUS.STARTING;
  try {
    const [{ Master }, { describeService }] = await Promise.all([
      import('./master/Master.js'),
      import('./commands/service.js'),
    ]);
    const { script, pidFile } = describeService();
    await new Master(workers, script, pidFile, null).start(() => {
      sendToParent({ type: 'started' }, () => process.disconnect?.());
    });
  } catch (error) {
    writeLog(error);
    sendToParent({ type: 'failed', message: formatMessage(error) }, () => process.exit(1));
  }
}
