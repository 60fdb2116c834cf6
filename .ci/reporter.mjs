// Mocha's `spec` report on the screen, and the figures in the file that WORKERMAN_TS_SUMMARY names, for `.ci/test.mjs`.
// A hook that fails takes tests with it that never run, so it is counted as a failure too: Mocha does the same.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const { Spec } = Mocha.reporters;
const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

export default class SummaryReporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.WORKERMAN_TS_SUMMARY;
    if (!file) return;
    const summary = { passed: 0, failed: 0, finished: false };
    // Saved after each test, in case the process does not live to the end.
    const note = (change) => () => {
      change();
      writeFileSync(file, JSON.stringify(summary));
    };
    runner.on(EVENT_TEST_PASS, note(() => summary.passed++));
    runner.on(EVENT_TEST_FAIL, note(() => summary.failed++));
    runner.on(EVENT_TEST_PENDING, note(() => summary.failed++)); // a skipped test is a lie
    runner.on(EVENT_RUN_END, note(() => {
      summary.finished = true;
    }));
  }
}
