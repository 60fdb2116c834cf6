import {
  closeSync, constants, existsSync, fchmodSync, fchownSync, fstatSync, mkdirSync, openSync, readlinkSync, readSync,
  realpathSync, renameSync, statSync, unlinkSync, writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/*
 * Several processes write into one file, Node knows no flock(), and a process may be killed at any point. So nobody
 * waits for anybody:
 *
 * - A line is appended by one write to a descriptor in append mode, which the system does not mix with others.
 * - `<file>.tmp`, created exclusively, is both the lock of the cut and the new content: whoever created it copies the
 *   second half of the file into it and renames it over the file, which publishes the result and ends the lock at
 *   once. Whoever finds it there leaves the cut to its owner. One that is older than any cut can take was left by a
 *   process that died, and is removed.
 * - A process that opened the file before the rename may write after it, into the file that is gone. The cutter puts
 *   a seal at the end of that file and then moves what stands between its copy and the seal. A writer that finds its
 *   file replaced looks where its line stands: before the seal the cutter cares for it, behind it the writer does. It
 *   does so when the cutter has said that all is moved, so that its next line does not get in front of this one; a
 *   cutter that does not say so in time may be dead.
 */

/** Ends a file that was replaced. The zero byte keeps it apart from messages; the text is for a reader with `tail`. */
const SEAL = Buffer.from('\0this file was cut, a new one takes its place\n');

/** Stands behind the seal when everything in front of it has been moved. */
const MOVED = Buffer.from('\0moved\n');

/** Milliseconds for which a writer waits for that; moving takes a fraction of one. */
const PATIENCE = 100;

/** Age in milliseconds at which a `<file>.tmp` has no living owner; a cut takes a fraction of it. */
const STALE_AFTER = 10_000;

/** Bytes copied at a time. */
const CHUNK = 1 << 20;

const NEWLINE = 10;

/** Descriptors can be compared by this: two that are equal in it are one file. */
interface FileId {
  ino: number;
  dev: number;
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** True when the path names the very file that the descriptor has open. */
function isAt(fd: number, path: string): boolean {
  const there: FileId | undefined = statSync(path, { throwIfNoEntry: false });
  const here: FileId = fstatSync(fd);
  return there !== undefined && there.ino === here.ino && there.dev === here.dev;
}

function writeAll(fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done);
  }
}

/** The bytes from `start` to `end`; fewer when the file is shorter. */
function readRange(fd: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, end - start));
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Waits until everything that the file held has gone to the one in its place, or a moment. */
function awaitMove(fd: number): void {
  const start = performance.now();
  // Of a large file, what was looked at is not read again each time.
  for (let from = 0; ;) {
    const { size } = fstatSync(fd);
    // Lines that came too late to be moved may stand behind it.
    if (readRange(fd, from, size).includes(MOVED) || performance.now() - start >= PATIENCE) return;
    from = Math.max(from, size - MOVED.length);
    Atomics.wait(sleeper, 0, 0, 1);
  }
}

/** Position after the first line feed at or after `start`; `end` when there is none before it. */
function afterNextLine(fd: number, start: number, end: number): number {
  for (let position = start; position < end; position += CHUNK) {
    const index = readRange(fd, position, Math.min(end, position + CHUNK)).indexOf(NEWLINE);
    if (index >= 0) return position + index + 1;
  }
  return end;
}

/** Position after the last line feed from `start` to `end`: behind it may stand a line that is still being written. */
function afterLastLine(fd: number, start: number, end: number): number {
  const from = Math.max(start, end - CHUNK);
  const index = readRange(fd, from, end).lastIndexOf(NEWLINE);
  return index >= 0 ? from + index + 1 : start;
}

/** Creates a file that does not exist, open for appending; `null` when it exists. */
function createExclusively(path: string): number | null {
  try {
    return openSync(path, 'ax', 0o644);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return null;
    throw error;
  }
}

/**
 * Removes a file that its owner left behind when it died. Of several processes that notice, one removes it: the one
 * that creates a file named after this very leftover, so that a newer file of the same name is never taken for it.
 */
function removeStale(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || Math.abs(Date.now() - found.mtimeMs) < STALE_AFTER) return;
  const mine = `${path}.${found.ino}-${Math.floor(found.mtimeMs)}`;
  const fd = createExclusively(mine);
  if (fd === null) {
    removeStale(mine);
    return;
  }
  try {
    const again = statSync(path, { throwIfNoEntry: false });
    if (again?.ino === found.ino && again.mtimeMs === found.mtimeMs) unlinkSync(path);
  } finally {
    closeSync(fd);
    unlinkSync(mine);
  }
}

/*
 * Whoever asks a Date for its local time makes V8 load its tables of all time zones: a millisecond, and half a megabyte
 * for as long as the process lives. Every process that logs a line would do so. Servers mostly keep UTC, and there the
 * question is not needed.
 */

/** The names by which the zone database calls UTC. */
const UTC = /^(Etc\/)?(UTC|UCT|Universal|Zulu)$/;

let systemIsUtc: boolean | null = null;

/** Whether the system's zone is UTC, as far as it says so by a link to the zone database. */
function askSystem(): boolean {
  try {
    return UTC.test(readlinkSync('/etc/localtime').replace(/^.*\/zoneinfo\//, ''));
  } catch {
    return false;
  }
}

/** False when the zone is another one, or when that is not known for certain. */
function isUtc(): boolean {
  // The variable may change at any time, and Node follows it.
  const { TZ: zone } = process.env;
  return zone === undefined ? (systemIsUtc ??= askSystem()) : UTC.test(zone);
}

/** Year, month, day, hour, minute, second. */
function partsOf(date: Date): readonly number[] {
  // Not toISOString(), which loads what is to be spared.
  return isUtc()
    ? [
        date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(),
        date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(),
      ]
    : [
        date.getFullYear(), date.getMonth() + 1, date.getDate(),
        date.getHours(), date.getMinutes(), date.getSeconds(),
      ];
}

/** Local time as `YYYY-MM-DD HH:MM:SS`. */
export function localTime(date: Date): string {
  const [year = '', ...others] = partsOf(date).map((part, i) => String(part).padStart(i === 0 ? 4 : 2, '0'));
  return `${year}-${others.slice(0, 2).join('-')} ${others.slice(2).join(':')}`;
}

/**
 * The log file, which every process of a service appends to, and which never grows far beyond its limit: as in
 * Workerman it is then cut to its second half. Works synchronously, because a process often logs when it is about to
 * exit. Nothing here throws: a service does not fall over its log.
 */
export class Log {
  readonly #file: string;
  readonly #maxSize: number;
  readonly #real: boolean;

  /**
   * @param file path; `/dev/null` and names with `://` stand for no file at all
   * @param maxSize bytes above which the file is cut; 0 means never, and so does a device (`/dev/stdout`)
   */
  constructor(file: string, maxSize: number) {
    this.#real = file !== '/dev/null' && !file.includes('://');
    this.#file = this.#real ? resolve(file) : file;
    this.#maxSize = this.#file.startsWith('/dev/') ? 0 : maxSize;
  }

  /**
   * Makes the file (mode 0644 whatever the umask) and missing folders (mode 0777 less the umask).
   *
   * @returns false when it does not exist afterwards
   */
  create(): boolean {
    if (!this.#real) return true;
    try {
      if (existsSync(this.#file)) return true;
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o777 });
      const { O_WRONLY, O_APPEND, O_CREAT } = constants;
      const fd = openSync(this.#file, O_WRONLY | O_APPEND | O_CREAT, 0o644);
      fchmodSync(fd, 0o644);
      closeSync(fd);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Appends one line, `YYYY-MM-DD HH:MM:SS pid:<pid> <message>` in local time. The message is trimmed at both ends;
   * line feeds inside it stay. Makes the file when somebody removed it.
   *
   * @returns false when the line could not be written
   */
  append(message: string, pid: number = process.pid, now: Date = new Date()): boolean {
    if (!this.#real) return true;
    try {
      this.#write(Buffer.from(`${localTime(now)} pid:${pid} ${message.trim()}\n`));
      return true;
    } catch {
      return false;
    }
  }

  #write(bytes: Buffer): void {
    let tooLarge = false;
    let lost = true;
    while (lost) {
      const fd = this.#open();
      try {
        writeAll(fd, bytes);
        lost = this.#maxSize > 0 && this.#isLost(fd, bytes);
        tooLarge = this.#maxSize > 0 && fstatSync(fd).size > this.#maxSize;
      } finally {
        closeSync(fd);
      }
    }
    if (tooLarge) this.#cut();
  }

  /** Readable too if possible, for {@link #isLost}; a file that others may only write to is good enough. */
  #open(): number {
    const { O_RDWR, O_WRONLY, O_APPEND } = constants;
    try {
      return openSync(this.#file, O_RDWR | O_APPEND);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') this.create();
    }
    return openSync(this.#file, O_WRONLY | O_APPEND);
  }

  /** True when the bytes went into a file that was replaced, too late for the cutter to move them. */
  #isLost(fd: number, bytes: Buffer): boolean {
    try {
      if (isAt(fd, this.#file)) return false;
      awaitMove(fd);
      const content = readRange(fd, 0, fstatSync(fd).size);
      const seal = content.lastIndexOf(SEAL);
      return seal >= 0 && content.includes(bytes, seal + SEAL.length);
    } catch {
      return false;
    }
  }

  /** Cuts the file unless somebody else does; a cut that fails leaves it as it is, for the next line to try again. */
  #cut(): void {
    try {
      const file = realpathSync(this.#file);
      if (!statSync(file).isFile()) return;
      const temporary = `${file}.tmp`;
      const fresh = createExclusively(temporary);
      if (fresh === null) {
        removeStale(temporary);
        return;
      }
      this.#cutInto(fresh, temporary, file);
    } catch {
      // Not permitted, disk full, or gone: the file stays as it is.
    }
  }

  #cutInto(fresh: number, temporary: string, file: string): void {
    let published = false;
    const old = openSync(file, constants.O_RDWR | constants.O_APPEND);
    try {
      const copiedTo = this.#copyHalf(old, fresh);
      // Not ours any more when we stood still for so long that somebody took us for dead.
      if (copiedTo === null || !isAt(fresh, temporary)) return;
      renameSync(temporary, file);
      published = true;
      writeAll(old, SEAL);
      const late = readRange(old, copiedTo, fstatSync(old).size);
      const end = late.lastIndexOf(SEAL);
      if (end > 0) this.#write(late.subarray(0, end));
      writeAll(old, MOVED);
    } finally {
      closeSync(old);
      if (!published && isAt(fresh, temporary)) unlinkSync(temporary);
      closeSync(fresh);
    }
  }

  /**
   * Copies the full lines behind the middle byte.
   *
   * @returns position in the old file up to which it was copied; `null` when the file is not too large after all
   */
  #copyHalf(old: number, fresh: number): number | null {
    const { size, mode, uid, gid } = fstatSync(old);
    if (size <= this.#maxSize) return null;
    keepOwner(fresh, mode, uid, gid);
    const start = afterNextLine(old, Math.floor(size / 2), size);
    const end = afterLastLine(old, start, size);
    for (let position = start; position < end; position += CHUNK) {
      writeAll(fresh, readRange(old, position, Math.min(end, position + CHUNK)));
    }
    return end;
  }
}

/** The new file is for whom the old one was. Only root can give a file away; others keep it as their own. */
function keepOwner(fd: number, mode: number, uid: number, gid: number): void {
  fchmodSync(fd, mode & 0o777);
  try {
    fchownSync(fd, uid, gid);
  } catch {
    // A process with fewer rights cuts a file that it may write to: the mode lets the others go on as before.
  }
}
