/** The processes that are started, the folder in which they work, and the end of both. */
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const children = new Set<ChildProcess>();
let folder: string | null = null;

/** A folder that {@link cleanUp} removes. */
export function work(): string {
  folder ??= mkdtempSync(join(tmpdir(), 'workerman-ts-bench-'));
  return folder;
}

/** Puts bytes into a file of that name and returns its path. */
export function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(work(), name);
  writeFileSync(path, bytes);
  return path;
}

const programs = new Map<string, string>();

/** Path of a C program of this folder, compiled when it is first asked for. */
export function compiled(name: 'client' | 'floor'): string {
  let path = programs.get(name);
  if (path === undefined) {
    path = join(work(), name);
    execFileSync('gcc', ['-O2', '-o', path, fileURLToPath(new URL(`${name}.c`, import.meta.url))], { stdio: 'inherit' });
    programs.set(name, path);
  }
  return path;
}

/** A TCP port of the loopback interface on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a program on one core. */
export function startOn(core: string, command: readonly string[], options: SpawnOptions): ChildProcess {
  // taskset becomes the program: the number of the process is that of the program.
  const child = spawn('taskset', ['-c', core, ...command], options);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends a process: asks, and after three seconds insists. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(3000).then(() => child.kill('SIGKILL'))]);
  await ended;
}

/** Kills what still runs and removes the folder. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...children].map(end));
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  folder = null;
  programs.clear();
}

/** Cleans up when the benchmark is interrupted, and then does what is left to do. */
export function cleanUpOnSignals(last: () => void = () => {}): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void cleanUp().finally(() => {
        last();
        process.exit(1);
      });
    });
  }
  // What was started while the others were ending.
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
}
