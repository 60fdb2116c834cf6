import { expect } from 'chai';
import {
  openingRequest,
  printable,
  readOpened,
  type OpeningOptions,
  type SentRequest,
} from '../../../../protocols/websocket/clientHandshake.js';
import { acceptOf, readOpening } from '../../../../protocols/websocket/handshake.js';
import { headerLines } from '../../../../protocols/websocket/headerLines.js';

const request = (options: Partial<OpeningOptions> = {}, headers: unknown = {}): SentRequest =>
  openingRequest({
    host: 'example.test',
    port: 8080,
    uri: '/chat?x=1',
    origin: undefined,
    protocols: undefined,
    compress: false,
    lines: headerLines(headers),
    ...options,
  });

const linesOf = ({ text, key }: SentRequest): string[] => text.replace(key, 'KEY').split('\r\n');

describe("the client's request", () => {
  it("has its lines in Workerman's order", () => {
    const sent = request({ origin: 'http://o', protocols: 'a, b', compress: true }, { 'X-A': '1', 'x-b': ['2', '3'] });
    expect(linesOf(sent)).to.deep.equal([
      'GET /chat?x=1 HTTP/1.1',
      'Host: example.test:8080',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Origin: http://o',
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: KEY',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      'X-A: 1',
      'x-b: 2',
      'x-b: 3',
      '',
      '',
    ]);
    expect(sent.protocols).to.deep.equal(['a', 'b']);
    expect(Buffer.from(sent.key, 'base64')).to.have.length(16);
    expect(request().key).to.not.equal(sent.key);
  });

  it('is one that our own server takes', () => {
    const opening = readOpening(Buffer.from(request({ compress: true }).text));
    expect(opening).to.be.an('object');
  });

  it('names the port unless it is 80 or 443, and any host for a unix socket', () => {
    expect(linesOf(request({ port: 80 }))[1]).to.equal('Host: example.test');
    expect(linesOf(request({ port: 443 }))[1]).to.equal('Host: example.test');
    expect(linesOf(request({ host: '[::1]' }))[1]).to.equal('Host: [::1]:8080');
    expect(linesOf(request({ host: '', port: 0 }))[1]).to.equal('Host: localhost');
    expect(linesOf(request({}, { 'host': 'other' })).filter((line) => /^host/i.test(line))).to.deep.equal([
      'host: other',
    ]);
  });

  it('has no line of the user that would break it, and none that is its own', () => {
    const sent = request(
      { uri: '/a b\r\nX: y', origin: 'o\r\nX: y', protocols: 'p\r\n' },
      {
        'A:b': '1',
        'X\r\n': '1',
        'Y': 'a\r\nb',
        'Upgrade': 'x',
        'connection': 'x',
        'sec-websocket-key': 'x',
        'Sec-WebSocket-Version': '8',
      },
    );
    expect(linesOf(sent)).to.deep.equal([
      'GET /a%20b%0D%0AX:%20y HTTP/1.1',
      'Host: example.test:8080',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Origin: oX: y',
      'Sec-WebSocket-Protocol: p',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: KEY',
      '',
      '',
    ]);
    expect(linesOf(request({ uri: '' }))[0]).to.equal('GET / HTTP/1.1');
  });

  it("offers what the user's headers offer, in place of its own offer", () => {
    const sent = request(
      { compress: true },
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=10' },
    );
    expect(sent.extensions).to.equal('permessage-deflate; server_max_window_bits=10');
    expect(linesOf(sent).filter((line) => line.includes('Extensions'))).to.have.length(1);
    expect(request().extensions).to.equal('');
    expect(request({}, { 'Sec-WebSocket-Protocol': 'x' }).protocols).to.deep.equal(['x']);
  });
});

describe("the server's answer", () => {
  const sent = request({ protocols: 'chat, other', compress: true });
  type Changes = Record<string, string | string[] | null>;
  const answer = (changes: Changes = {}, start = 'HTTP/1.1 101 Switching Protocols'): Buffer => {
    const all: Changes = {
      'Upgrade': 'websocket',
      'Connection': 'Upgrade',
      'Sec-WebSocket-Accept': acceptOf(sent.key),
      ...changes,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      (value === null ? [] : Array.isArray(value) ? value : [value]).map((item) => `${name}: ${item}`),
    );
    return Buffer.from([start, ...lines, '', ''].join('\r\n'));
  };
  const verdict = (changes?: Changes, start?: string): string => {
    const opened = readOpened(answer(changes, start), sent);
    return typeof opened === 'string' ? opened : 'opened';
  };

  it('opens the connection, and is handed out as a Response', () => {
    const opened = readOpened(
      answer({ 'X-Name': ['1', '2'], 'x-nAmE': '3', 'Set-Cookie': ['a', 'b'] }, 'HTTP/1.1 101 Switching Protocol'),
      sent,
    );
    if (typeof opened === 'string') throw new Error(opened);
    const { response, agreement } = opened;
    expect(agreement).to.equal(null);
    expect(response.getStatusCode()).to.equal(101);
    expect(response.getReasonPhrase()).to.equal('Switching Protocol');
    expect(response.rawBody()).to.equal('');
    expect({ ...response.getHeaders() }).to.deep.equal({
      'Upgrade': 'websocket',
      'Connection': 'Upgrade',
      'Sec-WebSocket-Accept': acceptOf(sent.key),
      'x-nAmE': '3',
      'Set-Cookie': 'b',
    });
  });

  it('has to prove that it has read the key', () => {
    expect(verdict({ 'Sec-WebSocket-Accept': null })).to.equal('Sec-WebSocket-Accept not found');
    expect(verdict({ 'Sec-WebSocket-Accept': 'x' })).to.equal('Sec-WebSocket-Accept not match');
    expect(verdict({ 'Sec-WebSocket-Accept': [acceptOf(sent.key), acceptOf(sent.key)] })).to.equal(
      'Sec-WebSocket-Accept not match',
    );
    expect(verdict({ 'Sec-WebSocket-Accept': `  ${acceptOf(sent.key)}\t` })).to.equal('opened');
  });

  it('has the status 101 and the two tokens', () => {
    expect(verdict({}, 'HTTP/1.1 200 OK')).to.include('200');
    for (const start of ['HTTP/1.0 101 x', 'HTTP/2 101', 'x', 'HTTP/1.1 101x'])
      expect(verdict({}, start), start).to.include('malformed');
    expect(verdict({}, 'HTTP/1.1 101')).to.equal('opened');
    expect(verdict({ 'Upgrade': null })).to.include('Upgrade');
    expect(verdict({ 'Upgrade': 'h2c' })).to.include('Upgrade');
    expect(verdict({ 'Connection': 'keep-alive' })).to.include('Connection');
    expect(verdict({ 'Upgrade': 'WebSocket', 'Connection': 'keep-alive, UPGRADE' })).to.equal('opened');
    expect(verdict({ 'X Y': '1' })).to.include('malformed');
  });

  it('chooses one of the subprotocols that were asked for, or none', () => {
    expect(verdict({ 'Sec-WebSocket-Protocol': 'chat' })).to.equal('opened');
    for (const protocol of ['Chat', 'x', 'chat, other', '', ['chat', 'other']]) {
      expect(verdict({ 'Sec-WebSocket-Protocol': protocol }), String(protocol)).to.include('Protocol not match');
    }
  });

  it('agrees to the extension that was offered', () => {
    const opened = readOpened(
      answer({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits=9' }),
      sent,
    );
    expect(opened).to.have.property('agreement').that.includes({ windowBits: 9 });
    for (const extensions of [
      'foo',
      'permessage-deflate; x',
      'permessage-deflate;',
      ['permessage-deflate', 'permessage-deflate'],
    ]) {
      expect(verdict({ 'Sec-WebSocket-Extensions': extensions }), String(extensions)).to.include(
        'Extensions not match',
      );
    }
  });

  it('can not steer the terminal when it is printed', () => {
    expect(printable(Buffer.from('HTTP/1.1 200 \x1b[31mOK\r\nX: \x07é\r\n\r\n'))).to.equal(
      'HTTP/1.1 200 ?[31mOK\r\nX: ???',
    );
  });
});
