// Runs in the master, with `start --watch`.
import { createHash } from 'node:crypto';
import { readFileSync, statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';

/** Nothing of the files may have moved for so long: editors write in several steps, compilers several files. */
const QUIET_MS = 80;
/** How often the files are looked at without a hint. */
const LOOK_MS = 1000;

interface Seen {
  /** Hash of the content; `''` for a file that is not there. */
  hash: string;
  /** Changes whenever the content may have changed. */
  stamp: string;
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

function hashOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('base64');
  } catch {
    return '';
  }
}

/**
 * Tells when the content of files has changed.
 *
 * The system's notices say at once that something has happened in a folder, and are no more than a hint: they are not
 * reliable on every file system, and end when a folder is removed and made anew (`rm -rf dist`, then the compiler). So
 * the files are looked at once a second besides. What counts is the hash: a file that was only touched, or saved
 * without a change, has not changed. A file that is away has not changed either, until it is back.
 */
export class WatchedFiles {
  readonly #changed: (paths: string[]) => void;
  readonly #files = new Map<string, Seen>();
  readonly #folders = new Map<string, { inode: number; watcher: FSWatcher }>();
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Timeout | null = null;

  /** @param changed gets the paths of files whose content is another than before */
  constructor(changed: (paths: string[]) => void) {
    this.#changed = changed;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Watches more files, beginning with what they hold now. Those that are known already are left as they are. */
  add(paths: readonly string[]): void {
    const fresh = paths.filter((path) => !this.#files.has(path));
    for (const path of fresh) this.#files.set(path, { stamp: stampOf(path), hash: hashOf(path) });
    for (const folder of new Set(fresh.map((path) => dirname(path)))) this.#watchFolder(folder);
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#soon !== null) clearTimeout(this.#soon);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /** Watching the folder, not the file: editors put a new file in the place of the old one. */
  #watchFolder(folder: string): void {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino ?? 0;
    const known = this.#folders.get(folder);
    if (known?.inode === inode) return;
    known?.watcher.close();
    this.#folders.delete(folder);
    if (inode === 0) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => this.#hint(folder, name));
      watcher.on('error', () => watcher.close());
      this.#folders.set(folder, { inode, watcher });
    } catch {
      // The system gives no more of them: looking will do.
    }
  }

  /** Logs and other files in the same folder are written all the time. */
  #hint(folder: string, name: string | null): void {
    if (name === null || this.#files.has(join(folder, name))) this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#compare(), QUIET_MS);
  }

  #look(): void {
    for (const folder of new Set([...this.#files.keys()].map((path) => dirname(path)))) this.#watchFolder(folder);
    for (const [path, { stamp }] of this.#files) {
      if (stampOf(path) !== stamp) return this.#lookSoon();
    }
  }

  #compare(): void {
    this.#soon = null;
    const changed = [...this.#files].filter(([path, seen]) => this.#hasChanged(path, seen)).map(([path]) => path);
    if (changed.length > 0) this.#changed(changed);
  }

  #hasChanged(path: string, seen: Seen): boolean {
    const stamp = stampOf(path);
    if (stamp === seen.stamp) return false;
    seen.stamp = stamp;
    const hash = hashOf(path);
    if (hash === '' || hash === seen.hash) return false;
    seen.hash = hash;
    return true;
  }
}
