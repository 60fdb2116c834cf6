import { expect } from 'chai';
import type { Micro } from '../../../bench/micro/harness.js';
import { microNames } from '../../../bench/micro/start.js';

describe('the benchmarks of single functions', function () {
  this.timeout(30_000);

  for (const name of microNames([])) {
    it(`can be run: ${name}`, async () => {
      const { micros } = (await import(`../../../bench/micro/${name}.bench.js`)) as { micros: readonly Micro[] };
      expect(micros).not.to.be.empty;
      for (const { run } of micros) run();
    });
  }
});
