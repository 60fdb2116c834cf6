// Mocha's `spec` report on the screen, and the figures and failures in the file that WORKERMAN_TS_SUMMARY names, for
// `.ci/test.mjs`.
// A hook that fails takes tests with it that never run, so it is counted as a failure too: Mocha does the same.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';

const { Spec } = Mocha.reporters;
const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

export default class SummaryReporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.WORKERMAN_TS_SUMMARY;
    if (!file) return;
    const summary = { passed: 0, failed: 0, failures: [], finished: false };
    // Saved after each test, in case the process does not live to the end.
    const note = (change) => (test, error) => {
      change(test, error);
      writeFileSync(file, JSON.stringify(summary));
    };
    runner.on(EVENT_TEST_PASS, note(() => summary.passed++));
    const fail = (test, reason) => {
      summary.failed++;
      const where = test.file ? `${relative(process.cwd(), test.file)}: ` : '';
      summary.failures.push(`${where}${test.fullTitle()}\n${reason}`);
    };
    runner.on(EVENT_TEST_FAIL, note((test, error) => fail(test, error?.stack ?? String(error))));
    runner.on(EVENT_TEST_PENDING, note((test) => fail(test, 'skipped'))); // a skipped test is a lie
    runner.on(EVENT_RUN_END, note(() => {
      summary.finished = true;
    }));
  }
}
