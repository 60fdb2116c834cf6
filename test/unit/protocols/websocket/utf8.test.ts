import { expect } from 'chai';
import fc from 'fast-check';
import { Utf8Validator } from '../../../../protocols/websocket/utf8.js';

/** Offset of the first byte that can not continue the text before it, or -1; fed one byte at a time. */
function firstBad(bytes: Uint8Array): number {
  const validator = new Utf8Validator();
  for (let i = 0; i < bytes.length; i++) if (!validator.push(bytes, i, i + 1)) return i;
  return -1;
}

const isWhole = (bytes: Uint8Array): boolean => {
  const validator = new Utf8Validator();
  return validator.push(bytes, 0, bytes.length) && validator.complete;
};

/** Fed in pieces of the given sizes, again and again. */
function inSizes(bytes: Uint8Array, sizes: readonly number[]): boolean {
  const validator = new Utf8Validator();
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const to = Math.min(bytes.length, at + sizes[i % sizes.length]!);
    if (!validator.push(bytes, at, to)) return false;
    at = to;
  }
  return validator.complete;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodes = (bytes: Uint8Array): boolean => {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
};

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('Utf8Validator', () => {
  it('accepts the first and the last character of each length, and the neighbours of the surrogates', () => {
    for (const bytes of [
      '00',
      '7f',
      'c2 80',
      'df bf',
      'e0 a0 80',
      'ef bf bf',
      'f0 90 80 80',
      'f4 8f bf bf',
      'ed 9f bf',
      'ee 80 80',
      'ef bf bd',
      'ef bb bf',
      'ef bf be',
      'f0 9f 8e 89',
    ])
      expect(isWhole(hex(bytes)), bytes).to.equal(true);
  });

  it('fails at the first byte that can not continue', () => {
    const cases: [bytes: string, at: number][] = [
      ['80', 0],
      ['bf', 0],
      ['c0', 0],
      ['c1', 0],
      ['f5', 0],
      ['f8', 0],
      ['fe', 0],
      ['ff', 0],
      ['c2 7f', 1],
      ['c2 c0', 1],
      ['df c0', 1],
      ['e0 80', 1],
      ['e0 9f', 1],
      ['ed a0', 1],
      ['ed bf', 1],
      ['ef 7f', 1],
      ['e1 80 7f', 2],
      ['e1 80 c0', 2],
      ['f0 80', 1],
      ['f0 8f', 1],
      ['f4 90', 1],
      ['f4 bf', 1],
      ['f1 80 80 7f', 3],
      ['f1 80 c0', 2],
      ['61 62 80', 2],
      ['ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80', 12],
      ['ce ba ed a0 80', 3],
    ];
    for (const [bytes, at] of cases) expect(firstBad(hex(bytes)), bytes).to.equal(at);
  });

  it('is not content with half a character at the end', () => {
    for (const bytes of ['c2', 'e1', 'e1 80', 'f1', 'f1 80', 'f1 80 80', '61 e2 82']) {
      expect(firstBad(hex(bytes)), bytes).to.equal(-1);
      expect(isWhole(hex(bytes)), bytes).to.equal(false);
    }
  });

  it('judges every sequence of two bytes, and of three behind every leading byte, as the decoder of the platform does', () => {
    const pair = new Uint8Array(2);
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        pair[0] = a;
        pair[1] = b;
        if (isWhole(pair) !== decodes(pair)) expect.fail(`${a} ${b}`);
      }
    }
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xff];
    for (let a = 0xc0; a < 256; a++) {
      for (const b of edges) {
        for (const c of edges) {
          for (const d of [0x7f, 0x80, 0xbf, 0xc0, -1]) {
            const bytes = Uint8Array.from(d < 0 ? [a, b, c] : [a, b, c, d]);
            if (isWhole(bytes) !== decodes(bytes)) expect.fail(bytes.join(' '));
          }
        }
      }
    }
  });

  const text = fc.string({ unit: 'binary', maxLength: 200 }).map((value) => new Uint8Array(Buffer.from(value)));
  const spoilt = fc.tuple(text, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    const copy = Uint8Array.from([...bytes, byte]);
    copy[at % copy.length] = byte;
    return copy;
  });
  const anything = fc.oneof(text, spoilt, fc.uint8Array({ maxLength: 120 }));
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

  it('agrees with the decoder of the platform, whatever the bytes and however they are cut', () => {
    fc.assert(
      fc.property(anything, sizes, (bytes, cuts) => {
        expect(inSizes(bytes, cuts)).to.equal(decodes(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('fails in the piece that holds the first bad byte, never before and never later', () => {
    fc.assert(
      fc.property(anything, sizes, (bytes, cuts) => {
        const bad = firstBad(bytes);
        const validator = new Utf8Validator();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const to = Math.min(bytes.length, at + cuts[i % cuts.length]!);
          const fine = validator.push(bytes, at, to);
          expect(fine).to.equal(bad < 0 || bad >= to);
          if (!fine) return;
          at = to;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('no byte is bad before which some continuation would be a text', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const bad = firstBad(bytes);
        const prefix = bad < 0 ? bytes : bytes.subarray(0, bad);
        const endings = ['', '80', '80 80', 'a0 80', '90 80 80', '80 80 80', '90 80', '80 bf', 'bf 80', 'bf'];
        expect(endings.some((ending) => decodes(Buffer.concat([prefix, hex(ending)])))).to.equal(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('begins anew after reset', () => {
    const validator = new Utf8Validator();
    validator.push(hex('e0'), 0, 1);
    validator.reset();
    expect(validator.complete).to.equal(true);
    expect(validator.push(hex('80'), 0, 1)).to.equal(false);
    validator.reset();
    expect(validator.push(hex('ed'), 0, 1) && validator.push(hex('9f bf'), 0, 2) && validator.complete).to.equal(true);
  });
});
