import { expect } from 'chai';
import { wantedProcesses } from '../../../lib/wantedProcesses.js';

describe('wantedProcesses', () => {
  it('is a whole number of at least one, and one for what is no number, so that no count fills the machine', () => {
    const counts = [4, 2.9, 1, 0, -3, NaN, Infinity, -Infinity, '3', 'many', undefined, null];
    expect(counts.map((count) => wantedProcesses(count as number))).to.deep.equal([4, 2, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1]);
  });
});
