import { lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { WorkermanError } from '../../errors.js';
import { MAX_UNIX_PATH } from '../SocketName.js';

/** The file that holds the master's process id, so that later commands find the service. */
export class PidFile {
  /** The full path. */
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /**
   * The process id in the file; 0 when there is no file or no such number in it. Strict on purpose: `kill` takes a
   * negative number for a whole group of processes.
   */
  read(): number {
    try {
      const text = readFileSync(this.path, 'latin1').trim();
      return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
    } catch {
      return 0;
    }
  }

  /**
   * Writes the process id in decimal, without a line feed; a new file gets mode 0644 less the umask.
   *
   * @throws WorkermanError WM_PID_FILE
   */
  write(pid: number = process.pid): void {
    try {
      writeFileSync(this.path, String(pid), { mode: 0o644 });
    } catch (cause) {
      throw new WorkermanError('WM_PID_FILE', `can not save pid to ${this.path}`, { cause });
    }
  }

  /**
   * Removes the file if it still holds our process id: it may belong to a service that was started since.
   *
   * @returns true when the file was removed
   */
  remove(pid: number = process.pid): boolean {
    if (this.read() !== pid) return false;
    try {
      unlinkSync(this.path);
      return true;
    } catch {
      return false;
    }
  }
}

/** Folder for the sockets of one user, which nobody else may look into. */
function privateFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `workerman-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new Error(`${folder} is not a folder that belongs to us alone`);
  }
  return folder;
}

/**
 * Path of the control socket of the service with this pid file: `<pidFile>.sock`. When that is too long for a socket,
 * one in a private folder below `os.tmpdir()`, named after the full path of the pid file; the folder is made, and
 * checked, because somebody else may have put one there to speak with our commands.
 *
 * @throws WorkermanError WM_PID_FILE when that folder can not be used or its path is too long as well
 */
export function controlSocketPath(pidFile: string): string {
  const full = resolve(pidFile);
  const beside = `${full}.sock`;
  if (Buffer.byteLength(beside) <= MAX_UNIX_PATH) return beside;
  const { createHash } = process.getBuiltinModule('node:crypto');
  const name = createHash('sha256').update(full).digest('hex').slice(0, 24);
  try {
    const short = join(privateFolder(), `${name}.sock`);
    if (Buffer.byteLength(short) > MAX_UNIX_PATH) throw new Error(`${short} is too long for a socket`);
    return short;
  } catch (cause) {
    throw new WorkermanError('WM_PID_FILE', `can not make a control socket for ${full}`, { cause });
  }
}
