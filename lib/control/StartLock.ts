import { linkSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { WorkermanError } from '../../errors.js';
import { isProcessAlive, processStart } from './processes.js';

/*
 * A lock is a file with its owner's token in it: pid, start time of that process, and a random part. The file appears
 * with its content at once (a link to a file written before), so nobody ever sees half a token, and only one process
 * can make it appear.
 *
 * The owner may die. To take the lock over, a process must be sure that the file it replaces is still the dead owner's
 * and not that of somebody who was quicker. So it first takes a second lock whose name contains a hash of the dead
 * token: all who want to replace that very token meet there, only one passes at a time, and it looks again before it
 * replaces. That second lock can be orphaned as well and is then taken over in the same way.
 */

/** An unreadable lock file may be one that is just being written, on a file system without links; in milliseconds. */
const WRITING_TIME = 2_000;

/** Orphans of orphans; each one is a process that died within the same few microseconds. */
const DEPTH = 8;

/** Times that the lock may vanish under our eyes before we call it taken. */
const ATTEMPTS = 20;

const POLL_INTERVAL = 10;

/** Random parts are below this. */
const RANDOM = 2 ** 48;

/** Tokens of this process: its own pid in a lock file means nothing after a restart under the same pid. */
const held = new Set<string>();

/** Makes a second name for a file; replaced in tests. */
type Link = (existing: string, path: string) => void;

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Told apart is all that tokens need to be: nobody gains by guessing one. */
function newToken(): string {
  const random = Math.floor(Math.random() * RANDOM).toString(16);
  return `${process.pid} ${processStart(process.pid)} ${random}`;
}

function readToken(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Creates a file with its content at once, or as good as that where the file system has no links. */
function publish(path: string, token: string, link: Link): boolean {
  const draft = writeDraft(path, token);
  try {
    link(draft, path);
    return true;
  } catch (error) {
    return errorCode(error) === 'EEXIST' ? false : createDirectly(path, token);
  } finally {
    unlinkSync(draft);
  }
}

function createDirectly(path: string, token: string): boolean {
  try {
    writeFileSync(path, token, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeDraft(path: string, token: string): string {
  const draft = `${path}.${token.replaceAll(' ', '-')}`;
  writeFileSync(draft, token, { flag: 'wx', mode: 0o644 });
  return draft;
}

function isOwnerAlive(path: string, token: string): boolean {
  const match = /^(\d+) (\d+|-) [0-9a-f]+$/.exec(token);
  if (match === null) {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < WRITING_TIME;
  }
  const pid = Number(match[1]);
  return pid === process.pid ? held.has(token) : isProcessAlive(pid, match[2]);
}

/** Puts our token in the place of a dead one; false when somebody else is doing that or has done it. */
function takeOver(path: string, dead: string, token: string, link: Link, depth: number): boolean {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const breaker = `${path}.${createHash('sha256').update(dead).digest('hex').slice(0, 12)}`;
  const breakerToken = lock(breaker, link, depth + 1);
  if (breakerToken === null) return false;
  try {
    if (readToken(path) !== dead) return false;
    renameSync(writeDraft(path, token), path);
    return true;
  } finally {
    unlock(breaker, breakerToken);
  }
}

/** Takes the lock; the token, or `null` when a living process has it. */
function lock(path: string, link: Link, depth: number): string | null {
  const token = newToken();
  for (let attempt = 0; attempt < ATTEMPTS && depth < DEPTH; attempt++) {
    if (tryOnce(path, token, link, depth)) {
      held.add(token);
      return token;
    }
    const there = readToken(path);
    if (there !== null && isOwnerAlive(path, there)) return null;
  }
  return null;
}

function tryOnce(path: string, token: string, link: Link, depth: number): boolean {
  if (publish(path, token, link)) return true;
  const there = readToken(path);
  if (there === null || isOwnerAlive(path, there)) return false;
  return takeOver(path, there, token, link, depth);
}

function unlock(path: string, token: string): void {
  held.delete(token);
  if (readToken(path) === token) unlinkSync(path);
}

const SUFFIX = '.lock';

/**
 * Held by a process while it starts a service, so that of two commands at the same moment one starts and the other
 * finds the service running. The lock of a process that died is no obstacle.
 */
export class StartLock {
  /** The lock file: `<pidFile>.lock`. It exists only while the lock is held, or after its holder was killed. */
  readonly path: string;
  readonly #link: Link;
  #token: string | null = null;

  /**
   * @param pidFile path of the service's pid file
   * @param link how a file gets a second name; an exception other than `EEXIST` means that it can not be done
   */
  constructor(pidFile: string, link: Link = linkSync) {
    this.path = resolve(pidFile) + SUFFIX;
    this.#link = link;
  }

  /**
   * Takes the lock if it is free or its holder is dead. Does not wait.
   *
   * @returns false when a living process holds it (this one through another object included)
   * @throws WorkermanError WM_PID_FILE when the lock file can not be made or read
   */
  tryAcquire(): boolean {
    if (this.#token !== null) return true;
    try {
      this.#token = lock(this.path, this.#link, 0);
    } catch (cause) {
      // What Workerman says of a missing folder: it has no lock that could fail before.
      throw new WorkermanError('WM_PID_FILE', `can not save pid to ${this.path.slice(0, -SUFFIX.length)}`, { cause });
    }
    return this.#token !== null;
  }

  /**
   * Waits for the lock.
   *
   * @param timeout seconds, `Infinity` for as long as it takes
   * @returns false when the time was over first
   * @throws WorkermanError WM_PID_FILE as {@link tryAcquire}
   */
  async acquire(timeout: number = Infinity): Promise<boolean> {
    const end = process.uptime() + timeout;
    while (!this.tryAcquire()) {
      if (process.uptime() >= end) return false;
      await new Promise((wake) => setTimeout(wake, POLL_INTERVAL));
    }
    return true;
  }

  /** Gives the lock back and removes its file. Nothing happens when it is not held. Never throws. */
  release(): void {
    if (this.#token === null) return;
    try {
      unlock(this.path, this.#token);
    } catch {
      // The folder is gone or no longer ours: nobody can be kept waiting by a file there.
    }
    this.#token = null;
  }
}
