import { expect } from 'chai';
import { COMMANDS, MODES, SCHEMES, SIGNALS } from './checklist.js';
import { forget, reference } from './reference.js';
import { usesIn, type Uses } from './uses.js';

describe('every name that a Workerman user may rely on is used by a test', function () {
  this.timeout(120_000);
  let uses: Uses;

  before(async () => {
    uses = usesIn(await reference());
  });
  // The last file of this folder.
  after(forget);

  it('each class', () => {
    expect(uses.unknown).to.deep.equal([]);
  });

  it('each member of a class, interface or set of options', () => {
    expect(uses.unused).to.deep.equal([]);
  });

  it('each command, mode and signal', () => {
    const words = new Set([...uses.strings].flatMap((text) => text.split(/[\s,]+/)));
    expect([...COMMANDS, ...MODES, ...SIGNALS].filter((word) => !words.has(word))).to.deep.equal([]);
  });

  it('each scheme of a socket name', () => {
    const starts = [...uses.strings];
    expect(SCHEMES.filter((scheme) => !starts.some((text) => text.startsWith(`${scheme}://`)))).to.deep.equal([]);
  });
});
