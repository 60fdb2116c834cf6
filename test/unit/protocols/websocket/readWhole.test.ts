import { expect } from 'chai';
import fc from 'fast-check';
import { FrameReader, STEP } from '../../../../protocols/websocket/frames.js';
import { frame } from '../../../support/websocket.js';

/** What the ordinary way says of the first thing in these bytes, when that is a whole message. */
function firstMessage(bytes: Buffer, limit: number): { message: string | Buffer; at: number } | null {
  const reader = new FrameReader(true);
  if (reader.read(bytes, 0, limit) !== STEP.MESSAGE || reader.compressed) return null;
  return { message: reader.takeMessage(), at: reader.at };
}

/** The same from memory that begins somewhere and is overwritten at once. */
function atSight(bytes: Buffer, limit: number, offset: number): { message: string | Buffer; at: number } | null {
  const memory = Buffer.concat([Buffer.alloc(offset, 0x81), bytes, Buffer.alloc(8, 0x81)]);
  const reader = new FrameReader(true);
  const message = reader.readWhole(memory, offset, offset + bytes.length, limit);
  memory.fill(0x5a);
  return message === undefined ? null : { message, at: reader.at - offset };
}

const payload = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(0, 1, 125, 126, 127, 4096, 65_535, 65_536).map((size) => Buffer.alloc(size, 'x')),
);

const frames = fc
  .record({
    opcode: fc.constantFrom(1, 1, 1, 2, 2, 0, 8, 9, 3),
    payload,
    rsv: fc.constantFrom(0, 0, 0, 0, 4),
    isCut: fc.constantFrom(false, false, false, true),
    isMasked: fc.constantFrom(true, true, true, true, false),
  })
  .map(({ opcode, payload: body, rsv, isCut, isMasked }) => {
    const whole = frame({ opcode, payload: body, mask: isMasked });
    whole[0]! |= rsv << 4;
    return isCut ? whole.subarray(0, whole.length - 1) : whole;
  });

describe('a WebSocket message that is told at sight', () => {
  it('is the one that the ordinary way reads', () => {
    let told = 0;
    fc.assert(
      fc.property(frames, frames, fc.nat(7), fc.constantFrom(10, 200, 10_000_000), (first, second, offset, limit) => {
        const bytes = Buffer.concat([first, second]);
        const seen = atSight(bytes, limit, offset);
        if (seen === null) return;
        told++;
        expect(seen).to.deep.equal(firstMessage(bytes, limit));
      }),
      { numRuns: 2000 },
    );
    expect(told).to.be.greaterThan(300);
  });

  it('is every whole text and binary message of one frame of up to 64 KB', () => {
    for (const opcode of [1, 2]) {
      for (const size of [0, 1, 64, 125, 126, 4096, 65_535]) {
        const body = Buffer.alloc(size, 'x');
        const bytes = frame({ opcode, payload: body });
        expect(atSight(bytes, 10_000_000, 3)).to.deep.equal({ message: opcode === 1 ? body.toString() : body, at: bytes.length });
      }
    }
  });

  it('is never part of a message in several frames, nor told in the middle of a frame', () => {
    const reader = new FrameReader(true);
    const start = frame({ opcode: 1, payload: 'a', fin: false });
    expect(reader.read(start, 0, 1000)).to.equal(STEP.MORE);
    const whole = frame({ opcode: 1, payload: 'b' });
    expect(reader.readWhole(whole, 0, whole.length, 1000)).to.equal(undefined);
    const other = new FrameReader(true);
    const long = frame({ opcode: 2, payload: 'long enough' });
    expect(other.read(long.subarray(0, 10), 0, 1000)).to.equal(STEP.MORE);
    expect(other.readWhole(whole, 0, whole.length, 1000)).to.equal(undefined);
  });
});
