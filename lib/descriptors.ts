import type { Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { HandleWire } from '../connection/wire/HandleWire.js';

/** So many of the process's descriptors, and no more than a quarter of them, are not for clients. */
const SPARE = 32;
const SPARE_PART = 4;

let most: number | null = null;

/**
 * True for a connection that would have to be served out of the last few descriptors that this process may have open.
 * Those are for files, sessions, uploads, the log and databases: otherwise whoever opens connections enough makes the
 * requests of all others fail. The system gives the lowest number that is free, so the number says how many are taken.
 */
export function needsSpareDescriptor(socket: Socket | HandleWire): boolean {
  most ??= mostForClients(readLimit());
  const fd = socket instanceof HandleWire ? socket.fd : (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;
  return fd !== undefined && fd >= most;
}

/** From this number on descriptors are spare, where the process may have `limit`. */
export function mostForClients(limit: number): number {
  return limit - Math.min(SPARE, Math.floor(limit / SPARE_PART));
}

/** `ulimit -n`; Infinity where it can not be read, and the system alone decides. */
function readLimit(): number {
  try {
    const soft = /^Max open files +([0-9]+) /m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
