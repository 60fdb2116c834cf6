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
    const save = () => writeFileSync(file, JSON.stringify(summary));
    save();
    runner.on(EVENT_TEST_PASS, () => summary.passed++);
    runner.on(EVENT_TEST_FAIL, () => {
      summary.failed++;
      save(); // in case the process does not live to the end
    });
    runner.on(EVENT_TEST_PENDING, () => summary.failed++); // a skipped test is a lie
    runner.on(EVENT_RUN_END, () => {
      summary.finished = true;
      save();
    });
  }
}
