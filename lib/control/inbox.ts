// Runs in a worker process.
import { unwrap, type ToWorker } from './ipc.js';
import { role } from './role.js';

/*
 * The master may speak before the script has come to its last line: a stop while a worker process is still reading
 * modules. So somebody listens from the import on and keeps what comes. It also listens on when user code removes all
 * listeners of 'message', which it shares with us.
 */

/** Gets the messages of the master, and what travels with them. */
export type InboxReader = (message: ToWorker, handle: unknown) => void;

const waiting: [message: ToWorker, handle: unknown][] = [];
let reader: InboxReader | null = null;

function receive(raw: unknown, handle: unknown): void {
  const message = unwrap<ToWorker>(raw);
  if (message === null) return;
  if (reader === null) waiting.push([message, handle]);
  else reader(message, handle);
}

if (role.kind === 'worker') {
  process.on('message', receive);
  process.on('removeListener', (event: string | symbol, listener: unknown) => {
    if (event === 'message' && listener === receive) process.on('message', receive);
  });
  // A script that never comes to runAll() must not be held up.
  process.channel?.unref();
}

/** Hands `read` what has come so far, and from now on everything. From here on the channel keeps the process alive. */
export function readInbox(read: InboxReader): void {
  process.channel?.ref();
  reader = read;
  for (const [message, handle] of waiting.splice(0)) read(message, handle);
}
