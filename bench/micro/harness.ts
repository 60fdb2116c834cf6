/** Times single functions of the package, by the processor time that they take. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Something that is called again and again. */
export interface Micro {
  name: string;
  /** What it returns is not looked at, but it is kept, so that no compiler leaves the work away. */
  run: () => unknown;
  /** Bytes that one call works on: the cost is told per kilobyte. */
  bytes?: number;
}

/** What one of them costs: nanoseconds for a call, or for a kilobyte. */
export interface Cost {
  name: string;
  unit: 'call' | 'KB';
  nanoseconds: number;
  /** The part of them that the kernel took: pages of memory, for the most part. */
  kernel: number;
}

/** Milliseconds of a batch; the clock counts microseconds. */
const BATCH = 20;
const WARM_UP = 5;
const BATCHES = 15;

/** A module of the package that is measured: that of the tree in TREE, else of this one. The built package has no single ones. */
export async function from<Module>(path: string): Promise<Module> {
  const tree = process.env['TREE'] ?? join(import.meta.dirname, '../..');
  return (await import(pathToFileURL(join(tree, path)).href)) as Module;
}

/** Keeps results alive. */
export const sink: { value: unknown } = { value: null };

/** Nanoseconds of processor time. */
interface Spent {
  all: number;
  kernel: number;
}

function batch(run: () => unknown, times: number): Spent {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) sink.value = run();
  const { user, system } = process.cpuUsage(before);
  return { all: (user + system) * 1000, kernel: system * 1000 };
}

/** Times one of them: the median of some batches. */
export function measure({ name, run, bytes }: Micro): Cost {
  let times = 1;
  for (let spent = 0; spent < BATCH * 1e6;) {
    spent = batch(run, times).all;
    if (spent < BATCH * 1e6) times = Math.ceil(times * Math.min(10, Math.max(1.5, (BATCH * 1.2e6) / Math.max(spent, 1))));
  }
  for (let i = 0; i < WARM_UP; i++) batch(run, times);
  const batches = Array.from({ length: BATCHES }, () => batch(run, times)).sort((a, b) => a.all - b.all);
  const { all, kernel } = batches[BATCHES >> 1] as Spent;
  const units = bytes === undefined ? times : (times * bytes) / 1024;
  return { name, unit: bytes === undefined ? 'call' : 'KB', nanoseconds: all / units, kernel: kernel / units };
}
