import { expect } from 'chai';
import fc from 'fast-check';
import { ReceiveBuffer } from '../../../connection/ReceiveBuffer.js';

describe('ReceiveBuffer with tiny chunks', () => {
  it('does not keep a chunk for each byte while a long packet trickles in', () => {
    const buffer = new ReceiveBuffer();
    for (let i = 0; i < 100_000; i++) buffer.push(Buffer.from([i % 251]));
    expect(buffer.length).to.equal(100_000);
    // A slice of the memory into which they were joined as they came, and no copy made now of 90 000 chunks.
    const packet = buffer.take(90_000);
    expect(packet.every((byte, i) => byte === i % 251)).to.equal(true);
    expect(packet.buffer.byteLength).to.be.above(90_000);
    expect(buffer.take(10_000).every((byte, i) => byte === (i + 90_000) % 251)).to.equal(true);
  });

  it('lets go of the memory of a long packet, whatever small one follows it', () => {
    const buffer = new ReceiveBuffer();
    // Of unknown length, so that it is put together in memory that has room behind it.
    for (let i = 0; i < 16; i++) {
      buffer.push(Buffer.alloc(64 * 1024, i));
      buffer.view();
    }
    buffer.push(Buffer.from('smallrest'));
    buffer.view();
    const long = buffer.take(1024 * 1024);
    expect([long[0], long.at(-1)]).to.deep.equal([0, 15]);
    const small = buffer.take(5);
    const rest = buffer.view();
    expect([small.toString(), rest.toString()]).to.deep.equal(['small', 'rest']);
    for (const bytes of [small, rest]) expect(bytes.buffer.byteLength).to.be.at.most(64 * 1024);
  });

  it('gives small packets in front of a long one memory of their own', () => {
    const buffer = new ReceiveBuffer();
    buffer.push(Buffer.concat([Buffer.from('small'), Buffer.alloc(1024 * 1024, 7)]));
    const small = buffer.take(5);
    expect(small.toString()).to.equal('small');
    expect(small.buffer.byteLength).to.be.at.most(64 * 1024);
    expect(buffer.take(1024 * 1024).every((byte) => byte === 7)).to.equal(true);
    expect(buffer.length).to.equal(0);
  });

  it('gives the same bytes as a plain list of chunks, however it is used', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ push: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ push: fc.integer({ min: 1000, max: 4000 }) }) },
      { weight: 1, arbitrary: fc.record({ push: fc.integer({ min: 60_000, max: 70_000 }) }) },
      { weight: 1, arbitrary: fc.record({ take: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ take: fc.nat(200_000) }) },
      { weight: 1, arbitrary: fc.constant({ view: true }) },
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const buffer = new ReceiveBuffer();
      let model = Buffer.alloc(0);
      let next = 0;
      for (const todo of steps) {
        if ('push' in todo) {
          const chunk = Buffer.alloc(todo.push, Buffer.from([next++ % 251, next % 13, next % 7]));
          buffer.push(chunk);
          model = Buffer.concat([model, chunk]);
        } else if ('take' in todo) {
          const n = Math.min(todo.take, model.length);
          expect(buffer.take(n).equals(model.subarray(0, n))).to.equal(true);
          model = model.subarray(n);
        } else {
          expect(buffer.view().equals(model)).to.equal(true);
        }
        expect(buffer.length).to.equal(model.length);
      }
    }), { numRuns: 100 });
  });
});
