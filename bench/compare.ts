/*
 * npm run bench:compare -- <commit> <commit> [names] [--rounds 5] [--load hello,echo] [--seconds 2]
 *
 * Builds two commits in folders of their own and measures both with the benchmarks of this working tree, in turn, round
 * after round: the functions of `micro/`, or with --load the scenarios of `load/`. `.` is the working tree. Below 1.00
 * the second is better; when the range of the rounds has 1.00 in it, nobody knows.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { shuffled } from './load/Bench.js';
import { cleanUp, cleanUpOnSignals } from './load/processes.js';
import { plainTable } from './load/report.js';
import { median, type Sample } from './load/results.js';
import { allBenches } from './load/scenarios.js';
import type { Cost } from './micro/harness.js';
import { microNames, runMicro } from './micro/start.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A commit and the folder in which it is built. */
interface Build {
  label: string;
  folder: string;
}

const worktrees: string[] = [];

function build(commit: string): Build {
  if (commit === '.') {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
    return { label: '.', folder: ROOT };
  }
  const label = execFileSync('git', ['rev-parse', '--short', `${commit}^{commit}`], { cwd: ROOT, encoding: 'utf8' }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-compare-'));
  worktrees.push(folder);
  execFileSync('git', ['worktree', 'add', '--quiet', '--force', '--detach', folder, label], { cwd: ROOT, stdio: 'inherit' });
  // The tools of this working tree; a commit whose compiler was another one is built with ours.
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, ['.ci/build.mjs'], { cwd: folder, stdio: 'inherit' });
  return { label, folder };
}

function removeWorktrees(): void {
  for (const folder of worktrees.splice(0)) {
    rmSync(join(folder, 'node_modules'), { force: true });
    execFileSync('git', ['worktree', 'remove', '--force', folder], { cwd: ROOT, stdio: 'inherit' });
  }
}

/** The costs of a file in a build, or none when the build has not got what the file measures. */
async function costsOf(name: string, { folder }: Build): Promise<Map<string, Cost>> {
  try {
    return new Map((await runMicro(name, folder)).map((cost) => [cost.name, cost]));
  } catch (error) {
    if (!/ERR_MODULE_NOT_FOUND|is not a (?:function|constructor)/.test(String(error))) throw error;
    return new Map();
  }
}

async function compareMicro(name: string, before: Build, after: Build, rounds: number): Promise<void> {
  const found = new Map<string, { before: number[]; after: number[]; unit: string }>();
  for (let round = 0; round < rounds; round++) {
    for (const each of shuffled([before, after])) {
      for (const { name: what, nanoseconds, unit } of (await costsOf(name, each)).values()) {
        const entry = found.get(what) ?? { before: [], after: [], unit };
        (each === before ? entry.before : entry.after).push(nanoseconds);
        found.set(what, entry);
      }
    }
  }
  console.log(`\n${name}`.padEnd(46) + `${before.label} ns`.padStart(14) + `${after.label} ns`.padStart(14) + '   ratio   in the rounds');
  for (const [what, entry] of found) {
    const ratios = entry.after.map((cost, i) => cost / (entry.before[i] ?? NaN));
    const text = ratios.length === entry.before.length
      ? `${median(ratios).toFixed(2).padStart(8)}   ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
      : '   is in one of them only';
    const figure = (costs: readonly number[]): string => (costs.length > 0 ? median(costs).toFixed(1) : '').padStart(14);
    console.log(`  ${what}`.padEnd(45) + figure(entry.before) + figure(entry.after) + text);
  }
}

async function compareLoad(words: string, before: Build, after: Build, choice: { rounds: number; seconds: number }): Promise<void> {
  const wanted = words.split(',').map((word) => word.trim().toLowerCase());
  const benches = allBenches()
    .filter(({ contenders }) => contenders.includes('ours'))
    .filter(({ name }) => wanted.some((word) => name.toLowerCase().includes(word)));
  if (benches.length === 0) throw new RangeError(`--load: choose of ${allBenches().map(({ name }) => name).join('; ')}`);
  const contenderOf = ({ folder }: Build): string => `ours@${join(folder, 'dist', 'index.js')}`;
  for (const bench of benches) {
    const rounds: Record<string, Sample>[] = [];
    for (let round = 0; round < choice.rounds; round++) {
      const samples = await bench.round([contenderOf(after), contenderOf(before)], choice);
      const of = (each: Build): Sample => samples[contenderOf(each)] as Sample;
      rounds.push({ [after.label]: of(after), [before.label]: of(before) });
    }
    const { name, kind, unit } = bench;
    console.log(`\n${plainTable({ name, kind, unit, ours: after.label, targets: {}, rounds })}`);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    load: { type: 'string' },
  },
});
const [first, second, ...names] = positionals;
if (first === undefined || second === undefined) throw new TypeError('two commits were expected, `.` for the working tree');
const rounds = Number(values.rounds);
if (!(rounds >= 1 && Number(values.seconds) > 0)) throw new RangeError('--rounds and --seconds: numbers above 0 were expected');

cleanUpOnSignals(removeWorktrees);
try {
  const [before, after] = [build(first), build(second)];
  if (before.label === after.label) throw new RangeError('two different commits were expected');
  if (values.load !== undefined) await compareLoad(values.load, before, after, { rounds, seconds: Number(values.seconds) });
  else for (const name of microNames(names)) await compareMicro(name, before, after, rounds);
} finally {
  await cleanUp();
  removeWorktrees();
}
