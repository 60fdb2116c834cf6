#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * `npx workerman start.ts start -d`: runs a start script in this very process, so that the pid that was started is the
 * pid of the master. TypeScript is run by tsx, the project's own or the one beside this package, or by Node itself
 * where it can.
 */

const TYPESCRIPT = ['.ts', '.mts', '.cts'];
const HELP = `Usage: workerman <script> <command> [mode]
       workerman init [folder]
The script is a file that ends with Worker.runAll(), in JavaScript or TypeScript.
Its commands: start, stop, restart, reload, status, connections; more with: workerman <script> --help
start --watch reloads when the code changes. init lays out a new project; more with: workerman init --help
`;

async function main(script: string | undefined): Promise<number | null> {
  if (script === undefined || script === '-h' || script === '--help') {
    process.stdout.write(HELP);
    return script === undefined ? 1 : 0;
  }
  if (script === 'init') return (await import('./init/init.js')).init(process.argv.slice(3));
  const file = resolve(script);
  if (!existsSync(file)) {
    process.stderr.write(`workerman: there is no file ${file}\n`);
    return 1;
  }
  if (TYPESCRIPT.includes(extname(file)) && !(await prepareTypeScript(file))) {
    process.stderr.write('workerman: to run TypeScript on this version of Node, install tsx: npm i -D tsx\n');
    return 1;
  }
  // From here on everything is as if the script had been started directly.
  process.argv.splice(1, 2, file);
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    await notLoaded(script, error);
  }
  return null;
}

/** Says what is wrong with the script, and in which line: a stack begins in the compiler, or in Node's own loader. */
async function notLoaded(script: string, error: unknown): Promise<never> {
  const { failureText } = await import('../lib/failure.js');
  const text = failureText(error);
  // Node knows the place of some errors that do not say it themselves.
  if (text === null) throw error;
  process.stderr.write(`workerman: ${script} can not be loaded\n${text}\n`);
  // At once, whatever the first lines of the script have set going.
  process.exit(1);
}

/** Teaches this process, and the worker processes that inherit its arguments, to read TypeScript. */
async function prepareTypeScript(file: string): Promise<boolean> {
  for (const from of [file, import.meta.url]) {
    const loader = resolveFrom(from, 'tsx');
    if (loader === null) continue;
    // What `node --import tsx` does, here and, by the arguments, in every child.
    await import(loader);
    process.execArgv.push('--import', loader);
    return true;
  }
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

/** URL of a package's entry as seen from a file; null when it is not installed there. */
function resolveFrom(file: string, name: string): string | null {
  try {
    return pathToFileURL(createRequire(file).resolve(name)).href;
  } catch {
    return null;
  }
}

const exitCode = await main(process.argv[2]);
if (exitCode !== null) process.exitCode = exitCode;
