import { expect } from 'chai';
import fc from 'fast-check';
import { encodeFrame, frameSize } from '../../../../protocols/websocket/encodeFrame.js';
import { readFrame } from '../../../support/websocket.js';

const LENGTHS = [0, 1, 63, 64, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 100_000];

describe('encodeFrame', () => {
  for (const masked of [false, true]) {
    describe(masked ? 'for a client' : 'for a server', () => {
      it('writes the shortest header for every length, and the payload behind it', () => {
        for (const length of LENGTHS) {
          const payload = Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7) & 255));
          const bytes = encodeFrame(0x82, payload, masked);
          const header = (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (masked ? 4 : 0);
          expect(bytes.length).to.equal(header + length);
          expect(frameSize(payload, masked)).to.equal(bytes.length);
          const read = readFrame(bytes)!;
          expect(read).to.include({ fin: true, rsv: 0, opcode: 2, masked, size: bytes.length });
          expect(read.payload.equals(payload)).to.equal(true);
        }
      });

      it('writes text as UTF-8, and counts its bytes', () => {
        fc.assert(
          fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
            const bytes = encodeFrame(0x81, text, masked);
            expect(readFrame(bytes)!.payload.toString()).to.equal(text);
            expect(frameSize(text, masked)).to.equal(bytes.length);
          }),
        );
      });

      it('writes text of ASCII, short or long, alone or with one other character in it', () => {
        for (let length = 0; length < 130; length++) {
          const ascii = 'The quick brown fox jumps over the lazy dog. '.repeat(3).slice(0, length);
          for (const text of [ascii, `${ascii}é`, `\x7f${ascii}`, `\x80${ascii}`]) {
            const bytes = encodeFrame(0x81, text, masked);
            expect(readFrame(bytes)).to.include({ fin: true, opcode: 1, masked, size: bytes.length });
            expect(readFrame(bytes)!.payload.toString()).to.equal(text);
          }
        }
      });

      it('writes lone surrogates as U+FFFD', () => {
        expect(readFrame(encodeFrame(0x81, 'a\ud800b\udc00', masked))!.payload.toString()).to.equal('a\ufffdb\ufffd');
      });

      it('takes the first byte as it is', () => {
        for (const first of [0x00, 0x01, 0x80, 0xc1, 0x89, 0xff])
          expect(encodeFrame(first, 'x', masked)[0]).to.equal(first);
      });

      it('does not touch the bytes that it was given', () => {
        const payload = Buffer.alloc(200, 1);
        encodeFrame(0x82, payload, masked);
        expect(payload.every((byte) => byte === 1)).to.equal(true);
      });
    });
  }

  it('takes another key for each frame of a client', () => {
    const keys = new Set(Array.from({ length: 50 }, () => encodeFrame(0x89, '', true).subarray(2).toString('hex')));
    expect(keys.size).to.be.above(45);
  });
});
