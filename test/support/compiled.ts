import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * Process tests start hundreds of processes. Under tsx each of them would read and check a hundred TypeScript files;
 * so the sources are translated once, without a look at types, into a few files of JavaScript, and kept until one of
 * them changes.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'workerman-ts');
const SOURCES = ['index.ts', 'errors.ts', 'package.json', 'lib', 'connection', 'protocols', 'timer'];
/** Older translations than this are removed, in milliseconds; younger ones may be in use. */
const KEEP = 24 * 3_600_000;

/** What is used of esbuild, which tsx brings along. */
interface Esbuild {
  buildSync(options: Record<string, unknown>): void;
}

function sourceFiles(path: string): string[] {
  const full = join(root, path);
  if (!statSync(full).isDirectory()) return /\.(ts|json)$/.test(path) ? [path] : [];
  return readdirSync(full).flatMap((name) => sourceFiles(join(path, name)));
}

function translate(folder: string): void {
  const require = createRequire(createRequire(import.meta.url).resolve('tsx'));
  const { buildSync } = require('esbuild') as Esbuild;
  buildSync({
    entryPoints: [join(root, 'index.ts')],
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true, // rooms that are loaded on demand stay files of their own
    keepNames: true, // the names of classes are shown on screens
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
  });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', version }));
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
