import { expect } from 'chai';
import fc from 'fast-check';
import { PayloadBuffer } from '../../../../protocols/websocket/PayloadBuffer.js';

describe('PayloadBuffer', () => {
  it('gives back what was put in, in order, and begins anew', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), fc.boolean(), (pieces, last) => {
        const buffer = new PayloadBuffer();
        for (let round = 0; round < 2; round++) {
          let pending = pieces.reduce((sum, piece) => sum + piece.length, 0);
          for (const piece of pieces) {
            pending -= piece.length;
            buffer.append(Buffer.from([0, ...piece, 0]), 1, 1 + piece.length, pending, last);
          }
          expect(buffer.length).to.equal(pieces.reduce((sum, piece) => sum + piece.length, 0));
          expect(buffer.take().equals(Buffer.concat(pieces))).to.equal(true);
          expect(buffer.length).to.equal(0);
        }
      }),
    );
  });

  it('hands out memory that is never written again', () => {
    const buffer = new PayloadBuffer();
    buffer.append(Buffer.from('first'), 0, 5, 0, true);
    const first = buffer.take();
    buffer.append(Buffer.from('second'), 0, 6, 0, true);
    buffer.take();
    expect(first.toString()).to.equal('first');
  });

  it('allocates exactly what the last frame needs, when a good part of it is there', () => {
    const buffer = new PayloadBuffer();
    buffer.append(Buffer.alloc(1000), 0, 1000, 3000, true);
    expect(buffer.memory.length).to.equal(4000);
  });

  it('does not allocate what is only announced', () => {
    const buffer = new PayloadBuffer();
    buffer.append(Buffer.alloc(1000), 0, 1000, 10_000_000, true);
    expect(buffer.memory.length).to.be.below(10_000);
  });

  it('keeps little more memory than it hands out', () => {
    const buffer = new PayloadBuffer();
    for (let i = 0; i < 70_000; i++) buffer.append(Buffer.of(i), 0, 1, 0, false);
    const bytes = buffer.take();
    expect(bytes.length).to.equal(70_000);
    expect(bytes.buffer.byteLength).to.be.below(150_000);
  });

  it('copies a million single bytes a few times at most', () => {
    const buffer = new PayloadBuffer();
    const capacities = new Set<number>();
    const byte = Buffer.of(1);
    for (let i = 0; i < 1_000_000; i++) {
      buffer.append(byte, 0, 1, 0, false);
      capacities.add(buffer.memory.length);
    }
    expect(capacities.size).to.be.below(25);
    expect(buffer.length).to.equal(1_000_000);
  });
});
