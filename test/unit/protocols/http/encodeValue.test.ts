import { expect } from 'chai';
import fc from 'fast-check';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import { type AnswerContext, encodeValue, PLAIN_CONTEXT } from '../../../../protocols/http/encode.js';
import type { HeaderObject } from '../../../../protocols/http/headers.js';
import { ServerSentEvents } from '../../../../protocols/http/ServerSentEvents.js';
import { parseAnswer, valuesOf } from './answerParser.js';

const HTML = 'Content-Type: text/html;charset=utf-8';
const KEEP = 'Connection: keep-alive';
const HEAD: AnswerContext = { ...PLAIN_CONTEXT, head: true };
const LAST: AnswerContext = { ...PLAIN_CONTEXT, close: true };

const text = (...lines: string[]): string => lines.join('\r\n');
const sentValue = (
  value: unknown, headers: HeaderObject = {}, context: AnswerContext = PLAIN_CONTEXT,
): string => encodeValue(value, headers, context).bytes.toString();

describe('encodeValue', () => {
  it('makes a string the body of a 200', () => {
    expect(encodeValue('hi', {}, PLAIN_CONTEXT)).to.deep.equal({
      bytes: text('HTTP/1.1 200 OK', KEEP, HTML, 'Content-Length: 2', '', 'hi'),
      closes: false, streaming: 'none', mute: false, interim: false, headed: true,
    });
  });

  it('counts bytes, not characters', () => {
    expect(sentValue('你')).to.contain('\r\nContent-Length: 3\r\n\r\n你');
  });

  it('converts values as PHP does', () => {
    const values = [null, undefined, false, true, 0, -7, 1.5, 12345, 10n];
    const bodies = values.map((value) => parseAnswer(sentValue(value)).body);
    expect(bodies.map(String)).to.deep.equal(['', '', '', '1', '0', '-7', '1.5', '12345', '10']);
  });

  it('writes bytes as they are', () => {
    const bytes = encodeValue(Uint8Array.of(0, 128, 255), {}, PLAIN_CONTEXT).bytes as Buffer;
    const answer = parseAnswer(bytes);
    expect([...answer.body]).to.deep.equal([0, 128, 255]);
    expect(answer.lines).to.deep.equal([KEEP, HTML, 'Content-Length: 3']);
    const window = Buffer.from('abcdef').subarray(2, 4);
    expect(parseAnswer(encodeValue(window, {}, PLAIN_CONTEXT).bytes).body.toString()).to.equal('cd');
  });

  it('refuses arrays, plain objects, functions, symbols and what else has no text', () => {
    const values = [[], ['a'], {}, { a: 1 }, Object.create(null), () => '', Symbol('s'), Promise.resolve(), new Map(),
      new Uint16Array(2), { toString: 5 }];
    for (const value of values) {
      expect(() => encodeValue(value, {}, PLAIN_CONTEXT)).to.throw(TypeError).with.property('code', 'WM_BAD_DATA');
    }
  });

  it('puts the extra headers first, one line per element', () => {
    expect(sentValue('x', { 'X-A': 'a', 'Set-Cookie': ['b=1', 'c=2'], 'X-N': 7 })).to.equal(text(
      'HTTP/1.1 200 OK', 'X-A: a', 'Set-Cookie: b=1', 'Set-Cookie: c=2', 'X-N: 7',
      KEEP, HTML, 'Content-Length: 1', '', 'x',
    ));
  });

  it('lets an extra Content-Type take the place of the default', () => {
    expect(sentValue('x', { 'content-type': 'text/css', 'X-A': 'a' })).to.equal(text(
      'HTTP/1.1 200 OK', 'X-A: a', KEEP, 'content-type: text/css', 'Content-Length: 1', '', 'x',
    ));
  });

  it('lets an extra Connection win', () => {
    const answer = encodeValue('x', { connection: 'close' }, PLAIN_CONTEXT);
    expect(valuesOf(parseAnswer(answer.bytes), 'Connection')).to.deep.equal(['close']);
    expect(answer.closes).to.equal(true);
  });

  it('counts the length itself and lets no extra header frame the body', () => {
    const answer = parseAnswer(sentValue('abc', { 'content-length': '1', 'Transfer-Encoding': 'chunked' }));
    expect(answer.lines).to.deep.equal([KEEP, HTML, 'Content-Length: 3']);
  });

  it('leaves out extra headers that would break a line', () => {
    const answer = parseAnswer(sentValue('x', {
      'X-A': 'a\r\nX-Evil: 1', 'X-B': ['ok', 'no\n', 'nul\0'], 'X C': '1', 'X-D\r\nX-Evil': '1', 'X:E': '1', '': '1',
    }));
    expect(answer.lines).to.deep.equal(['X-B: ok', KEEP, HTML, 'Content-Length: 1']);
  });

  it('changes neither the extra headers nor later answers', () => {
    const headers = { 'X-A': ['a'] };
    encodeValue('x', headers, PLAIN_CONTEXT);
    expect(headers).to.deep.equal({ 'X-A': ['a'] });
    expect(parseAnswer(sentValue('y')).lines).to.deep.equal([KEEP, HTML, 'Content-Length: 1']);
  });

  it('works without extra headers at all', () => {
    expect(encodeValue('x', null, PLAIN_CONTEXT).bytes).to.equal(sentValue('x'));
    expect(encodeValue('x', undefined, PLAIN_CONTEXT).bytes).to.equal(sentValue('x'));
  });

  it('writes the text of other objects with nothing added', () => {
    class Page {
      toString(): string {
        return 'raw';
      }
    }
    expect(encodeValue(new Page(), { 'X-A': 'a' }, PLAIN_CONTEXT)).to.deep.include({ bytes: 'raw', headed: false });
    expect(encodeValue(new Chunk('ab'), {}, PLAIN_CONTEXT)).to.deep.include({ bytes: '2\r\nab\r\n', headed: false });
    expect(encodeValue(new ServerSentEvents({ data: 'x' }), {}, PLAIN_CONTEXT).bytes).to.equal('data: x\n\n');
  });

  it('writes a chunk of bytes byte for byte', () => {
    const { bytes } = encodeValue(new Chunk(Uint8Array.of(255, 0)), {}, PLAIN_CONTEXT);
    expect([...(bytes as Buffer)]).to.deep.equal([...Buffer.from('2\r\n'), 255, 0, 13, 10]);
  });

  it('answers HEAD with the same head and no body', () => {
    const body = 'some body';
    expect(sentValue(body, {}, HEAD)).to.equal(sentValue(body).slice(0, -body.length));
    const headers = { 'X-A': 'a' };
    expect(sentValue(Buffer.from(body), headers, HEAD)).to.equal(sentValue(body, headers).slice(0, -body.length));
    expect(encodeValue(body, {}, HEAD).mute).to.equal(true);
  });

  it('says close on the last answer of a connection', () => {
    const answer = encodeValue('x', {}, LAST);
    expect(answer.bytes).to.equal(text('HTTP/1.1 200 OK', 'Connection: close', HTML, 'Content-Length: 1', '', 'x'));
    expect(answer.closes).to.equal(true);
    expect(encodeValue('x', { 'X-A': 'a' }, LAST).bytes).to.contain('X-A: a\r\nConnection: close\r\n');
  });

  it('writes the same for a string with extra headers (property)', () => {
    const part = fc.constantFrom('\r', '\n', '\0', ':', ' ', 'a', 'X-Evil: 1', '\r\n\r\n');
    const nasty = fc.array(part).map((parts) => parts.join(''));
    fc.assert(fc.property(fc.dictionary(nasty, fc.oneof(nasty, fc.array(nasty))), nasty, (headers, body) => {
      const answer = parseAnswer(sentValue(body, headers));
      expect(answer.body.toString()).to.equal(body);
      const own = answer.lines.slice(-3);
      expect(own).to.deep.equal([KEEP, HTML, `Content-Length: ${body.length}`]);
      const clean = (item: string): boolean => !/[\r\n\0]/.test(item);
      const expected = Object.entries(headers).flatMap(([name, value]) =>
        (/^[a-z]+$/.test(name) ? [value].flat().filter(clean).map((item) => `${name}: ${item}`) : []));
      expect(answer.lines.slice(0, -3)).to.deep.equal(expected);
    }));
  });
});
