import { expect } from 'chai';
import fc from 'fast-check';
import {
  applyMask,
  copyUnmasked,
  randomKey,
  rotateKey,
  SCRATCH,
  unmaskToScratch,
} from '../../../../protocols/websocket/mask.js';

/** The definition of RFC 6455 section 5.3, byte by byte. */
function plainly(bytes: Uint8Array, key: number, offset = 0): number[] {
  const keys = [key & 255, (key >>> 8) & 255, (key >>> 16) & 255, key >>> 24];
  return Array.from(bytes, (byte, i) => byte ^ keys[(i + offset) & 3]!);
}

const keys = fc.integer();
const blocks = fc.uint8Array({ maxLength: 400 });

describe('masking', () => {
  it('does what the RFC defines, wherever the bytes lie in memory and wherever the payload is cut', () => {
    fc.assert(
      fc.property(blocks, keys, fc.nat(7), fc.nat(9), fc.nat(9), (bytes, key, lead, trail, offset) => {
        const memory = new Uint8Array(lead + bytes.length + trail).fill(0xaa);
        memory.set(bytes, lead);
        applyMask(memory, lead, lead + bytes.length, key, offset);
        expect(Array.from(memory.subarray(lead, lead + bytes.length))).to.deep.equal(plainly(bytes, key, offset));
        expect(memory.subarray(0, lead).every((byte) => byte === 0xaa)).to.equal(true);
        expect(memory.subarray(lead + bytes.length).every((byte) => byte === 0xaa)).to.equal(true);
      }),
    );
  });

  it('masks every length up to 200 at every alignment', () => {
    const source = Uint8Array.from({ length: 220 }, (_, i) => (i * 7) & 255);
    for (let from = 0; from < 8; from++) {
      for (let length = 0; length <= 200; length++) {
        const memory = source.slice();
        applyMask(memory, from, from + length, 0x3d21fa37);
        const expected = source.slice();
        expected.set(plainly(source.subarray(from, from + length), 0x3d21fa37), from);
        expect(Buffer.compare(memory, expected), `${length} bytes from ${from}`).to.equal(0);
      }
    }
  });

  it('undoes itself', () => {
    fc.assert(
      fc.property(blocks, keys, fc.nat(3), (bytes, key, offset) => {
        const memory = bytes.slice();
        applyMask(memory, 0, memory.length, key, offset);
        applyMask(memory, 0, memory.length, key, offset);
        expect(Array.from(memory)).to.deep.equal(Array.from(bytes));
      }),
    );
  });

  it('copies and unmasks at once without touching the source', () => {
    fc.assert(
      fc.property(blocks, keys, fc.nat(5), (bytes, key, from) => {
        const source = new Uint8Array(from + bytes.length);
        source.set(plainly(bytes, key), from);
        const before = source.slice();
        const target = new Uint8Array(bytes.length + 3).fill(0x55);
        copyUnmasked(source, from, source.length, key, target);
        expect(Array.from(target.subarray(0, bytes.length))).to.deep.equal(Array.from(bytes));
        expect(Array.from(target.subarray(bytes.length))).to.deep.equal([0x55, 0x55, 0x55]);
        expect(Buffer.compare(source, before)).to.equal(0);
        const isAscii = unmaskToScratch(source, from, source.length, key);
        expect(Array.from(SCRATCH.subarray(0, bytes.length))).to.deep.equal(Array.from(bytes));
        expect(isAscii).to.equal(bytes.every((byte) => byte < 0x80));
        expect(Buffer.compare(source, before)).to.equal(0);
      }),
    );
  });

  it('notices a single byte that is not ASCII, wherever it is', () => {
    for (const length of [1, 3, 63, 64, 65, 200]) {
      for (let at = 0; at < length; at++) {
        const bytes = new Uint8Array(length).fill(0x7f);
        expect(unmaskToScratch(Uint8Array.from(plainly(bytes, 0x0ff00ff1)), 0, length, 0x0ff00ff1)).to.equal(true);
        bytes[at] = 0x80;
        expect(
          unmaskToScratch(Uint8Array.from(plainly(bytes, 0x0ff00ff1)), 0, length, 0x0ff00ff1),
          `${at} of ${length}`,
        ).to.equal(false);
      }
    }
  });

  it('turns a key by the bytes that lie before', () => {
    fc.assert(
      fc.property(keys, fc.nat(20), (key, by) => {
        const turned = rotateKey(key, by);
        expect(plainly(new Uint8Array(4), turned)).to.deep.equal(plainly(new Uint8Array(4), key, by));
      }),
    );
  });

  it('draws keys that do not repeat', () => {
    const drawn = new Set(Array.from({ length: 5000 }, randomKey));
    // Among 5000 random numbers of 32 bits there is hardly ever a pair of equal ones, and never five.
    expect(drawn.size).to.be.above(4995);
    expect([...drawn].some((key) => key < 0) && [...drawn].some((key) => key > 0)).to.equal(true);
  });
});
