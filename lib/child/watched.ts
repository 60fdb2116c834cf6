// Runs in a worker process whose code is watched, before its script: `node --import`.
import { sendToParent } from '../control/ipc.js';
import { failureReport, failureText } from '../failure.js';

/*
 * A script that can not be loaded never comes to runAll(), so somebody else has to tell the master what is wrong with
 * it. Whoever listens to the same event, the script or this package, takes over from here.
 */

function notLoaded(error: unknown): void {
  const text = failureText(error);
  // Node knows the place of some errors that do not say it themselves: let it print them.
  process.off('uncaughtException', notLoaded);
  const end = (): void => {
    if (text === null) throw error;
    process.exit(1);
  };
  if (text !== null) process.stderr.write(`${text}\n`);
  sendToParent({ type: 'failed', ...failureReport(error) }, end);
}

function stepBack(event: string | symbol): void {
  if (event !== 'uncaughtException') return;
  process.off('newListener', stepBack);
  process.off('uncaughtException', notLoaded);
}

process.on('uncaughtException', notLoaded);
process.on('newListener', stepBack);

// What this process forks is not watched.
const at = process.execArgv.indexOf(import.meta.url);
if (at > 0) process.execArgv.splice(at - 1, 2);
