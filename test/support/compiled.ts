import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * Process tests start hundreds of processes. Under tsx each of them would read and check a hundred TypeScript files;
 * so the sources are translated once, into the JavaScript that npm ships, and kept until one of them changes.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'workerman-ts');
const bundler = join(root, '.ci', 'bundle.mjs');
const SOURCES = ['.ci/bundle.mjs', 'index.ts', 'errors.ts', 'package.json', 'lib', 'connection', 'protocols', 'timer', 'bin'];
/** Older translations than this are removed, in milliseconds; younger ones may be in use. */
const KEEP = 24 * 3_600_000;

function sourceFiles(path: string): string[] {
  const full = join(root, path);
  if (!statSync(full).isDirectory()) return /\.(ts|json|mjs)$/.test(path) ? [path] : [];
  return readdirSync(full).flatMap((name) => sourceFiles(join(path, name)));
}

function translate(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [bundler, join(folder, 'dist')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the sources can not be translated: ${stderr}`);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
}

function removeOld(): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (Date.now() - statSync(path).mtimeMs > KEEP) rmSync(path, { recursive: true, force: true });
  }
}

function compile(): string {
  const files = SOURCES.flatMap(sourceFiles).map((path) => [path, readFileSync(join(root, path), 'utf8')]);
  const hash = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  const folder = join(cache, hash);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  translate(draft);
  removeOld();
  try {
    renameSync(draft, folder);
  } catch {
    // Somebody else was quicker with the same.
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

let folder: string | null = null;

/** URL of the package in JavaScript, made from the sources as they are now. */
export function compiledPackage(): string {
  folder ??= compile();
  return pathToFileURL(join(folder, 'dist', 'index.js')).href;
}
