import { expect } from 'chai';
import { cleanUpScripts } from '../support/process.js';
import { spreading } from '../support/spreading.js';

describe('spreading of 400 connections over 8 processes', function () {
  this.timeout(120_000);
  afterEach(cleanUpScripts);

  for (const reusePort of [false, true]) {
    for (const atOnce of [20, 400]) {
      it(`that come ${atOnce} at once${reusePort ? ', with reusePort' : ''}: nobody holds nearly all`, async () => {
        const held = await spreading(8, 400, { reusePort, atOnce });
        console.log(`      ${held.join(' ')}`);
        expect(Math.max(...held)).to.be.at.most(280);
        // On few cores a process may rarely get its turn while clients come one by one; in a crowd everybody does.
        if (atOnce === 400) expect(Math.min(...held)).to.be.above(0);
      });
    }
  }
});
