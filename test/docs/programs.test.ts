import { expect } from 'chai';
import { cleanUpScripts } from '../support/process.js';
import { blocksIn, placeOf, type Block } from './pages.js';
import { ask, isProgram, run } from './programs.js';

const AT_A_TIME = 3;

/** Starts a program, asks each of its services, stops it. @returns what came of it */
async function tryOut(block: Block): Promise<string[]> {
  const { script, services } = await run(block);
  const answers = await Promise.all(services.map(ask));
  const { code } = await script.stop();
  return [...answers, `exit ${code}`];
}

describe('the programs in the pages', function () {
  this.timeout(60_000);
  const programs = blocksIn('ts', 'js').filter(isProgram);
  const outcomes = new Map<Block, Promise<string[]>>();

  before(async () => {
    const left = [...programs];
    const workThrough = async (): Promise<void> => {
      for (let block = left.shift(); block !== undefined; block = left.shift()) {
        const outcome = tryOut(block);
        outcomes.set(block, outcome);
        await outcome.catch(() => {}); // the test of this program says so
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, workThrough));
  });
  after(cleanUpScripts);

  for (const block of programs) {
    it(`starts, answers and stops: ${placeOf(block)}`, async () => {
      const answers = await outcomes.get(block)!;
      expect(answers.pop()).to.equal('exit 0');
      for (const answer of answers) expect(answer).to.match(/^(HTTP [1-4]\d\d|opened|connected|datagrams)$/);
    });
  }
});
