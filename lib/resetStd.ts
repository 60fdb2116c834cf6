import { closeSync, openSync } from 'node:fs';
import { Settings } from './Settings.js';

type FileStream = NodeJS.WriteStream & { fd: number };

let opened: number | null = null;

/**
 * Daemon only: opens stdout and stderr anew on `Worker.stdoutFile`, so that a log rotation that has moved the file
 * away gets its new one. The streams of this process are pointed at a new descriptor; descriptors 1 and 2, which
 * programs started from here inherit, stay what they were when this process started. A file that can not be opened
 * changes nothing.
 */
export function resetStd(): void {
  if (!Settings.daemonize) return;
  let fd: number;
  try {
    fd = openSync(Settings.stdoutFile, 'a', 0o644);
  } catch {
    return;
  }
  (process.stdout as FileStream).fd = fd;
  (process.stderr as FileStream).fd = fd;
  if (opened !== null) closeSync(opened);
  opened = fd;
}

/** What a worker process gets as its stdout and stderr: the file that was opened last, or what this process has. */
export function outputForChild(): number | 'inherit' {
  return opened ?? 'inherit';
}
