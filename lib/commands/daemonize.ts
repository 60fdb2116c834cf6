// Runs in the command process.
import { closeSync, openSync } from 'node:fs';
import { unwrap, type ToStarter } from '../control/ipc.js';
import { environmentFor, execArgvForChild } from '../control/role.js';
import { processState } from '../ProcessState.js';
import { Settings } from '../Settings.js';
import { startScript } from '../startScript.js';

/**
 * Starts the master in a session of its own, with its output in `Worker.stdoutFile`, and waits until clients can
 * connect.
 *
 * @returns null, or why it failed
 */
export async function daemonize(): Promise<string | null> {
  let output: number;
  try {
    output = openSync(Settings.stdoutFile, 'a', 0o644);
  } catch (error) {
    return `can not open ${Settings.stdoutFile}: ${(error as Error).message}`;
  }
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, [...execArgvForChild(), processState.startFile, ...processState.startWords], {
    argv0: `WorkerMan: master process  start_file=${startScript()}`,
    cwd: processState.startFolder,
    detached: true,
    env: environmentFor({ kind: 'daemon' }),
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  return new Promise((resolve) => {
    child.on('message', (raw) => {
      const message = unwrap<ToStarter>(raw);
      if (message === null) return;
      child.disconnect();
      child.unref();
      resolve(message.type === 'started' ? null : message.message);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(`the background process ended early (${signal ?? code})`));
  });
}
