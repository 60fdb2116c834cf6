import { expect } from 'chai';
import { NodeReader } from '../fuzz/node.js';
import { newTally, tryInputs } from '../fuzz/run.js';

/** Seconds: FUZZ_SECONDS, or ten minutes. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 600);
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e9);

describe('our parser and that of Node, for a long time', () => {
  it(`take the same requests from random connections (${SECONDS} s, first seed ${SEED})`, async function () {
    this.timeout((SECONDS + 120) * 1000);
    const reader = new NodeReader();
    const tally = newTally();
    const end = Date.now() + SECONDS * 1000;
    for (let seed = SEED; Date.now() < end; seed++) await tryInputs(seed, reader, tally);
    reader.close();
    console.log(`      ${JSON.stringify(tally)}`);
    expect(tally.requests).to.be.above(tally.inputs / 4);
  });
});
