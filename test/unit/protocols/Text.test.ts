import { expect } from 'chai';
import fc from 'fast-check';
import { Text } from '../../../protocols/Text.js';
import { cutAt, deliveries, feed } from '../../support/feed.js';

/** What Text sees of a connection. */
function connectionOf(maxPackageSize = 10_485_760): { maxPackageSize: number; closed: number; close(): void } {
  return {
    maxPackageSize,
    closed: 0,
    close() {
      this.closed++;
    },
  };
}

/** The messages of a stream that arrives in these pieces. */
function messagesOf(pieces: readonly Uint8Array[]): { values: string[]; rest: string } {
  const connection = connectionOf();
  const { values, rest } = feed(pieces, (buffer) => {
    const length = Text.input(buffer, connection);
    return length === 0 ? null : { length, value: Text.decode(buffer.subarray(0, length)) };
  });
  return { values, rest: String(rest) };
}

describe('Text', () => {
  it('cuts at the first LF', () => {
    const connection = connectionOf();
    expect(Text.input(Buffer.from(''), connection)).to.equal(0);
    expect(Text.input(Buffer.from('abc'), connection)).to.equal(0);
    expect(Text.input(Buffer.from('abc\n'), connection)).to.equal(4);
    expect(Text.input(Buffer.from('\nabc\n'), connection)).to.equal(1);
    expect(Text.input(Buffer.from('a\nb\n'), connection)).to.equal(2);
    expect(connection.closed).to.equal(0);
  });

  it('takes every CR and LF off the end, and no other', () => {
    const cases: [string, string][] = [
      ['\n', ''],
      ['b\r\n', 'b'],
      ['a\r\r\n', 'a'],
      ['\ra\r\n', '\ra'],
      ['a\rb\n', 'a\rb'],
      [' a \n', ' a '],
      ['\r\n', ''],
      ['äö€\n', 'äö€'],
      ['a\0\n', 'a\0'],
    ];
    for (const [wire, message] of cases) expect(Text.decode(Buffer.from(wire))).to.equal(message);
  });

  it('reads as UTF-8, with U+FFFD for what is none', () => {
    expect(Text.decode(Buffer.from([0x61, 0xff, 0x62, 0x0a]))).to.equal('a\ufffdb');
  });

  it('writes a LF behind text, scalars and bytes, and escapes nothing', () => {
    const cases: [unknown, string][] = [
      ['a', 'a\n'],
      ['', '\n'],
      ['a\nb', 'a\nb\n'],
      [5, '5\n'],
      [1.5, '1.5\n'],
      [true, '1\n'],
      [false, '\n'],
      [null, '\n'],
      [undefined, '\n'],
    ];
    for (const [data, wire] of cases) expect(Text.encode(data)).to.equal(wire);
    expect(Text.encode(Buffer.from([0xff, 0x00]))).to.deep.equal(Buffer.from([0xff, 0x00, 0x0a]));
    expect(Buffer.from(Text.encode(new Uint8Array([1])))).to.deep.equal(Buffer.from([1, 0x0a]));
  });

  it('refuses objects with a TypeError', () => {
    for (const data of [{}, [], new Date(), () => {}, Symbol('s')]) expect(() => Text.encode(data)).to.throw(TypeError);
  });

  it('finds the same lines however they arrive', () => {
    const wire = Buffer.from('one\n\ntwo\r\nthr\ree\näöü€𝄞\nrest');
    for (const { name, pieces } of deliveries(wire, 10)) {
      expect(messagesOf(pieces), name).to.deep.equal({ values: ['one', '', 'two', 'thr\ree', 'äöü€𝄞'], rest: 'rest' });
    }
  });

  it('gives back what was encoded, however it is cut', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(200), { maxLength: 10 }), (lines, cuts) => {
        const wire = Buffer.from(lines.map((text) => Text.encode(text)).join(''));
        expect(messagesOf(cutAt(wire, cuts))).to.deep.equal({ values: lines, rest: '' });
      }),
    );
  });

  describe('the limit', () => {
    it('is for the first line with its LF, and closes when it is reached', () => {
      const cases: [string, number, number, number][] = [
        // bytes, limit, length, closes
        ['1234567\n', 9, 8, 0],
        ['12345678\n', 9, 0, 1],
        ['12345678', 9, 0, 0],
        ['123456789', 9, 0, 1],
        ['a\n23456789abc\n', 9, 2, 0],
        ['a\nb\nc\nd\ne\nf\n', 9, 2, 0],
      ];
      for (const [wire, limit, length, closes] of cases) {
        const connection = connectionOf(limit);
        expect(Text.input(Buffer.from(wire), connection), wire).to.equal(length);
        expect(connection.closed, wire).to.equal(closes);
      }
    });

    it('is not there for datagrams', () => {
      const datagram = { close: () => expect.fail('nothing to close') };
      expect(Text.input(Buffer.from('abc\n'), datagram)).to.equal(4);
      expect(Text.input(Buffer.alloc(65_000, 'x'), datagram)).to.equal(0);
    });
  });

  describe('a long line in small pieces', () => {
    /** Runs `work` and counts the bytes that are searched for a LF. */
    function searchedIn(work: () => void): number {
      const { indexOf } = Buffer.prototype;
      let count = 0;
      Buffer.prototype.indexOf = function (this: Buffer, ...args: unknown[]) {
        const found = indexOf.apply(this, args as Parameters<typeof indexOf>);
        count += (found < 0 ? this.length : found) - (typeof args[1] === 'number' ? args[1] : 0);
        return found;
      };
      try {
        work();
      } finally {
        Buffer.prototype.indexOf = indexOf;
      }
      return count;
    }

    it('is searched once when it grows in place', () => {
      const size = 1 << 20;
      const memory = Buffer.alloc(size, 'x');
      memory[size - 1] = 0x0a;
      const connection = connectionOf();
      const searched = searchedIn(() => {
        for (let length = 256; length < size; length += 256) {
          expect(Text.input(memory.subarray(0, length), connection)).to.equal(0);
        }
        expect(Text.input(memory, connection)).to.equal(size);
      });
      expect(searched).to.be.below(2 * size);
    });

    it('is searched whole when it has moved, or when it is another one', () => {
      const connection = connectionOf();
      const old = Buffer.alloc(40_000, 'x');
      expect(Text.input(old, connection)).to.equal(0);
      const moved = Buffer.alloc(50_000, 'y');
      moved[10] = 0x0a;
      expect(Text.input(moved, connection)).to.equal(11);
      expect(Text.input(moved.subarray(11), connection)).to.equal(0);
      const behind = moved.subarray(11);
      behind[39_000] = 0x0a;
      expect(Text.input(Buffer.from(behind), connection)).to.equal(39_001);
      expect(Text.input(old, connectionOf())).to.equal(0);
    });
  });
});
