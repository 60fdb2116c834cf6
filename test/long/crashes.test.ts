import { expect } from 'chai';
import { crashes, type Footprint } from '../support/crashes.js';
import { cleanUpScripts } from '../support/process.js';

const shown = ({ descriptors, memory, files }: Footprint): string =>
  `${descriptors} descriptors, ${memory.toFixed(1)} MB, ${files} files`;

describe('200 crashes in a row', function () {
  this.timeout(180_000);
  afterEach(cleanUpScripts);

  it('leak no descriptor, no file and no memory in the master', async () => {
    const { before, after } = await crashes(20, 200);
    console.log(`      the master after 20 crashes: ${shown(before)}; after 200: ${shown(after)}`);
    expect(after.descriptors).to.equal(before.descriptors);
    expect(after.files).to.equal(before.files);
    expect(after.memory).to.be.below(before.memory + 15);
  });
});
