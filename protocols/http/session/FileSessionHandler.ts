import { mkdirSync } from 'node:fs';
import { lstat, opendir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { WorkermanError } from '../../../errors.js';
import type { SessionHandlerInterface } from './SessionHandlerInterface.js';
import { isUsableSessionId } from './sessionId.js';
import { sessionSettings } from './sessionSettings.js';

/** Settings of {@link FileSessionHandler}. */
export interface FileSessionConfig {
  /** Folder of the files; made when it is missing. Default: the system's folder for temporary files. */
  save_path?: string;
}

const PREFIX = 'session_';

/** Bytes that the usual file systems allow in a name. */
const MAX_NAME = 255;

const MISSING = new Set(['ENOENT', 'ENOTDIR']);

let savePath = '';

/**
 * Sessions as files, `session_<id>` in one folder, which all processes share. Files are readable by their owner only
 * (0600) and replaced in one step, so that nobody reads half of one.
 *
 * A client may choose an id too long for a file name: such a session is never stored.
 */
export class FileSessionHandler implements SessionHandlerInterface {
  /**
   * Made by `Session` when a store is first needed.
   *
   * @param config `save_path`, as for {@link sessionSavePath}; null: the folder stays as it is
   */
  constructor(config: FileSessionConfig | null = null) {
    if (config?.save_path) FileSessionHandler.sessionSavePath(config.save_path);
  }

  /** Sets the folder to the system's for temporary files. */
  static init(): void {
    FileSessionHandler.sessionSavePath(tmpdir());
  }

  /**
   * Sets the folder of all file sessions of this process and makes it (0700), with its parents, when it is missing.
   * @returns the path with a separator at its end; `''` changes nothing
   */
  static sessionSavePath(path: string): string {
    if (path === '') return path;
    savePath = path.endsWith('/') || path.endsWith(sep) ? path : path + sep;
    mkdirSync(savePath, { recursive: true, mode: 0o700 });
    return savePath;
  }

  /** Nothing to do. */
  open(_savePath: string, _name: string): boolean {
    return true;
  }

  /** Nothing to do. */
  close(): boolean {
    return true;
  }

  /** The contents, or false. A file older than `Session.lifetime` is deleted. */
  async read(id: string): Promise<string | false> {
    const path = pathOf(id);
    if (path === null) return false;
    try {
      const { mtimeMs } = await stat(path);
      if (isOlder(mtimeMs, sessionSettings.lifetime)) {
        await unlink(path);
        return false;
      }
      const data = await readFile(path, 'utf8');
      return data === '' || data === '0' ? false : data;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Writes the file in one step. @returns false, with nothing written, for empty data and for an id that is too long */
  async write(id: string, data: string): Promise<boolean> {
    const path = pathOf(id);
    if (path === null || data === '') return false;
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    // No id has a dot in it; with the prefix, the collection of old files finds it should it be left behind.
    const temporary = join(folder(), `${PREFIX}.${randomBytes(16).toString('hex')}`);
    try {
      await writeFile(temporary, data, { mode: 0o600, flag: 'wx' });
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    }
    return true;
  }

  /** Deletes the file. @returns true, also when there was nothing */
  async destroy(id: string): Promise<boolean> {
    const path = pathOf(id);
    if (path !== null) await unlinkIfThere(path);
    return true;
  }

  /** Deletes every file of a session that was last written more than `maxLifetime` seconds ago. */
  async gc(maxLifetime: number): Promise<boolean> {
    for await (const { name } of await opendir(folder())) {
      if (name.startsWith(PREFIX)) await removeIfOlder(join(folder(), name), maxLifetime);
    }
    return true;
  }

  /** Sets the time of the file to now. @returns false when there is no such file */
  async updateTimestamp(id: string, _data: string = ''): Promise<boolean> {
    const path = pathOf(id);
    if (path === null) return false;
    const now = new Date();
    try {
      await utimes(path, now, now);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }
}

const folder = (): string => (savePath === '' ? tmpdir() : savePath);

/**
 * Where a session lies; null for an id that no file can be named after.
 * @throws WorkermanError `WM_SESSION` for an id that would mean something in a path
 */
function pathOf(id: string): string | null {
  if (!isUsableSessionId(id)) throw new WorkermanError('WM_SESSION', 'The id of a session is not valid');
  const name = PREFIX + id;
  return name.length > MAX_NAME ? null : join(folder(), name);
}

/** In whole seconds, as Workerman counts. */
const isOlder = (mtimeMs: number, seconds: number): boolean =>
  Math.floor(Date.now() / 1000) - Math.floor(mtimeMs / 1000) > seconds;

const isMissing = (error: unknown): boolean => MISSING.has((error as NodeJS.ErrnoException).code ?? '');

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** What can not be looked at or removed belongs to somebody else. */
async function removeIfOlder(path: string, seconds: number): Promise<void> {
  try {
    const stats = await lstat(path);
    if (stats.isFile() && isOlder(stats.mtimeMs, seconds)) await unlink(path);
  } catch {}
}
