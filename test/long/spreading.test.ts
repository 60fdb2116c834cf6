import { expect } from 'chai';
import { kernelSpreads } from '../../lib/bindSocket.js';
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
        // Where all processes wait at one queue, it is the scheduler who says which of them comes first, and with more
        // processes than cores one of them may come too late for all of it. The kernel's own spreading forgets nobody.
        if (reusePort && kernelSpreads) expect(Math.min(...held)).to.be.above(20);
      });
    }
  }
});
