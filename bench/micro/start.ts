/** Runs the files of this folder, each in a process of its own. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Cost } from './harness.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const SUFFIX = '.bench.ts';
/** Milliseconds; a file takes some seconds. */
const TIMEOUT = 180_000;

/** The files whose names contain one of the words; all, when there are none. */
export function microNames(words: readonly string[]): string[] {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
  const found = names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (found.length === 0) throw new RangeError(`choose of: ${names.join(' ')}`);
  return found;
}

/**
 * The costs of the functions in a file.
 *
 * @param tree the package's sources, if they are not the ones here
 */
export async function runMicro(name: string, tree?: string): Promise<Cost[]> {
  const args = ['--import', TSX, join(import.meta.dirname, 'one.ts'), name];
  const { stdout } = await promisify(execFile)('taskset', ['-c', '0', process.execPath, ...args], {
    env: { ...process.env, ...(tree && { TREE: tree }) }, timeout: TIMEOUT, killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout) as Cost[];
}
