/*
 * npm run bench [-- --rounds 5 --seconds 3 --only hello,JSON --json results.json]
 *
 * Each contender in a process of its own on the first core, the load on the second; the answer is checked before it is
 * timed; contenders take turns, round after round, in a random order, and medians are shown. CPU is user and system time
 * of the whole process tree as Linux counts it. Compare the ratios: absolute figures are those of one machine on one day.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './Bench.js';
import { BENCH, describeMachine } from './machine.js';
import { cleanUp, cleanUpOnSignals } from './processes.js';
import { machineLines, plainTable } from './report.js';
import type { Result, Results } from './results.js';
import { allBenches } from './scenarios.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
if (!(options.rounds >= 1 && options.seconds > 0)) throw new RangeError('--rounds and --seconds: numbers above 0 were expected');

/** Those whose name contains one of the words; all, when there are none. */
function chosen(benches: readonly Bench[], words: string): readonly Bench[] {
  if (words === '') return benches;
  const wanted = words.split(',').map((word) => word.trim().toLowerCase());
  const found = benches.filter(({ name }) => wanted.some((word) => name.toLowerCase().includes(word)));
  if (found.length === 0) throw new RangeError(`--only ${words}: choose of ${benches.map(({ name }) => name).join('; ')}`);
  return found;
}

async function measure(bench: Bench): Promise<Result> {
  const rounds: Result['rounds'] = [];
  for (let round = 0; round < options.rounds; round++) rounds.push(await bench.round(bench.contenders, options));
  const { name, kind, unit, targets, contenders: [ours = 'ours'] } = bench;
  return { name, kind, unit, ours, targets: { ...targets }, rounds };
}

if (!existsSync(join(BENCH, 'node_modules'))) {
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: BENCH, stdio: 'inherit' });
}
cleanUpOnSignals();
try {
  const results: Results = { machine: describeMachine(), options, results: [] };
  console.log(machineLines(results.machine).join('\n'));
  for (const bench of chosen(allBenches(), values.only)) {
    const result = await measure(bench);
    console.log(`\n${plainTable(result)}`);
    results.results.push(result);
    // After each, so that what was measured is not lost when a later one fails.
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
} finally {
  await cleanUp();
}
