import { expect } from 'chai';
import {
  deflateType,
  firstByte,
  isDeflateType,
  plainType,
  toPayload,
} from '../../../../protocols/websocket/outgoing.js';

describe('what send puts into a frame', () => {
  it('is text and bytes as they are', () => {
    const bytes = Buffer.of(1, 2);
    expect(toPayload('text')).to.equal('text');
    expect(toPayload(bytes)).to.equal(bytes);
    expect(toPayload('')).to.equal('');
  });

  it('is the memory behind any other view, and an ArrayBuffer', () => {
    const words = Uint16Array.of(1, 2, 3).subarray(1);
    expect(Buffer.from(toPayload(words) as Uint8Array).toString('hex')).to.equal('02000300');
    expect(Buffer.from(toPayload(Uint8Array.of(7, 8).buffer) as Uint8Array).toString('hex')).to.equal('0708');
    expect(Buffer.from(toPayload(new DataView(new ArrayBuffer(2))) as Uint8Array).toString('hex')).to.equal('0000');
  });

  it('is the text of a scalar as in PHP', () => {
    const cases: [unknown, string][] = [
      [12345, '12345'],
      [-1.5, '-1.5'],
      [true, '1'],
      [false, ''],
      [undefined, ''],
      [10n, '10'],
    ];
    for (const [value, text] of cases) expect(toPayload(value)).to.equal(text);
  });

  it('is JSON for objects, arrays and null, with nothing escaped that need not be', () => {
    expect(toPayload({ a: 1, b: ['x', 'é/'] })).to.equal('{"a":1,"b":["x","é/"]}');
    expect(toPayload([1, null])).to.equal('[1,null]');
    expect(toPayload(null)).to.equal('null');
    expect(toPayload(new Date(0))).to.equal('"1970-01-01T00:00:00.000Z"');
  });

  it('is refused for what has no JSON form', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => toPayload(() => {})).to.throw(TypeError);
    expect(() => toPayload(Symbol('x'))).to.throw(TypeError);
    expect(() => toPayload(circle)).to.throw(TypeError);
    expect(() => toPayload({ toJSON: () => undefined })).to.throw(TypeError);
  });
});

describe('the first byte of a frame', () => {
  it('is the type, and makes a binary message of bytes where it says text', () => {
    expect(firstByte('\x81', false, false)).to.equal(0x81);
    expect(firstByte('\x81', true, false)).to.equal(0x82);
    expect(firstByte('\x82', false, false)).to.equal(0x82);
    expect(firstByte('\x82', true, false)).to.equal(0x82);
    expect(firstByte('\x89', true, false)).to.equal(0x89);
    expect(firstByte('\x01', true, false)).to.equal(0x01);
    expect(firstByte(undefined, false, true)).to.equal(0x81);
    expect(firstByte('', true, true)).to.equal(0x82);
  });

  it('has RSV1 only where compression was agreed on, and never on control frames', () => {
    expect(firstByte('\xc1', false, true)).to.equal(0xc1);
    expect(firstByte('\xc1', true, true)).to.equal(0xc2);
    expect(firstByte('\xc2', false, true)).to.equal(0xc2);
    expect(firstByte('\xc1', false, false)).to.equal(0x81);
    expect(firstByte('\xc1', true, false)).to.equal(0x82);
    expect(firstByte('\xc9', false, true)).to.equal(0x89);
    expect(firstByte('\x81', false, true)).to.equal(0x81);
  });

  it('gains and loses the bit that asks for compression', () => {
    expect(deflateType('\x81')).to.equal('\xc1');
    expect(deflateType('\xc2')).to.equal('\xc2');
    expect(plainType('\xc2')).to.equal('\x82');
    expect(plainType('\x81')).to.equal('\x81');
    expect([undefined, '\x81', '\xc1', '\xc2'].map(isDeflateType)).to.deep.equal([false, false, true, true]);
  });
});
