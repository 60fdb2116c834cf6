import { expect } from 'chai';
import fc from 'fast-check';
import { Frame } from '../../../protocols/Frame.js';
import { cutAt, deliveries, feed } from '../../support/feed.js';

function bodiesOf(pieces: readonly Uint8Array[]): { values: Buffer[]; rest: Buffer } {
  return feed(pieces, (buffer) => {
    const length = Frame.input(buffer);
    if (length < 0) throw new RangeError('error package');
    return length === 0 || length > buffer.length ? null : { length, value: Frame.decode(buffer.subarray(0, length)) };
  });
}

describe('Frame', () => {
  it('waits for four bytes, then gives the length that they state', () => {
    for (const wire of ['', '\0', '\0\0', '\0\0\0']) expect(Frame.input(Buffer.from(wire))).to.equal(0);
    expect(Frame.input(Buffer.from([0, 0, 0, 4]))).to.equal(4);
    expect(Frame.input(Buffer.from([0, 0, 1, 0]))).to.equal(256);
    expect(Frame.input(Buffer.from([0xff, 0xff, 0xff, 0xff]))).to.equal(0xffffffff);
    expect(Frame.input(Buffer.from([0, 0, 0, 5, 1, 2, 3]))).to.equal(5);
  });

  it('refuses a length that does not count itself', () => {
    for (const length of [0, 1, 2, 3]) expect(Frame.input(Buffer.from([0, 0, 0, length, 1, 2]))).to.equal(-1);
  });

  it('decodes the body as bytes, which may be none', () => {
    expect(Frame.decode(Buffer.from([0, 0, 0, 4]))).to.deep.equal(Buffer.alloc(0));
    expect(Frame.decode(Buffer.from([0, 0, 0, 6, 0xff, 0]))).to.deep.equal(Buffer.from([0xff, 0]));
  });

  it('encodes text as UTF-8, bytes as they are, and scalars', () => {
    expect(Frame.encode('ä')).to.deep.equal(Buffer.from([0, 0, 0, 6, 0xc3, 0xa4]));
    expect(Frame.encode(Buffer.from([0xff]))).to.deep.equal(Buffer.from([0, 0, 0, 5, 0xff]));
    expect(Frame.encode(new Uint8Array([7]))).to.deep.equal(Buffer.from([0, 0, 0, 5, 7]));
    expect(Frame.encode('')).to.deep.equal(Buffer.from([0, 0, 0, 4]));
    expect(Frame.encode(null)).to.deep.equal(Buffer.from([0, 0, 0, 4]));
    expect(Frame.encode(12)).to.deep.equal(Buffer.from([0, 0, 0, 6, 0x31, 0x32]));
  });

  it('refuses objects with a TypeError', () => {
    for (const data of [{}, [], () => {}]) expect(() => Frame.encode(data)).to.throw(TypeError);
  });

  it('finds the same frames however they arrive', () => {
    const bodies = ['one', '', 'ä'.repeat(300), '\0\0\0\x01'];
    const wire = Buffer.concat([...bodies.map((body) => Frame.encode(body)), Buffer.from([0, 0, 0, 9, 1])]);
    for (const { name, pieces } of deliveries(wire, 10)) {
      const { values, rest } = bodiesOf(pieces);
      expect(values.map(String), name).to.deep.equal(bodies);
      expect(rest, name).to.deep.equal(Buffer.from([0, 0, 0, 9, 1]));
    }
  });

  it('gives back what was encoded, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }),
        fc.array(fc.nat(300), { maxLength: 10 }),
        (bodies, cuts) => {
          const wire = Buffer.concat(bodies.map((body) => Frame.encode(body)));
          const { values, rest } = bodiesOf(cutAt(wire, cuts));
          expect(values.map((body) => [...body])).to.deep.equal(bodies.map((body) => [...body]));
          expect(rest).to.have.length(0);
        },
      ),
    );
  });

  it('encodes what goes to many connections once, and notices bytes that were changed', () => {
    const connection = { protocol: Frame };
    const text = 'x'.repeat(50);
    expect(Frame.encode(text, connection)).to.equal(Frame.encode(text, connection));
    expect(Frame.encode(text, connection)).to.deep.equal(Frame.encode(text));
    expect(Frame.encode(text)).to.not.equal(Frame.encode(text));
    const bytes = Buffer.from('one');
    const before = Frame.encode(bytes, connection);
    expect(Frame.encode(bytes, connection)).to.equal(before);
    bytes.write('two');
    expect(Frame.encode(bytes, connection)).to.deep.equal(Frame.encode('two'));
    expect(before.toString('latin1')).to.equal('\0\0\0\x07one');
    const memory = Reflect.construct(ArrayBuffer, [3, { maxByteLength: 3 }]) as ArrayBuffer & { resize(size: number): void };
    const shrinking = new Uint8Array(memory);
    Frame.encode(shrinking, connection);
    memory.resize(2);
    expect(Frame.encode(shrinking, connection)).to.deep.equal(Frame.encode(Buffer.alloc(2)));
  });
});
