import { expect } from 'chai';
import fc from 'fast-check';
import { ReceiveBuffer } from '../../../connection/ReceiveBuffer.js';

type Step =
  | { kind: 'push'; bytes: Uint8Array } | { kind: 'copy'; bytes: Uint8Array; missing: number | null }
  | { kind: 'take' | 'after'; share: number } | { kind: 'view' } | { kind: 'clear' };

const step = (): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ kind: 'push' as const, bytes })) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 900, maxLength: 1500 }).map((bytes) => ({ kind: 'push' as const, bytes })),
    },
    {
      weight: 5,
      arbitrary: fc.record({ bytes: fc.uint8Array({ maxLength: 400 }), missing: fc.option(fc.integer({ min: -50, max: 1500 })) })
        .map((record) => ({ kind: 'copy' as const, ...record })),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 50_000, max: 200_000 })
        .map((size) => ({ kind: 'copy' as const, bytes: Buffer.alloc(size, 'large'), missing: null })),
    },
    {
      weight: 3,
      arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ kind: 'take' as const, share })),
    },
    {
      weight: 3,
      arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ kind: 'after' as const, share })),
    },
    { weight: 4, arbitrary: fc.constant({ kind: 'view' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
  );

describe('ReceiveBuffer', () => {
  it('behaves like one big Buffer, whatever is pushed, looked at and taken', () => {
    fc.assert(
      fc.property(fc.array(step(), { maxLength: 60 }), (steps) => {
        const buffer = new ReceiveBuffer();
        let model = Buffer.alloc(0);
        // All that was ever handed out, with a copy from that moment.
        const kept: [Buffer, Buffer][] = [];
        const keep = (bytes: Buffer): Buffer => {
          kept.push([bytes, Buffer.from(bytes)]);
          return bytes;
        };
        for (const s of steps) {
          if (s.kind === 'push') {
            buffer.push(Buffer.from(s.bytes));
            model = Buffer.concat([model, s.bytes]);
          } else if (s.kind === 'copy') {
            const memory = Buffer.concat([Buffer.from('..'), s.bytes, Buffer.from('...')]);
            const expected = s.missing === null ? 0 : buffer.length + s.missing;
            buffer.pushCopy(memory, 2, 2 + s.bytes.length, expected);
            memory.fill(0);
            model = Buffer.concat([model, s.bytes]);
          } else if (s.kind === 'take') {
            const n = Math.round(s.share * model.length);
            expect(keep(buffer.take(n))).to.deep.equal(model.subarray(0, n));
            model = model.subarray(n);
          } else if (s.kind === 'after') {
            const n = Math.round(s.share * model.length);
            expect(keep(buffer.after(n))).to.deep.equal(model.subarray(n));
          } else if (s.kind === 'view') {
            expect(keep(buffer.view())).to.deep.equal(model);
          } else {
            buffer.clear();
            model = Buffer.alloc(0);
          }
          expect(buffer.length).to.equal(model.length);
        }
        for (const [bytes, then] of kept) expect(bytes.equals(then)).to.be.true;
      }),
      { numRuns: 500 },
    );
  });

  it('is empty at first and after clear()', () => {
    const buffer = new ReceiveBuffer();
    expect(buffer.view()).to.have.length(0);
    buffer.push(Buffer.from('abc'));
    buffer.clear();
    expect(buffer.length).to.equal(0);
    expect(buffer.view()).to.have.length(0);
    expect(buffer.take(0)).to.have.length(0);
  });

  it('hands out a packet that lies in one chunk without copying it', () => {
    const chunk = Buffer.from('onetwo');
    const buffer = new ReceiveBuffer();
    buffer.push(chunk);
    expect(buffer.view()).to.equal(chunk);
    const packet = buffer.take(3);
    expect(packet.buffer).to.equal(chunk.buffer);
    expect(String(packet)).to.equal('one');
    expect(String(buffer.take(3))).to.equal('two');
  });

  it('does not let what is left of a large packet keep its memory', () => {
    const buffer = new ReceiveBuffer();
    const memory = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 20; i++) {
      buffer.pushCopy(memory, 0, memory.length, 0);
      buffer.view();
    }
    const packet = buffer.take(buffer.length - 100);
    expect(packet.buffer.byteLength).to.be.above(1_000_000);
    expect(buffer.view().buffer.byteLength).to.be.below(100_000);
    buffer.pushCopy(memory, 0, 50, 0);
    expect(buffer.view().buffer.byteLength).to.be.below(100_000);
    expect(buffer.take(150).equals(memory.subarray(0, 150))).to.equal(true);
  });

  it('gives what has just come without putting it behind the rest', () => {
    const buffer = new ReceiveBuffer();
    buffer.push(Buffer.from('one'));
    const last = Buffer.from('two');
    buffer.push(last);
    expect(buffer.after(3)).to.equal(last);
    expect(String(buffer.after(2))).to.equal('etwo');
    expect(buffer.after(6)).to.have.length(0);
  });

  it('puts the pieces of a packet of unknown length where they will lie, as long as there is room', () => {
    const memory = Buffer.alloc(65_536, 'x');
    const cost = costOf(() => {
      const buffer = new ReceiveBuffer();
      for (let i = 0; i < 64; i++) {
        buffer.pushCopy(memory, 0, memory.length, 0);
        buffer.view();
      }
    });
    // Kept, joined, and moved when the memory is doubled: each at most twice in all.
    expect(cost.copied).to.be.at.most(2.5 * 64 * memory.length);
    expect(cost.allocated).to.be.at.most(4.5 * 64 * memory.length);
  });

  /** Runs `work` and counts the bytes that are copied and the memory that is allocated for them. */
  function costOf(work: () => void): { copied: number; allocated: number } {
    const cost = { copied: 0, allocated: 0 };
    const { copy } = Buffer.prototype;
    const { allocUnsafeSlow, concat } = Buffer;
    Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
      const count = copy.apply(this, args);
      cost.copied += count;
      return count;
    };
    Buffer.allocUnsafeSlow = (size) => {
      cost.allocated += size;
      return allocUnsafeSlow(size);
    };
    Buffer.concat = (list, total) => {
      const joined = concat(list, total);
      cost.copied += joined.length;
      cost.allocated += joined.length;
      return joined;
    };
    try {
      work();
    } finally {
      Buffer.prototype.copy = copy;
      Object.assign(Buffer, { allocUnsafeSlow, concat });
    }
    return cost;
  }

  const MEGABYTES = 10 * 1024 * 1024;

  it('joins a packet of known length once, however many pieces it comes in', () => {
    const piece = Buffer.alloc(500, 'x');
    const cost = costOf(() => {
      const buffer = new ReceiveBuffer();
      while (buffer.length < MEGABYTES) buffer.push(piece);
      expect(buffer.take(MEGABYTES)).to.have.length(MEGABYTES);
    });
    expect(cost).to.deep.equal({ copied: MEGABYTES, allocated: MEGABYTES });
  });

  it('puts a packet of known length together while it comes, out of memory that is written anew', () => {
    const memory = Buffer.alloc(65_536);
    const buffer = new ReceiveBuffer();
    let packet: Buffer = Buffer.alloc(0);
    const cost = costOf(() => {
      for (let at = 0; at < MEGABYTES; at += memory.length) {
        memory.fill((at / memory.length) % 251);
        buffer.pushCopy(memory, 0, memory.length, MEGABYTES);
      }
      packet = buffer.take(MEGABYTES);
    });
    for (let at = 0; at < MEGABYTES; at += 1000) expect(packet[at]).to.equal(Math.floor(at / memory.length) % 251);
    expect(buffer.length).to.equal(0);
    expect(cost.copied).to.be.at.most(1.25 * MEGABYTES);
    expect(cost.allocated).to.be.at.most(1.25 * MEGABYTES);
  });

  it('keeps what comes behind a packet of known length apart from it', () => {
    const buffer = new ReceiveBuffer();
    buffer.pushCopy(Buffer.from('..one'), 2, 5, 6);
    buffer.pushCopy(Buffer.from('TWOthree..'), 0, 8, 6);
    expect(buffer.length).to.equal(11);
    expect(String(buffer.take(6))).to.equal('oneTWO');
    expect(String(buffer.take(5))).to.equal('three');
  });

  it('makes little memory for a packet that is only announced', () => {
    const piece = Buffer.alloc(4096, 'x');
    const cost = costOf(() => {
      const buffer = new ReceiveBuffer();
      for (let i = 0; i < 100; i++) buffer.pushCopy(piece, 0, piece.length, MEGABYTES);
      expect(buffer.length).to.equal(100 * piece.length);
    });
    expect(cost.allocated).to.be.at.most(4 * 100 * piece.length);
  });

  it('copies no more than a few times the bytes when it is looked at after every piece', () => {
    const piece = Buffer.alloc(500, 'x');
    const cost = costOf(() => {
      const buffer = new ReceiveBuffer();
      while (buffer.length < MEGABYTES) {
        buffer.push(piece);
        expect(buffer.view().length).to.equal(buffer.length);
      }
    });
    expect(cost.copied).to.be.below(4 * MEGABYTES);
    expect(cost.allocated).to.be.below(5 * MEGABYTES);
  });

  it('stays linear when many packets are cut off a front that is looked at again and again', () => {
    const buffer = new ReceiveBuffer();
    const count = 20_000;
    const cost = costOf(() => {
      for (let i = 0; i < count; i++) {
        buffer.push(Buffer.alloc(30));
        buffer.view();
        if (i % 2 === 1) buffer.take(31);
      }
    });
    expect(cost.copied).to.be.below(6 * 30 * count);
    expect(buffer.length).to.equal(30 * count - 31 * (count / 2));
  });
});
