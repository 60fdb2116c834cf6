// Runs in the master.
import { isThenable } from '../../connection/ConnectionInterface.js';
import { formatMessage } from '../logText.js';
import { writeLog } from '../output.js';

/**
 * Calls a hook of the user, whose result nobody waits for. What it throws, or rejects with, is logged and forgotten.
 *
 * @param label stands before the error in the log
 */
export function callHook(label: string, hook: () => unknown): void {
  const failed = (error: unknown): void => writeLog(`${label} ${formatMessage(error)}`);
  try {
    const result = hook();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
