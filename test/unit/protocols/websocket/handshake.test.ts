import { expect } from 'chai';
import fc from 'fast-check';
import {
  acceptOf,
  beginsLikeRequest,
  listContains,
  openingAnswer,
  readOpening,
} from '../../../../protocols/websocket/handshake.js';
import { headerLines } from '../../../../protocols/websocket/headerLines.js';
import { OPENED, openingRequest, SAMPLE_ACCEPT, SAMPLE_KEY } from '../../../support/websocket.js';

const H400 =
  'HTTP/1.1 400 Bad Request\r\n\r\n<div style="text-align:center"><h1>400 Bad Request</h1><hr>workerman</div>';
const NO_VERSION = 'HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\n';
const H426 =
  'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** The refusal, or `'opened'`. */
const verdict = (headers: Parameters<typeof openingRequest>[0], start?: string): string => {
  const opening = readOpening(Buffer.from(openingRequest(headers, start)));
  return typeof opening === 'string' ? opening : 'opened';
};

describe("the server's handshake", () => {
  it('answers the example of the RFC', () => {
    const opening = readOpening(Buffer.from(openingRequest()));
    if (typeof opening === 'string') throw new Error(opening);
    expect(opening.key).to.equal(SAMPLE_KEY);
    expect(acceptOf(opening.key)).to.equal(SAMPLE_ACCEPT);
    expect(openingAnswer(opening.key, [], null)).to.equal(OPENED);
  });

  it('hands out the request, without a connection', () => {
    const opening = readOpening(Buffer.from(openingRequest({ 'Cookie': 'a=1' }, 'GET /chat?x=1 HTTP/1.1')));
    if (typeof opening === 'string') throw new Error(opening);
    const { request } = opening;
    expect(request.path()).to.equal('/chat');
    expect(request.get('x')).to.equal('1');
    expect(request.cookie('a')).to.equal('1');
    expect(request.method()).to.equal('GET');
    expect(request.connection).to.equal(null);
  });

  it('knows after six bytes that no request is coming', () => {
    for (const bytes of ['', 'P', 'POST ', 'GET /', 'GET / '])
      expect(beginsLikeRequest(Buffer.from(bytes), false), bytes).to.equal(true);
    for (const bytes of ['POST /', 'get / ', ' GET / ', '\r\nGET /'])
      expect(beginsLikeRequest(Buffer.from(bytes), false), bytes).to.equal(false);
    expect(beginsLikeRequest(Buffer.from('\r\n\r\n'), true)).to.equal(false);
  });

  it('asks for the version first', () => {
    expect(verdict({ 'Sec-WebSocket-Version': null })).to.equal(NO_VERSION);
    expect(verdict({ 'Sec-WebSocket-Version': null, 'Sec-WebSocket-Key': null, 'Host': null })).to.equal(NO_VERSION);
    for (const version of ['8', '0', '14', '130', '013', '13x', 'x', '-13', '13, 8', '']) {
      expect(verdict({ 'Sec-WebSocket-Version': version }), version).to.equal(H426);
      expect(verdict({ 'Sec-WebSocket-Version': version, 'Sec-WebSocket-Key': null }), version).to.equal(H426);
    }
    expect(verdict({ 'Sec-WebSocket-Version': ['13', '13'] })).to.equal(H426);
    expect(verdict({ 'Sec-WebSocket-Version': ' \t13 \t' })).to.equal('opened');
  });

  it('wants exactly one key, 16 bytes in base64', () => {
    for (const key of [
      null,
      '',
      'x',
      'dGhlIHNhbXBsZSBub25jZQ=',
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZ===',
      `${SAMPLE_KEY}x`,
      'dGhlIHNhbXBsZSBub25j_Q==',
      [SAMPLE_KEY, SAMPLE_KEY],
      'dGhlIHNhbXBsZSBub25jZWFiYw==',
    ]) {
      expect(verdict({ 'Sec-WebSocket-Key': key }), String(key)).to.equal(H400);
    }
    expect(verdict({ 'Sec-WebSocket-Key': '++++++++++++++++++++/w==' })).to.equal('opened');
  });

  it('wants an HTTP/1.1 request line', () => {
    for (const start of [
      'GETX / HTTP/1.1',
      'GET  / HTTP/1.1',
      'GET / HTTP/1.0',
      'GET / HTTP/2',
      'GET /',
      'GET x HTTP/1.1',
      'GET http://a/ HTTP/1.1',
      'GET * HTTP/1.1',
      'GET / http/1.1',
      'GET / HTTP/1.1 ',
      'GET /a b HTTP/1.1',
      'GET /\x7f HTTP/1.1',
    ])
      expect(verdict({}, start), start).to.equal(H400);
    for (const start of ['GET /ü?x#y HTTP/1.1', 'GET / HTTP/1.9']) expect(verdict({}, start), start).to.equal('opened');
  });

  it('wants one host and well-formed headers', () => {
    for (const host of [null, '', ['a', 'b'], 'a b', 'a/b'])
      expect(verdict({ 'Host': host }), String(host)).to.equal(H400);
    expect(verdict({ 'X A': '1' })).to.equal(H400);
    expect(verdict({ 'X': 'a\0' })).to.equal(H400);
    expect(verdict({ 'X': 'a\nb' })).to.equal(H400);
    expect(verdict({ 'X': 'a\r\n folded' })).to.equal(H400);
    expect(verdict({ 'X': 'ü' })).to.equal('opened');
  });

  it('wants the tokens websocket in Upgrade and upgrade in Connection, in any case and in a list', () => {
    for (const upgrade of [null, '', 'h2c', 'websocket2', 'web socket'])
      expect(verdict({ 'Upgrade': upgrade }), String(upgrade)).to.equal(H400);
    for (const upgrade of ['WebSocket', 'h2c, websocket', 'WEBSOCKET ,x'])
      expect(verdict({ 'Upgrade': upgrade }), upgrade).to.equal('opened');
    for (const value of [null, '', 'keep-alive', 'close', 'upgraded'])
      expect(verdict({ 'Connection': value }), String(value)).to.equal(H400);
    for (const value of ['keep-alive, Upgrade', 'UPGRADE', ['keep-alive', 'upgrade']]) {
      expect(verdict({ 'Connection': value }), String(value)).to.equal('opened');
    }
    expect(listContains(undefined, 'x')).to.equal(false);
  });

  it('refuses a body, which a proxy might take for something else', () => {
    expect(verdict({ 'Content-Length': '5' })).to.equal(H400);
    expect(verdict({ 'Transfer-Encoding': 'chunked' })).to.equal(H400);
    expect(verdict({ 'Content-Length': '0' })).to.equal('opened');
  });

  it('refuses extensions that do not parse', () => {
    expect(verdict({ 'Sec-WebSocket-Extensions': 'permessage-deflate;' })).to.equal(H400);
    expect(verdict({ 'Sec-WebSocket-Extensions': 'a=b' })).to.equal(H400);
    const opening = readOpening(
      Buffer.from(openingRequest({ 'Sec-WebSocket-Extensions': ['foo; a', 'permessage-deflate'] })),
    );
    if (typeof opening === 'string') throw new Error(opening);
    expect(opening.offers.map(({ name }) => name)).to.deep.equal(['foo', 'permessage-deflate']);
  });

  it('writes the lines of connection.headers behind its own, without those that are its own', () => {
    const lines = headerLines([
      'Sec-WebSocket-Protocol: chat',
      'upgrade: x',
      'Connection: close',
      'sec-websocket-accept: x',
      'Sec-WebSocket-Extensions: x',
      'X: y',
    ]);
    const head = OPENED.slice(0, -2);
    expect(openingAnswer(SAMPLE_KEY, lines, null)).to.equal(`${head}Sec-WebSocket-Protocol: chat\r\nX: y\r\n\r\n`);
    expect(openingAnswer(SAMPLE_KEY, [], 'permessage-deflate')).to.equal(
      `${head}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
    );
  });

  it('has one answer for any head', () => {
    const header = fc.constantFrom(
      'Host',
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Key',
      'Sec-WebSocket-Version',
      'X',
      'X Y',
    );
    const value = fc.oneof(
      fc.constantFrom('13', 'websocket', 'Upgrade', SAMPLE_KEY, 'a'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(header, value)), (fields) => {
        const head = Buffer.from(
          ['GET / HTTP/1.1', ...fields.map(([n, v]) => `${n}: ${v.replaceAll('\r\n\r\n', '')}`), '', ''].join('\r\n'),
        );
        const opening = readOpening(head);
        if (typeof opening === 'string') expect([H400, NO_VERSION, H426]).to.include(opening);
      }),
    );
  });
});
