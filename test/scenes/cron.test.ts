import { expect } from 'chai';
import { cleanUpExamples, startExample } from '../support/examples.js';
import { installPackage } from '../support/packed.js';
import { waitUntil } from '../support/process.js';
import { logged } from '../support/service.js';

describe('examples/cron.ts', function () {
  this.timeout(40_000);
  before(function () {
    this.timeout(150_000);
    installPackage();
  });
  afterEach(cleanUpExamples);

  it('runs its job in one process at every second that the pattern names, also after that process was killed', async () => {
    const { script } = await startExample('cron.ts', {
      dependencies: ['croner'],
      edit: (source) => source.replace("'* * * * *'", "'* * * * * *'"),
    });
    const pids = (): number[] =>
      [...script.log().matchAll(/ pid:(\d+) cron: this process has \d+ MB$/gm)].map(([, pid]) => Number(pid));
    const runs = (count: number): Promise<boolean> =>
      waitUntil(
        () => pids().length >= count,
        () => `${count} runs: ${script.describe()}`,
      );

    await runs(1);
    const [first] = script.workers();
    expect(script.workers()).to.deep.equal([first]);
    expect(new Set(pids())).to.deep.equal(new Set([first]));

    script.signal('SIGKILL', first);
    await script.waitForLog(/exit with status 9/);
    await runs(pids().length + 1);
    const [second] = script.workers();
    expect(script.workers()).to.deep.equal([second]);
    expect(new Set(pids())).to.deep.equal(new Set([first, second]));

    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
    expect(logged(script).join('\n')).not.to.match(/error|warn/i);
  });
});
