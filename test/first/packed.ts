import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The package as npm packs it, unpacked once for all tests of this folder, beside the tools that a new project depends
 * on: `npm install` of that without the network. Projects lie in folders below, and find it all above themselves.
 */

export const root: string = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['index.ts', 'errors.ts', 'package.json', 'lib', 'connection', 'protocols', 'timer', 'bin'];
const TOOLS = ['@types/node', 'tsx', 'typescript', 'range-parser'];

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function buildWhenOld(): void {
  const built = join(root, 'dist', 'index.js');
  const changed = Math.max(...SOURCES.map((path) => newest(join(root, path))));
  if (existsSync(built) && statSync(built).mtimeMs > changed) return;
  execFileSync(process.execPath, [join(root, '.ci', 'build.mjs')], { stdio: 'ignore' });
}

/** A folder with the package in its `node_modules`. */
export class Installation {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'workerman-ts-first-'));
  /** The program `workerman`. */
  readonly bin: string;

  constructor() {
    buildWhenOld();
    const modules = join(this.folder, 'node_modules');
    const own = join(modules, 'workerman-ts');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', this.folder];
    const tarball = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    mkdirSync(own);
    execFileSync('tar', ['-xzf', join(this.folder, tarball.trim()), '--strip-components=1', '-C', own]);
    for (const name of TOOLS) this.#link(modules, name);
    this.bin = join(own, 'dist', 'bin', 'workerman.js');
    symlinkSync(this.bin, join(modules, '.bin', 'workerman'));
  }

  #link(modules: string, name: string): void {
    const target = join(root, 'node_modules', name);
    if (!existsSync(target)) return;
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(target, join(modules, name));
  }

  /** `--import` of tsx, as a project would say it. */
  get tsx(): string {
    return createRequire(join(this.folder, 'x.js')).resolve('tsx');
  }

  /** Runs `workerman` with these words to its end. */
  workerman(words: readonly string[], cwd: string = this.folder): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.bin, ...words], { cwd, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  /** A folder for a script, with the texts of its files. */
  project(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    return folder;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let installation: Installation | null = null;

/** The installation, made when it is first asked for; removed when the tests have ended. */
export function installed(): Installation {
  if (installation === null) {
    const made = new Installation();
    installation = made;
    process.once('exit', () => made.remove());
  }
  return installation;
}
