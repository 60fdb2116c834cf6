// Runs the tests and says at the end how many passed and failed, in the line `N passed, N failed`.
//
//   node .ci/test.mjs                  everything that `npm test` runs
//   node .ci/test.mjs golden types     some of it; other words (`--grep echo`) are handed to Mocha
//   node .ci/test.mjs long             the long runs, which are not part of `npm test`
//
// A run that crashes, hangs, runs nothing or leaves processes behind is a failure and is counted as one. With
// WORKERMAN_TS_TOTALS set, the figures are added to that file, one line for each run.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const require = createRequire(import.meta.url);

const SUITES = [
  'unit', 'fuzz', 'golden', 'autobahn', 'process', 'types', 'reference', 'pack', 'examples', 'scenes', 'first', 'docs', 'browser',
];
const MINUTES = { usual: 15, long: 60 };

const isSuite = (word) => /^\w+$/.test(word) && existsSync(join(root, 'test', word));
const wanted = process.argv.slice(2).filter(isSuite);
const options = process.argv.slice(2).filter((word) => !isSuite(word));
const suites = wanted.length > 0 ? wanted : SUITES.filter(isSuite);
const minutes = suites.includes('long') ? MINUTES.long : MINUTES.usual;

/** Every process that the tests start inherits it, and is known by it wherever it goes. */
const run = `WORKERMAN_TS_TEST_RUN=${randomUUID()}`;

const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-summary-'));
const summaryFile = join(folder, 'summary.json');

const mocha = spawn(
  process.execPath,
  [
    '--import',
    pathToFileURL(require.resolve('tsx')).href,
    require.resolve('mocha/bin/mocha.js'),
    '--reporter',
    join(here, 'reporter.mjs'),
    ...options,
    ...suites.map((suite) => `test/${suite}/**/*.test.ts`),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    detached: true, // a group of its own, so that all of it can be killed
    env: { ...process.env, WORKERMAN_TS_SUMMARY: summaryFile, [run.split('=')[0]]: run.split('=')[1] },
  },
);

const killAll = () => {
  try {
    process.kill(-mocha.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};
const deadline = setTimeout(() => {
  console.error(`The tests did not end within ${minutes} minutes.`);
  killAll();
}, minutes * 60_000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // Mocha's tests clean up after themselves when they are interrupted in the ordinary way; then by force.
    try {
      process.kill(mocha.pid, signal);
    } catch {
      // It has ended.
    }
    setTimeout(killAll, 5000).unref();
  });
}

const code = await new Promise((resolve) => {
  mocha.once('error', (error) => {
    console.error(error.message);
    resolve(1);
  });
  mocha.once('exit', (status, signal) => resolve(status ?? signal));
});
clearTimeout(deadline);

/** Number and command of each process of this run that is still alive. */
function leftOver() {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(run)) return [];
        if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) return [];
        return [
          { pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() },
        ];
      } catch {
        return []; // it ended while we looked
      }
    });
}

/** Gives what is left a moment to end by itself, then kills it. Returns what had to be killed. */
async function sweep() {
  for (let wait = 0; wait < 20 && leftOver().length > 0; wait++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const killed = leftOver();
  for (let round = 0; round < 20 && leftOver().length > 0; round++) {
    for (const { pid } of leftOver()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return killed;
}
const strays = existsSync('/proc') ? await sweep() : [];
for (const { pid, command } of strays) console.error(`Left behind by the tests: ${pid} ${command}`);

let summary = { passed: 0, failed: 0, finished: false };
try {
  summary = JSON.parse(readFileSync(summaryFile, 'utf8'));
} catch {
  // Mocha did not come so far.
}
rmSync(folder, { recursive: true, force: true });

const { passed } = summary;
const cutShort = !summary.finished || passed + summary.failed === 0 || (code !== 0 && summary.failed === 0);
if (cutShort) console.error(`The test run ended too early (${code}).`);
const failed = summary.failed + (cutShort ? 1 : 0) + (strays.length > 0 ? 1 : 0);
if (process.env.WORKERMAN_TS_TOTALS) appendFileSync(process.env.WORKERMAN_TS_TOTALS, `${passed} ${failed}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
