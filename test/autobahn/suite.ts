import { expect } from 'chai';
import { cleanUpScripts } from '../support/process.js';
import type { Case, Extent } from './Case.js';
import { closing } from './cases/closing.js';
import { compression } from './cases/compression.js';
import { fragmentation } from './cases/fragmentation.js';
import { autoFragment, framing, opcodes, pings, reserved } from './cases/framing.js';
import { limits } from './cases/limits.js';
import { utf8 } from './cases/utf8.js';
import { ClientSubject, ServerSubject, type Subject } from './subjects.js';
import type { Delivery } from './Tester.js';

/**
 * Cases by the groups of the Autobahn test suite, written anew from RFC 6455 and RFC 7692, for a server and for a
 * client that send back what they get. Every case is run with its bytes in one write and byte by byte. Only the strict outcome
 * counts; what that suite would call "non-strict" fails here.
 */

const groups = (extent: Extent): [name: string, cases: readonly Case[]][] => [
  ['1 framing', framing],
  ['2 pings and pongs', pings],
  ['3 reserved bits', reserved],
  ['4 opcodes', opcodes],
  ['5 fragmentation', fragmentation],
  ['6 UTF-8', utf8],
  ['7 close handling', closing],
  ['9 limits', limits(extent)],
  ['10 cut transmission', autoFragment],
  ['12 and 13 compression', compression(extent)],
];

const DELIVERIES: readonly Delivery[] = ['whole', 'bytes'];

async function play(subject: Subject, test: Case, delivery: Delivery): Promise<void> {
  const tester = await subject.open(delivery, test.compression);
  try {
    await test.run(tester);
  } finally {
    tester.destroy();
  }
}

/** Defines the tests. */
export function defineSuite(extent: Extent, seconds: number): void {
  for (const subject of [new ServerSubject(), new ClientSubject()]) {
    describe(`a ${subject.role} under the cases of Autobahn`, function () {
      this.timeout(seconds * 1000);
      before(() => subject.start());
      after(cleanUpScripts);

      for (const [name, cases] of groups(extent)) {
        describe(name, () => {
          for (const test of cases) {
            for (const delivery of DELIVERIES) {
              it(`${test.id} ${test.title}${delivery === 'whole' ? '' : ', byte by byte'}`, () =>
                play(subject, test, delivery));
            }
          }
        });
      }

      // A group of its own: Mocha runs what stands beside groups before them.
      describe('at the end', () => {
        it('has kept its process, and leaves nothing behind when it stops', async () => {
          const script = subject.script();
          expect(script.log()).to.not.match(/exit with status/);
          await subject.stop();
        });
      });
    });
  }
}
