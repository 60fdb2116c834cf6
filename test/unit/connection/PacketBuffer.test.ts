import { expect } from 'chai';
import type { ConnectionInterface } from '../../../connection/ConnectionInterface.js';
import { PacketBuffer } from '../../../connection/PacketBuffer.js';

const connection = {} as ConnectionInterface;

describe('PacketBuffer', () => {
  /** A protocol that finds nothing and writes down what it was shown. */
  const shown: string[] = [];
  const protocol = {
    input: (buffer: Buffer): number => (shown.push(String(buffer)), 0),
    inputRest: (rest: Buffer, seen: number): number | undefined => (shown.push(`${seen}+${String(rest)}`), 0),
    decode: String,
    encode: String,
  };
  const filled = (text: string): PacketBuffer => {
    const buffer = new PacketBuffer();
    buffer.push(Buffer.from(text));
    shown.length = 0;
    return buffer;
  };

  it('shows a protocol that waits only what is new', () => {
    const buffer = filled('abc');
    for (const more of ['de', 'f']) {
      expect(buffer.ask(protocol, connection)).to.equal(0);
      buffer.wait();
      buffer.push(Buffer.from(more));
    }
    buffer.ask(protocol, connection);
    expect(shown).to.deep.equal(['abc', '3+de', '5+f']);
  });

  it('shows everything where the rest was not enough to tell, or there is nobody to look at it', () => {
    const buffer = filled('abc');
    buffer.wait();
    buffer.ask({ ...protocol, inputRest: () => undefined }, connection);
    buffer.wait();
    buffer.ask({ input: protocol.input, decode: String, encode: String }, connection);
    expect(shown).to.deep.equal(['abc', 'abc']);
  });

  for (const [what, change] of [
    ['that did not say to wait', () => {}],
    ['after something was taken', (buffer: PacketBuffer) => void buffer.take(1)],
    ['after a new beginning', (buffer: PacketBuffer) => (buffer.clear(), buffer.push(Buffer.from('bc')))],
  ] as const) {
    it(`shows everything to a protocol ${what}`, () => {
      const buffer = filled('abc');
      if (change.length > 0) buffer.wait();
      change(buffer);
      buffer.ask(protocol, connection);
      expect(shown).to.deep.equal([change.length > 0 ? 'bc' : 'abc']);
    });
  }

  it('shows everything to a protocol that was not asked before, whoever has waited', () => {
    const buffer = filled('abc');
    buffer.ask({ ...protocol }, connection);
    buffer.wait();
    buffer.push(Buffer.from('d'));
    buffer.ask(protocol, connection);
    expect(shown).to.deep.equal(['abc', 'abcd']);
  });

  it('gives a packet when all of it is there, and knows nothing of the next one', () => {
    const buffer = filled('abc');
    buffer.expected = 4;
    expect(buffer.takePacket()).to.equal(null);
    buffer.push(Buffer.from('de'));
    expect(String(buffer.takePacket())).to.equal('abcd');
    expect([buffer.expected, buffer.length]).to.deep.equal([0, 1]);
    buffer.expected = 9;
    buffer.clear();
    expect([buffer.expected, buffer.length]).to.deep.equal([0, 0]);
  });
});
