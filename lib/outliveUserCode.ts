// Runs in the master and in the processes of commands.
import { formatMessage } from './logText.js';
import { writeLog } from './output.js';
import { processState } from './ProcessState.js';
import { Settings } from './Settings.js';

/**
 * Code above `runAll()` runs here too, with all that it has set going: a lost database connection, a rejected promise.
 * It must not take the service down, nor the command that stops it; what happened is said, as of the master's timers. A
 * command says it on stderr: some program may be reading what it prints.
 */
export function outliveUserCode(): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      if (process.listenerCount(event) > 1) return;
      const isMaster = processState.controller !== null;
      if (!isMaster) process.stderr.write(`${formatMessage(error)}\n`);
      writeLog(error, false, isMaster && !Settings.daemonize);
    });
  }
}
