import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package as npm ships it, installed in an empty folder: once for all tests of a run that want it. */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What `npm pack` tells of the file it has made. */
export interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string; mode: number }[];
}

export interface Installed {
  packed: Packed;
  /** A project that depends on nothing but the package. */
  app: string;
}

let installed: Installed | undefined;

/** `npm test` sets variables that would reach the npm of the test. */
const cleanEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_ignore|config_include|config_omit|lifecycle|package)/i.test(name),
    ),
  );

function npm(cwd: string, ...args: string[]): string {
  try {
    return execFileSync('npm', args, {
      cwd,
      encoding: 'utf8',
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm ${args.join(' ')} failed: ${stdout}${stderr}`); // its message says the same again
  }
}

/** Packs and installs the package when nobody has yet. Takes some seconds, the first time. */
export function installPackage(): Installed {
  if (installed) return installed;
  const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-pack-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const output = npm(root, 'pack', '--json', '--pack-destination', folder);
  const packed = (JSON.parse(output.slice(output.search(/^\[/m))) as Packed[])[0]!;
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{"name":"app","version":"1.0.0","private":true,"type":"module"}');
  npm(app, 'install', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, packed.filename));
  installed = { packed, app };
  return installed;
}
