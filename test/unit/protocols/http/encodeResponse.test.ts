import { expect } from 'chai';
import fc from 'fast-check';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import {
  type AnswerContext, encodePiece, encodeResponse, PLAIN_CONTEXT,
} from '../../../../protocols/http/encode.js';
import type { HeaderObject } from '../../../../protocols/http/headers.js';
import { Response } from '../../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../../protocols/http/ServerSentEvents.js';
import { parseAnswer, valuesOf } from './answerParser.js';

const HTML = 'Content-Type: text/html;charset=utf-8';
const KEEP = 'Connection: keep-alive';
const HEAD: AnswerContext = { ...PLAIN_CONTEXT, head: true };
const HTTP10: AnswerContext = { ...PLAIN_CONTEXT, http10: true };
const LAST: AnswerContext = { ...PLAIN_CONTEXT, close: true };

const text = (...lines: string[]): string => lines.join('\r\n');
const sent = (response: Response, context: AnswerContext = PLAIN_CONTEXT): string =>
  encodeResponse(response, context).bytes.toString();

describe('encodeResponse', () => {
  describe('bytes', () => {
    it('without headers has type, length, connection', () => {
      expect(sent(new Response(200, {}, 'x')))
        .to.equal(text('HTTP/1.1 200 OK', HTML, 'Content-Length: 1', KEEP, '', 'x'));
    });

    it('with headers has those in their order, then connection, type, length', () => {
      expect(sent(new Response(201, { 'X-B': 'b', 'X-A': ['1', '2'], 'X-0': [] }, 'é'))).to.equal(text(
        'HTTP/1.1 201 Created', 'X-B: b', 'X-A: 1', 'X-A: 2', KEEP, HTML, 'Content-Length: 2', '', 'é',
      ));
    });

    it('does not repeat a Connection or Content-Type that is set, whatever its case', () => {
      expect(sent(new Response(200, { 'connection': 'keep-alive', 'CONTENT-TYPE': 'text/css' }, 'x'))).to.equal(text(
        'HTTP/1.1 200 OK', 'connection: keep-alive', 'CONTENT-TYPE: text/css', 'Content-Length: 1', '', 'x',
      ));
    });

    it('keeps the space before an empty reason', () => {
      expect(sent(new Response(999))).to.match(/^HTTP\/1\.1 999 \r\n/);
    });

    it('never has a Date or Server line of its own', () => {
      const responses = [new Response(), new Response(200, { 'X-A': 'a' }), new Response(204), new Response(500)];
      for (const response of responses) {
        expect(sent(response)).not.to.match(/\r\n(?:Date|Server):/i);
      }
    });

    it('is text for a text body and bytes for bytes', () => {
      expect(encodeResponse(new Response(200, {}, 'x'), PLAIN_CONTEXT).bytes).to.be.a('string');
      const response = new Response(200, { 'X-Ä': 'no', 'X-N': 'ä' }, Uint8Array.of(195, 0));
      const { bytes } = encodeResponse(response, PLAIN_CONTEXT);
      expect(bytes).to.be.instanceOf(Buffer);
      expect([...parseAnswer(bytes).body]).to.deep.equal([195, 0]);
      expect(parseAnswer(bytes).lines[0]).to.equal('X-N: ä');
    });

    it('adds the extra headers to a copy', () => {
      const response = new Response(200, { 'Set-Cookie': 'a=1', 'Content-Type': 'text/css' }, 'x');
      const extra = { 'Set-Cookie': 'b=2', 'X-E': 'e', 'content-type': 'text/plain' };
      expect(encodeResponse(response, PLAIN_CONTEXT, extra).bytes).to.equal(text(
        'HTTP/1.1 200 OK', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Type: text/plain', 'X-E: e', KEEP,
        'Content-Length: 1', '', 'x',
      ));
      expect({ ...response.getHeaders() }).to.deep.equal({ 'Set-Cookie': 'a=1', 'Content-Type': 'text/css' });
      expect(encodeResponse(response, PLAIN_CONTEXT, {}).bytes).not.to.contain('b=2');
    });

    it('replaces a Content-Length that the application set', () => {
      const answer = parseAnswer(sent(new Response(200, { 'content-length': '3', 'X-A': 'a' }, 'hello')));
      expect(answer.lines).to.deep.equal(['X-A: a', KEEP, HTML, 'Content-Length: 5']);
    });
  });

  describe('guard', () => {
    it('leaves out names that are no tokens, with their value', () => {
      const headers: Record<string, string> = {};
      const names = ['', 'X A', 'X:A', 'X\r\nA', 'X\nA', 'X\0A', 'Xé', 'X(', ' X', 'X ', 'X\t'];
      for (const name of names) headers[name] = 'v';
      expect(parseAnswer(sent(new Response(200, headers, 'x'))).lines).to.deep.equal([KEEP, HTML, 'Content-Length: 1']);
    });

    it('leaves out values with CR, LF or NUL, each element on its own', () => {
      const headers = { a: 'x\ry', b: 'x\ny', c: 'x\0y', d: ['1', '\n', '2', '\r', '\0', '3'] };
      expect(parseAnswer(sent(new Response(200, headers, 'x'))).lines)
        .to.deep.equal(['d: 1', 'd: 2', 'd: 3', KEEP, HTML, 'Content-Length: 1']);
    });

    it('does not take a coding that is not written for one that is', () => {
      const answer = encodeResponse(new Response(200, { 'Transfer-Encoding': 'chunked\r\n' }, 'x'), PLAIN_CONTEXT);
      expect(answer.streaming).to.equal('none');
      expect(answer.bytes).to.equal(text('HTTP/1.1 200 OK', KEEP, HTML, 'Content-Length: 1', '', 'x'));
    });

    it('does not end the connection for a close that is not written', () => {
      expect(encodeResponse(new Response(200, { Connection: 'x,\r\nclose' }), PLAIN_CONTEXT).closes).to.equal(false);
    });

    it('writes nothing that the application did not set, whatever it gives (property)', () => {
      const nasty = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.array(fc.constantFrom(
          '\r', '\n', '\0', ':', ' ', ';', ',', '=', 'a', 'X-Evil: 1', '\r\n\r\n', 'é', '\u010d\u010a',
        )).map((parts) => parts.join('')),
      );
      const name = fc.oneof(
        nasty, fc.constantFrom('X-A', 'Connection', 'content-type', 'Transfer-Encoding', 'Content-Length'),
      );
      const value = fc.oneof(
        nasty, fc.array(nasty, { maxLength: 3 }), fc.constantFrom('chunked', 'text/event-stream', 'close'),
      );
      const input = fc.record({
        status: fc.constantFrom(200, 204, 205, 304, 103, 404, 999),
        headers: fc.array(fc.tuple(name, value), { maxLength: 4 }),
        extra: fc.dictionary(name, value, { maxKeys: 2 }),
        cookie: fc.tuple(nasty, nasty, nasty, nasty, nasty),
        reason: fc.option(nasty), version: nasty, body: nasty,
        head: fc.boolean(), http10: fc.boolean(), close: fc.boolean(),
      });
      fc.assert(fc.property(input, (given) => {
        const response = new Response(200, {}, given.body).withStatus(given.status, given.reason)
          .withProtocolVersion(given.version);
        for (const [header, content] of given.headers) response.withHeader(header, content);
        const [cookieName, cookieValue, path, domain, sameSite] = given.cookie;
        response.cookie(cookieName, cookieValue, 1, path, domain, true, true, sameSite);
        const { bytes, interim, mute } = encodeResponse(response, given, given.extra);
        if (bytes === '') {
          expect(interim && given.http10).to.equal(true);
          return;
        }

        const allowed = new Set(['Connection: close', KEEP, HTML]);
        const all = [...Object.entries(response.getHeaders()), ...Object.entries(given.extra)];
        for (const [header, content] of all) {
          for (const item of [content].flat()) allowed.add(Buffer.from(`${header.toLowerCase()}: ${item}`).toString());
        }
        const answer = parseAnswer(bytes);
        expect(answer.status.startsWith('HTTP/')).to.equal(true);
        expect(`${answer.status}${answer.lines.join('')}`).not.to.match(/[\r\n]/);
        for (const line of answer.lines) {
          const colon = line.indexOf(':');
          const lower = line.slice(0, colon).toLowerCase() + line.slice(colon);
          expect(allowed.has(line) || allowed.has(lower) || /^Content-Length: \d+$/.test(line), line).to.equal(true);
        }
        if (mute) expect(answer.body.length).to.equal(0);
      }), { numRuns: 1000 });
    });
  });

  describe('bodies that must not exist', () => {
    it('answers HEAD with the head of GET and nothing behind it', () => {
      const responses = [
        new Response(200, {}, 'x'), new Response(200, { 'X-A': 'a' }, 'é'), new Response(404, {}, Buffer.from('bytes')),
        new Response(200, { 'Content-Length': '7' }, 'hello'),
        new Response(200, { 'Transfer-Encoding': 'chunked' }, 'x'),
      ];
      for (const response of responses) {
        const full = sent(response);
        expect(sent(response, HEAD)).to.equal(full.slice(0, full.indexOf('\r\n\r\n') + 4));
        expect(encodeResponse(response, HEAD).mute).to.equal(true);
      }
    });

    it('keeps the length that the application set for an empty answer to HEAD', () => {
      expect(sent(new Response(200, { 'content-length': '1234' }), HEAD))
        .to.equal(text('HTTP/1.1 200 OK', 'content-length: 1234', KEEP, HTML, '', ''));
      expect(sent(new Response(200, { 'Content-Length': 'many' }), HEAD))
        .to.equal(text('HTTP/1.1 200 OK', KEEP, HTML, 'Content-Length: 0', '', ''));
      expect(sent(new Response(200, { 'Content-Length': ['1', '2'] }), HEAD)).to.contain('\r\nContent-Length: 0\r\n');
    });

    for (const status of [100, 103, 199, 204]) {
      it(`sends ${status} without body and length, even with a length that was set`, () => {
        for (const headers of [{}, { 'X-A': 'a', 'Content-Length': '5' }]) {
          const { bytes, mute } = encodeResponse(new Response(status, headers as HeaderObject, 'body'), PLAIN_CONTEXT);
          const answer = parseAnswer(bytes);
          expect(answer.body.length).to.equal(0);
          expect(valuesOf(answer, 'Content-Length')).to.deep.equal([]);
          expect(valuesOf(answer, 'Content-Type')).to.deep.equal(['text/html;charset=utf-8']);
          expect(mute).to.equal(true);
        }
      });
    }

    it('sends 304 without body, length and default type', () => {
      expect(sent(new Response(304, {}, 'body'))).to.equal(text('HTTP/1.1 304 Not Modified', KEEP, '', ''));
      expect(sent(new Response(304, { ETag: '"1"' }, 'body')))
        .to.equal(text('HTTP/1.1 304 Not Modified', 'ETag: "1"', KEEP, '', ''));
    });

    it('leaves length and type on a 304 when the application set them', () => {
      expect(sent(new Response(304, { 'Content-Length': 9, 'Content-Type': 'text/css' })))
        .to.equal(text('HTTP/1.1 304 Not Modified', 'Content-Length: 9', 'Content-Type: text/css', KEEP, '', ''));
    });

    it('sends 205 with length 0 and no body', () => {
      for (const headers of [{}, { 'X-A': 'a', 'content-length': '4' }]) {
        const answer = parseAnswer(sent(new Response(205, headers as HeaderObject, 'body')));
        expect(valuesOf(answer, 'Content-Length')).to.deep.equal(['0']);
        expect(answer.body.length).to.equal(0);
      }
    });

    it('names no transfer coding where there is no body, and swallows the pieces', () => {
      for (const status of [103, 204, 205, 304]) {
        const answer = encodeResponse(new Response(status, { 'Transfer-Encoding': 'chunked' }, 'x'), PLAIN_CONTEXT);
        expect(valuesOf(parseAnswer(answer.bytes), 'Transfer-Encoding')).to.deep.equal([]);
        expect(parseAnswer(answer.bytes).body.length).to.equal(0);
        expect(encodePiece(new Chunk('x'), answer)).to.equal('');
      }
    });

    it('ends an event stream for good with a 204', () => {
      const answer = encodeResponse(new Response(204, { 'Content-Type': 'text/event-stream' }), PLAIN_CONTEXT);
      expect(answer.streaming).to.equal('none');
      expect(answer.mute).to.equal(true);
    });
  });

  describe('interim answers', () => {
    it('do not end the connection', () => {
      const answer = encodeResponse(new Response(103, { Link: '</a.css>' }), LAST);
      expect(answer).to.deep.include({ interim: true, closes: false });
      expect(valuesOf(parseAnswer(answer.bytes), 'Connection')).to.deep.equal(['keep-alive']);
      expect(encodeResponse(new Response(101), LAST)).to.deep.include({ interim: false, closes: true });
      expect(encodeResponse(new Response(200), LAST).interim).to.equal(false);
    });

    it('are not sent to HTTP/1.0', () => {
      expect(encodeResponse(new Response(103), HTTP10)).to.deep.include({ bytes: '', interim: true, headed: false });
    });
  });

  describe('event streams', () => {
    const types = ['text/event-stream', 'text/event-stream; charset=utf-8', 'text/event-stream;x', 'Text/Event-Stream'];
    for (const type of types) {
      it(`begin with a head alone (${type})`, () => {
        const headers = { 'content-type': type, 'Content-Length': '3' };
        const answer = encodeResponse(new Response(200, headers, 'abc'), PLAIN_CONTEXT);
        expect(answer.bytes).to.equal(text('HTTP/1.1 200 OK', `content-type: ${type}`, KEEP, '', ''));
        expect(answer.streaming).to.equal('event-stream');
      });
    }

    it('are not what only begins with the name', () => {
      const others = ['text/event-streams', 'text/event-stream x', 'x text/event-stream', 'text/event-stream;\r\n'];
      for (const type of others) {
        const answer = encodeResponse(new Response(200, { 'Content-Type': type }, 'abc'), PLAIN_CONTEXT);
        expect(answer.streaming).to.equal('none');
        expect(answer.bytes).to.contain('\r\nContent-Length: 3\r\n\r\nabc');
      }
    });

    it('have a head for HEAD and no events', () => {
      const answer = encodeResponse(new Response(200, { 'Content-Type': 'text/event-stream' }), HEAD);
      expect(answer.bytes).to.equal(text('HTTP/1.1 200 OK', 'Content-Type: text/event-stream', KEEP, '', ''));
      expect(encodePiece(new ServerSentEvents({ data: 'x' }), answer)).to.equal('');
    });

    it('are written event by event', () => {
      const answer = encodeResponse(new Response(200, { 'Content-Type': 'text/event-stream' }), PLAIN_CONTEXT);
      expect(encodePiece(new ServerSentEvents({ data: 'x' }), answer)).to.equal('data: x\n\n');
    });

    it('that ask for chunks as well have neither body nor length and go on by chunks', () => {
      const headers = { 'Content-Type': 'text/event-stream', 'Transfer-Encoding': 'chunked' };
      const answer = encodeResponse(new Response(200, headers, 'ignored'), PLAIN_CONTEXT);
      expect(answer.streaming).to.equal('chunked');
      expect(parseAnswer(answer.bytes).body.length).to.equal(0);
      expect(valuesOf(parseAnswer(answer.bytes), 'Content-Length')).to.deep.equal([]);
    });
  });

  describe('chunked answers', () => {
    it('have the body as their first chunk and no length', () => {
      const headers = { 'transfer-encoding': 'chunked', 'Content-Length': 2 };
      const answer = encodeResponse(new Response(200, headers, 'é'.repeat(8)), PLAIN_CONTEXT);
      expect(answer.bytes).to.equal(text(
        'HTTP/1.1 200 OK', 'transfer-encoding: chunked', KEEP, HTML, '', '10', 'é'.repeat(8), '',
      ));
      expect(answer).to.deep.include({ streaming: 'chunked', closes: false, mute: false });
    });

    it('begin without a chunk when the body is empty', () => {
      expect(sent(new Response(200, { 'Transfer-Encoding': 'chunked' }))).to.match(/\r\n\r\n$/);
    });

    it('carry bytes', () => {
      const response = new Response(200, { 'Transfer-Encoding': 'x' }, Uint8Array.of(200));
      const { bytes } = encodeResponse(response, PLAIN_CONTEXT);
      expect([...parseAnswer(bytes).body]).to.deep.equal([...Buffer.from('1\r\n'), 200, 13, 10]);
    });

    it('go to HTTP/1.0 without coding and sizes, up to the end of the connection', () => {
      const headers = { 'X-A': 'a', 'Transfer-Encoding': 'chunked', 'Connection': 'keep-alive' };
      const answer = encodeResponse(new Response(200, headers, 'first'), HTTP10);
      expect(answer.bytes).to.equal(text('HTTP/1.1 200 OK', 'X-A: a', 'Connection: close', HTML, '', 'first'));
      expect(answer).to.deep.include({ streaming: 'identity', closes: true });
      expect(encodePiece(new Chunk('more'), answer)).to.equal('more');
      expect([...encodePiece(new Chunk(Uint8Array.of(255)), answer) as Buffer]).to.deep.equal([255]);
      expect(encodePiece(new Chunk(''), answer)).to.equal('');
    });

    it('stay as they are for other HTTP/1.0 answers', () => {
      const response = new Response(200, { 'X-A': 'a' }, 'x');
      expect(sent(response, HTTP10)).to.equal(sent(response));
    });
  });

  describe('end of the connection', () => {
    it('is said where keep-alive would stand', () => {
      expect(sent(new Response(200, {}, 'x'), LAST))
        .to.equal(text('HTTP/1.1 200 OK', HTML, 'Content-Length: 1', 'Connection: close', '', 'x'));
      const answer = encodeResponse(new Response(200, { 'X-A': 'a' }), LAST);
      expect(answer.bytes).to.contain('X-A: a\r\nConnection: close\r\n');
      expect(answer.closes).to.equal(true);
    });

    it('comes all the same when the application says keep-alive, which stays on the wire', () => {
      const answer = encodeResponse(new Response(200, { Connection: 'keep-alive' }), LAST);
      expect(valuesOf(parseAnswer(answer.bytes), 'Connection')).to.deep.equal(['keep-alive']);
      expect(answer.closes).to.equal(true);
    });

    it('is what a Connection header of the application asks for', () => {
      const closes = (value: string | string[]): boolean =>
        encodeResponse(new Response(200, { connection: value }), PLAIN_CONTEXT).closes;
      expect(['close', 'Close', 'x, close', 'close ,x'].map(closes)).to.deep.equal([true, true, true, true]);
      expect(closes(['keep-alive', 'close'])).to.equal(true);
      for (const value of ['keep-alive', 'closed', 'not-close', '', 'x close']) expect(closes(value)).to.equal(false);
    });
  });
});
