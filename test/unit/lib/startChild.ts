import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a process that runs a piece of JavaScript as a module, and waits until it has sent its first message. It can
 * import our TypeScript by file URL and has an IPC channel.
 */
export async function startChild(code: string): Promise<ChildProcess> {
  const options = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([status, signal]) => {
    throw new Error(`the process ended before it was ready: ${status ?? signal}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return child;
}

/** Sends a message and waits for the next one that comes back. */
export async function ask(child: ChildProcess, message: object): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

/** Kills processes that still run, and waits until they have gone. */
export async function endChildren(children: ChildProcess[]): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
