import { expect } from 'chai';
import { cleanUpScripts } from '../support/process.js';
import { reloadUnderLoad } from '../support/reloads.js';

describe('twenty reloads under load', function () {
  this.timeout(180_000);
  afterEach(cleanUpScripts);

  for (const graceful of [false, true]) {
    for (const count of [1, 2]) {
      it(`lose no request, ${graceful ? 'graceful' : 'plain'}, count ${count}`, async () => {
        const { result, gaps } = await reloadUnderLoad(count, graceful, 20);
        const sorted = gaps.map(Math.round).sort((a, b) => a - b);
        console.log(
          `      ${result.answers} answers; longest gap per reload in ms: ${sorted.join(' ')}, median ${sorted[10]}`,
        );
        expect(result.failures).to.deep.equal([]);
      });
    }
  }
});
