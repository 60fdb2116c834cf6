import { expect } from 'chai';
import fc from 'fast-check';
import { Chunk } from '../../../../protocols/http/Chunk.js';

describe('Chunk', () => {
  it('is the size in lower-case hexadecimal, the data, and CRLF behind each', () => {
    expect(String(new Chunk('hello'))).to.equal('5\r\nhello\r\n');
    expect(String(new Chunk('y'.repeat(171)))).to.equal(`ab\r\n${'y'.repeat(171)}\r\n`);
  });

  it('counts bytes', () => {
    expect(String(new Chunk('你好'))).to.equal('6\r\n你好\r\n');
  });

  it('ends a response when it is empty', () => {
    expect(new Chunk('').toBytes()).to.equal('0\r\n\r\n');
    expect(new Chunk(new Uint8Array(0)).toBytes().toString()).to.equal('0\r\n\r\n');
  });

  it('keeps its data', () => {
    expect(new Chunk('x').data).to.equal('x');
  });

  it('converts scalars and refuses what has no text', () => {
    expect(String(new Chunk(15 as unknown as string))).to.equal('2\r\n15\r\n');
    expect(() => new Chunk({} as string)).to.throw(TypeError).with.property('code', 'WM_BAD_DATA');
  });

  it('is read back as the same bytes (property)', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()), (data) => {
      const bytes = Buffer.from(new Chunk(data).toBytes() as string);
      const line = bytes.indexOf('\r\n');
      const size = Number.parseInt(bytes.subarray(0, line).toString(), 16);
      expect(bytes.subarray(line + 2, line + 2 + size)).to.deep.equal(Buffer.from(data as string));
      expect(bytes.subarray(line + 2 + size).toString()).to.equal('\r\n');
    }));
  });
});
