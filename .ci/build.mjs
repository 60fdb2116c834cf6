// Makes dist/, which is what npm ships: declarations by tsc, one for each source, and the JavaScript of bundle.mjs. Run
// by `npm run build`, and by npm itself (`prepare`) after an install and before a pack. dist/ is made anew each time, so
// that a renamed source leaves nothing behind.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '..', 'dist');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

rmSync(dist, { recursive: true, force: true });
const args = ['-p', join(here, 'tsconfig.build.json'), '--emitDeclarationOnly'];
const { status, error } = spawnSync(process.execPath, [tsc, ...args], { stdio: 'inherit' });
if (error) throw error;
if (status !== 0) process.exit(status ?? 1);
await bundle(dist);
chmodSync(join(dist, 'bin', 'workerman.js'), 0o755);
