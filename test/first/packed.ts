import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackage } from '../support/packed.js';

/*
 * The package as npm has installed it, beside the tools that a new project depends on. Projects lie in folders below,
 * and find it all above themselves: what `npm install` does in them, without the network.
 */

export const root: string = fileURLToPath(new URL('../../', import.meta.url));
const TOOLS = ['@types/node', 'tsx', 'typescript'];

/** A folder with the package in its `node_modules`. */
export class Installation {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'workerman-ts-first-'));
  /** The program `workerman`. */
  readonly bin: string;

  constructor() {
    const modules = join(this.folder, 'node_modules');
    const own = join(modules, 'workerman-ts');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    mkdirSync(join(modules, '@types'));
    symlinkSync(join(installPackage().app, 'node_modules', 'workerman-ts'), own);
    for (const name of TOOLS) symlinkSync(join(root, 'node_modules', name), join(modules, name));
    this.bin = join(own, 'dist', 'bin', 'workerman.js');
    symlinkSync(this.bin, join(modules, '.bin', 'workerman'));
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
