// Runs the tests and says at the end how many passed and failed, in the line `N passed, N failed`.
//
//   node .ci/test.mjs                  everything that `npm test` runs
//   node .ci/test.mjs golden types     some of it; other words (`--grep echo`) are handed to Mocha
//   node .ci/test.mjs long             the long runs, which are not part of `npm test`
//
// A run that crashes, hangs, runs nothing or leaves processes behind is a failure and is counted as one. What failed is
// said once more at the end, where it is found. With WORKERMAN_TS_TOTALS set, the figures are added to that file, one
// line for each run; with WORKERMAN_TS_FAILURES, what failed.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const require = createRequire(import.meta.url);

/**
 * What runs in one Mocha after another, the longest first. Groups run side by side, so most of the tests' waiting is done
 * while others work; what shares an installed package is one group.
 */
const GROUPS = [
  ['process'],
  ['golden', 'autobahn', 'fuzz'],
  ['pack', 'examples', 'scenes', 'first', 'docs', 'browser'],
  ['unit', 'types', 'reference'],
];
const SIDE_BY_SIDE = Math.min(2, availableParallelism());
const MINUTES = { usual: 15, long: 60 };

const isSuite = (word) => /^\w+$/.test(word) && existsSync(join(root, 'test', word));
const wanted = process.argv.slice(2).filter(isSuite);
const options = process.argv.slice(2).filter((word) => !isSuite(word));
const all = GROUPS.map((group) => group.filter(isSuite)).filter((group) => group.length > 0);
// Words for Mocha, a pattern for example, may leave nothing to run in one of the groups.
const groups = wanted.length > 0 ? [wanted] : options.length > 0 ? [all.flat()] : all;
const minutes = wanted.includes('long') ? MINUTES.long : MINUTES.usual;

/** Every process that the tests start inherits it, and is known by it wherever it goes. */
const run = `WORKERMAN_TS_TEST_RUN=${randomUUID()}`;

const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-summary-'));
const running = new Set();

/** Runs the tests of some suites. What they print is shown as it comes, or in one piece when others run meanwhile. */
async function runGroup(suites, isAlone, number) {
  const summaryFile = join(folder, `${suites[0]}.json`);
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
      stdio: ['ignore', isAlone ? 'inherit' : 'pipe', isAlone ? 'inherit' : 'pipe'],
      detached: true, // a group of its own, so that all of it can be killed
      env: {
        ...process.env,
        WORKERMAN_TS_SUMMARY: summaryFile,
        WORKERMAN_TS_LANE: String(number), // see freePort() of the tests
        [run.split('=')[0]]: run.split('=')[1],
      },
    },
  );
  running.add(mocha);
  const output = [];
  mocha.stdout?.on('data', (chunk) => output.push(chunk));
  mocha.stderr?.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => {
    mocha.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    mocha.once('exit', (status, signal) => resolve(status ?? signal));
  });
  // Not until the pipe is closed: a process that was left behind may hold it.
  await new Promise((resolve) => setTimeout(resolve, 100));
  running.delete(mocha);
  process.stdout.write(Buffer.concat(output));
  return judge(suites, code, summaryFile);
}

/** Figures of a group; a run that ended too early counts as a failure. */
function judge(suites, code, summaryFile) {
  let summary = { passed: 0, failed: 0, failures: [], finished: false };
  try {
    summary = JSON.parse(readFileSync(summaryFile, 'utf8'));
  } catch {
    // Mocha did not come so far.
  }
  const { passed, failed, failures, finished } = summary;
  const cutShort = !finished || passed + failed === 0 || (code !== 0 && failed === 0);
  if (cutShort) failures.push(`The tests of ${suites.join(', ')} ended too early (${code}).`);
  return { passed, failed: failed + (cutShort ? 1 : 0), failures };
}

const killAll = () => {
  for (const mocha of running) {
    try {
      process.kill(-mocha.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
};
const deadline = setTimeout(() => {
  console.error(`The tests did not end within ${minutes} minutes.`);
  groups.length = 0;
  killAll();
}, minutes * 60_000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    groups.length = 0;
    // Mocha's tests clean up after themselves when they are interrupted in the ordinary way; then by force.
    for (const mocha of running) {
      try {
        process.kill(mocha.pid, signal);
      } catch {
        // It has ended.
      }
    }
    setTimeout(killAll, 5000).unref();
  });
}

const figures = [];
const isAlone = groups.length === 1;
async function lane(number) {
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) figures.push(await runGroup(group, isAlone, number));
}
const expected = groups.length;
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, number) => lane(number)));
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
const failures = [
  ...figures.flatMap((figure) => figure.failures),
  ...strays.map(({ pid, command }) => `Left behind by the tests: ${pid} ${command}`),
];
const failureText = failures.map((failure) => `\nFailed on Node ${process.versions.node}: ${failure}\n`).join('');
if (failureText) console.log(failureText);

rmSync(folder, { recursive: true, force: true });

const sum = (key) => figures.reduce((total, figure) => total + figure[key], 0);
const passed = sum('passed');
const failed = sum('failed') + (expected - figures.length) + (strays.length > 0 ? 1 : 0);
if (process.env.WORKERMAN_TS_TOTALS) appendFileSync(process.env.WORKERMAN_TS_TOTALS, `${passed} ${failed}\n`);
if (process.env.WORKERMAN_TS_FAILURES) appendFileSync(process.env.WORKERMAN_TS_FAILURES, failureText);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
