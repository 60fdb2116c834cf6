/** What Linux says of processes and of the machine. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the contenders run. */
export const SERVER_CORE = '0';
/** Where the load runs; on the same, where there is no other. */
export const CLIENT_CORE: string = cpus().length > 1 ? '1' : '0';
/** The unit of times in `/proc`, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The folder `bench/`. */
export const BENCH: string = fileURLToPath(new URL('../', import.meta.url));

/** The process and everything below it. */
export function tree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    try {
      for (const task of readdirSync(`/proc/${parent}/task`)) {
        const children = readFileSync(`/proc/${parent}/task/${task}/children`, 'latin1').trim();
        if (children !== '') found.push(...children.split(' ').map(Number));
      }
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** User and system time of the tree, in microseconds; steps are 10,000. */
export function cpuOf(pid: number): number {
  let ticks = 0;
  for (const each of tree(pid)) {
    const stat = readFileSync(`/proc/${each}/stat`, 'latin1');
    // The name of the command, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1e6) / TICKS_PER_SECOND;
}

function sumOf(pids: readonly number[], file: string, line: RegExp): number {
  let kilobytes = 0;
  for (const pid of pids) {
    for (const match of readFileSync(`/proc/${pid}/${file}`, 'latin1').matchAll(line)) kilobytes += Number(match[1]);
  }
  return kilobytes * 1024;
}

/** Highest resident set that the processes have had, in bytes. */
export const peakOf = (pids: readonly number[]): number => sumOf(pids, 'status', /^VmHWM:\s+(\d+)/gm);

/** Resident set, in bytes. */
export const residentOf = (pids: readonly number[]): number => sumOf(pids, 'status', /^VmRSS:\s+(\d+)/gm);

/** Resident set, of each shared page only the part that falls to one of its users (PSS), in bytes. */
export const shareOf = (pids: readonly number[]): number => sumOf(pids, 'smaps_rollup', /^Pss:\s+(\d+)/gm);

/** Resident memory that nobody else shares, in bytes. */
export const privateOf = (pids: readonly number[]): number =>
  sumOf(pids, 'smaps_rollup', /^Private_(?:Clean|Dirty):\s+(\d+)/gm);

const output = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: BENCH, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(BENCH, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
}

/** How the two cores are related: threads of one core slow each other down. */
function siblings(): string {
  try {
    const list = readFileSync(`/sys/devices/system/cpu/cpu${SERVER_CORE}/topology/thread_siblings_list`, 'latin1').trim();
    return list.includes(CLIENT_CORE) ? 'threads of one core' : 'cores of their own';
  } catch {
    return 'related in a way that is not known';
  }
}

/** What was measured with what. */
export interface Machine {
  system: string;
  processor: string;
  /** Of the two processors in use. */
  siblings: string;
  versions: Record<string, string>;
  commit: string;
  date: string;
  /** The load average when it began. */
  load: string;
}

/** Looks at the machine, at what is installed and at the commit. */
export function describeMachine(): Machine {
  const dirty = output('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ' and changes';
  return {
    system: `${type()} ${release()} ${arch()}`,
    processor: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    siblings: siblings(),
    versions: {
      Node: process.version.slice(1), Bun: versionOf('bun'), fastify: versionOf('fastify'), ws: versionOf('ws'),
      gcc: output('gcc', '-dumpfullversion'),
    },
    commit: output('git', 'rev-parse', '--short', 'HEAD') + dirty,
    date: new Date().toISOString().slice(0, 10),
    load: loadavg()[0]?.toFixed(1) ?? '',
  };
}
