import { realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** What `Response.fromDirectory` may serve. */
export interface DirectoryOptions {
  /** Also files and folders whose name begins with a dot; false. */
  dotFiles?: boolean;
  /** The file that stands for a directory; `'index.html'`, `''` for none. */
  index?: string;
}

/** What no single name in a directory may have: separators of any system, and what ends or garbles a path. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_NAME = /[/\\\x00-\x1f\x7f]/;

/** A drive, a device or a stream of a file on Windows. */
const isForeign = (name: string): boolean => sep === '\\' && /[:<>"|?*]|[. ]$/.test(name);

/**
 * The file that the path of a URL names below `root`; null for whatever is not to be served.
 *
 * Only one spelling of a path is served: each name is percent-decoded once, after the path has been split, so an encoded
 * slash can not make two names of one. `.` and `..` are refused and not resolved, in whatever spelling. What is found is
 * then asked for its real path, and that has to lie below that of `root` with the same rules for its names: a symbolic
 * link is followed where it stays inside and leads to nothing hidden.
 *
 * @param path with or without a slash at its beginning; one at its end means a directory
 */
export function findInDirectory(root: string, path: string, options: DirectoryOptions = {}): string | null {
  const { dotFiles = false, index = 'index.html' } = options;
  const names = namesOf(path, dotFiles);
  if (names === null) return null;
  try {
    const base = realpathSync.native(root);
    const wantsDirectory = names.at(-1) === '';
    if (wantsDirectory) names.pop();
    const found = resolveBelow(base, join(base, ...names), dotFiles);
    if (found === null) return null;
    const stats = statSync(found);
    if (stats.isFile()) return wantsDirectory ? null : found;
    if (!stats.isDirectory() || index === '') return null;
    const page = resolveBelow(base, join(found, index), dotFiles);
    return page !== null && statSync(page).isFile() ? page : null;
  } catch {
    // Missing, out of reach, a circle of links, too long.
    return null;
  }
}

/** The decoded names, the last one empty for a path that ends with a slash; null when one may not be. */
function namesOf(path: string, dotFiles: boolean): string[] | null {
  const names: string[] = [];
  const parts = (path.startsWith('/') ? path.slice(1) : path).split('/');
  for (const [i, part] of parts.entries()) {
    const name = decodeOnce(part);
    if (name === null || BAD_NAME.test(name) || isForeign(name)) return null;
    if (name === '' ? i < parts.length - 1 : !mayShow(name, dotFiles)) return null;
    names.push(name);
  }
  return names;
}

function decodeOnce(part: string): string | null {
  try {
    return part.includes('%') ? decodeURIComponent(part) : part;
  } catch {
    return null;
  }
}

const mayShow = (name: string, dotFiles: boolean): boolean =>
  name !== '.' && name !== '..' && (dotFiles || !name.startsWith('.'));

/** The real path, when it lies below `base` and shows nothing hidden. */
function resolveBelow(base: string, file: string, dotFiles: boolean): string | null {
  const real = realpathSync.native(file);
  if (real === base) return real;
  const prefix = base.endsWith(sep) ? base : base + sep;
  if (!real.startsWith(prefix)) return null;
  return real.slice(prefix.length).split(sep).every((name) => mayShow(name, dotFiles)) ? real : null;
}
