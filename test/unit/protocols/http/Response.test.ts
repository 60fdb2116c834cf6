import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Response } from '../../../../protocols/http/Response.js';

describe('Response', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'response-'));
    writeFileSync(join(folder, 'a.txt'), 'abc');
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('constructor', () => {
    it('begins as an empty 200', () => {
      const response = new Response();
      expect(response.getStatusCode()).to.equal(200);
      expect(Object.keys(response.getHeaders())).to.deep.equal([]);
      expect(response.rawBody()).to.equal('');
      expect(response.file).to.equal(null);
      expect(response.getReasonPhrase()).to.equal(null);
    });

    it('takes status, headers and body', () => {
      const response = new Response(418, { 'X-A': 'a', 'X-B': ['b', 'c'] }, 'tea');
      expect(response.getStatusCode()).to.equal(418);
      expect({ ...response.getHeaders() }).to.deep.equal({ 'X-A': 'a', 'X-B': ['b', 'c'] });
      expect(response.rawBody()).to.equal('tea');
    });

    it('converts numbers in headers to text', () => {
      const response = new Response(200, { 'X-A': 42, 'X-B': [1, 'two', 3.5] });
      expect(response.getHeader('X-A')).to.equal('42');
      expect(response.getHeader('X-B')).to.deep.equal(['1', 'two', '3.5']);
    });

    it('does not change the objects it was given and does not follow their changes', () => {
      const list = ['1'];
      const headers: Record<string, string | string[]> = { 'X-A': 'a', 'X-L': list };
      const response = new Response(200, headers).withHeader('X-B', 'b').withHeaders({ 'X-L': '2' });
      headers['X-C'] = 'c';
      list.push('late');
      expect(Object.keys(headers)).to.deep.equal(['X-A', 'X-L', 'X-C']);
      expect({ ...response.getHeaders() }).to.deep.equal({ 'X-A': 'a', 'X-L': ['1', '2'], 'X-B': 'b' });
    });

    it('keeps bytes as bytes and converts other scalars', () => {
      const bytes = Uint8Array.of(0, 255);
      expect(new Response(200, {}, bytes).rawBody()).to.equal(bytes);
      expect(new Response(200, {}, 5 as unknown as string).rawBody()).to.equal('5');
      expect(new Response(200, {}, null as unknown as string).rawBody()).to.equal('');
    });

    it('refuses a body that has no text', () => {
      for (const body of [[], {}, Object.create(null), () => '', new Map()]) {
        expect(() => new Response(200, {}, body as string)).to.throw(TypeError)
          .with.property('code', 'WM_BAD_DATA');
      }
    });

    it('keeps a header that is called __proto__ as a name like any other', () => {
      const response = new Response(200, { ['__proto__']: 'x', constructor: 'y' });
      expect(response.getHeader('__proto__')).to.equal('x');
      expect(Object.keys(response.getHeaders())).to.deep.equal(['__proto__', 'constructor']);
      expect(response.toString()).to.contain('\r\n__proto__: x\r\nconstructor: y\r\n');
    });

    it('lets nothing but a number become the status', () => {
      const evil = '200 OK\r\nX-Evil: 1' as unknown as number;
      expect(new Response(evil).getStatusCode()).to.equal(0);
      expect(new Response().withStatus(evil).toString()).not.to.contain('Evil');
      expect(new Response('404' as unknown as number).getStatusCode()).to.equal(404);
    });
  });

  describe('headers', () => {
    for (const method of ['header', 'withHeader'] as const) {
      it(`${method} replaces a header in its place and returns the response`, () => {
        const response = new Response(200, { 'X-A': ['1', '2'], 'X-B': 'b' });
        expect(response[method]('X-A', 'new')).to.equal(response);
        expect({ ...response.getHeaders() }).to.deep.equal({ 'X-A': 'new', 'X-B': 'b' });
        expect(Object.keys(response.getHeaders())).to.deep.equal(['X-A', 'X-B']);
      });
    }

    it('finds, replaces and removes headers without regard to case, and keeps the stored spelling', () => {
      const response = new Response(200, { 'x-MiXed': '1' });
      expect(response.getHeader('X-mixed')).to.equal('1');
      response.withHeader('X-MIXED', '2');
      expect({ ...response.getHeaders() }).to.deep.equal({ 'x-MiXed': '2' });
      response.withHeaders({ 'X-Mixed': '3' });
      expect({ ...response.getHeaders() }).to.deep.equal({ 'x-MiXed': ['2', '3'] });
      expect(response.withoutHeader('X-miXED')).to.equal(response);
      expect(response.getHeader('x-MiXed')).to.equal(null);
    });

    it('withHeaders adds to a header that is set', () => {
      const response = new Response(200, { 'X-A': 'a', 'X-B': ['1', '2'] });
      expect(response.withHeaders({ 'X-A': 'b', 'X-B': ['3'], 'X-C': 'c' })).to.equal(response);
      expect({ ...response.getHeaders() }).to.deep.equal({ 'X-A': ['a', 'b'], 'X-B': ['1', '2', '3'], 'X-C': 'c' });
    });

    it('withHeaders replaces the headers of which an answer has one', () => {
      const single = [
        'Content-Type', 'Content-Length', 'Content-Range', 'Connection', 'Transfer-Encoding', 'Location',
        'Last-Modified', 'ETag', 'Date', 'Server',
      ];
      for (const name of single) {
        const response = new Response(200, { [name]: 'old' }).withHeaders({ [name.toLowerCase()]: 'new' });
        expect({ ...response.getHeaders() }).to.deep.equal({ [name]: 'new' });
      }
    });

    it('joins two spellings of one name given to the constructor', () => {
      const response = new Response(200, { 'Set-Cookie': 'a=1', 'set-cookie': 'b=2', 'etag': '"1"', 'ETag': '"2"' });
      expect({ ...response.getHeaders() }).to.deep.equal({ 'Set-Cookie': ['a=1', 'b=2'], 'etag': '"2"' });
    });

    it('withoutHeader of a header that is not set does nothing', () => {
      const response = new Response(200, { 'X-A': 'a' }).withoutHeader('X-Nope');
      expect({ ...response.getHeaders() }).to.deep.equal({ 'X-A': 'a' });
    });

    it('hands out copies', () => {
      const response = new Response(200, { 'X-A': ['1'] });
      (response.getHeader('X-A') as string[]).push('2');
      (response.getHeaders()['X-A'] as string[]).push('3');
      expect(response.getHeader('X-A')).to.deep.equal(['1']);
      expect(Object.getPrototypeOf(response.getHeaders())).to.equal(null);
    });

    it('turns what is no text into PHP text', () => {
      const values = { a: null, b: undefined, c: true, d: false } as unknown as Record<string, string>;
      expect({ ...new Response(200, values).getHeaders() }).to.deep.equal({ a: '', b: '', c: '1', d: '' });
    });
  });

  describe('status line', () => {
    it('takes CR and LF out of reason and version', () => {
      const response = new Response().withStatus(200, 'A\r\nB: c\nd').withProtocolVersion('1.\r\n0');
      expect(response.getReasonPhrase()).to.equal('AB: cd');
      expect(response.toString().split('\r\n')[0]).to.equal('HTTP/1.0 200 AB: cd');
    });

    it('forgets a reason with the next status', () => {
      const response = new Response().withStatus(200, 'Once').withStatus(404);
      expect(response.getReasonPhrase()).to.equal(null);
      expect(response.toString()).to.match(/^HTTP\/1\.1 404 Not Found\r\n/);
    });

    it('reports only a reason that was given, also an empty one', () => {
      expect(new Response(404).getReasonPhrase()).to.equal(null);
      expect(new Response().withStatus(404, '').getReasonPhrase()).to.equal('');
      expect(new Response().withStatus(404, '').toString()).to.match(/^HTTP\/1\.1 404 Not Found\r\n/);
    });

    it('has the registered phrases in PHRASES and none for codes that are not registered', () => {
      const codes = [
        ...[100, 101, 102, 103], ...range(200, 208), 226, ...range(300, 308), ...range(400, 418), ...range(421, 426),
        428, 429, 431, 451, ...range(500, 508), 510, 511,
      ];
      expect(Object.keys(Response.PHRASES).map(Number)).to.deep.equal(codes);
      expect(Response.PHRASES[203]).to.equal('Non-Authoritative Information');
      expect(Response.PHRASES[306]).to.equal('Switch Proxy');
      expect(Response.PHRASES[413]).to.equal('Payload Too Large');
      expect(Response.PHRASES[414]).to.equal('URI Too Long');
      expect(Response.PHRASES[416]).to.equal('Range Not Satisfiable');
      expect(Response.PHRASES[418]).to.equal('I\'m a teapot');
      expect(Response.PHRASES[422]).to.equal('Unprocessable Entity');
      expect(Response.PHRASES[505]).to.equal('HTTP Version Not Supported');
    });
  });

  describe('cookie', () => {
    const lines = (response: Response): unknown => response.getHeader('Set-Cookie');

    it('writes the attributes that are given, in the order of Workerman', () => {
      const response = new Response();
      expect(response.cookie('all', 'v', 60, '/p', 'example.test', true, true, 'Lax')).to.equal(response);
      expect(lines(response)).to.deep.equal([
        'all=v; Domain=example.test; Max-Age=60; Path=/p; Secure; HttpOnly; SameSite=Lax',
      ]);
    });

    it('writes nothing but name and value by default', () => {
      expect(lines(new Response().cookie('a'))).to.deep.equal(['a=']);
    });

    it('writes Max-Age also when it is 0', () => {
      expect(lines(new Response().cookie('a', '', 0).cookie('b', '', -1))).to.deep.equal([
        'a=; Max-Age=0', 'b=; Max-Age=-1',
      ]);
    });

    it('appends to the cookies that are set, also to one set as text', () => {
      const response = new Response(200, { 'set-cookie': 'raw=1' }).cookie('a', '1').cookie('a', '2');
      expect(lines(response)).to.deep.equal(['raw=1', 'a=1', 'a=2']);
    });

    it('percent-encodes every byte of the value but the unreserved ones', () => {
      fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => {
        const [line] = lines(new Response().cookie('v', value)) as [string];
        const text = line.slice(2);
        expect(text).to.match(/^(?:[A-Za-z0-9\-_.~]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(text)).to.equal(value);
      }));
      expect(lines(new Response().cookie('v', '!*\'() ;é'))).to.deep.equal(['v=%21%2A%27%28%29%20%3B%C3%A9']);
    });

    it('takes half a surrogate pair in a value for U+FFFD', () => {
      expect(lines(new Response().cookie('v', 'a\ud800b'))).to.deep.equal(['v=a%EF%BF%BDb']);
    });

    it('leaves out a cookie with a name that is empty or would not be one name', () => {
      for (const name of ['', 'a=b', 'a,b', 'a;b', 'a b', 'a\tb', 'a\r\nb', 'a\0', 'a\x7f', 'a; Domain=evil.test']) {
        expect(lines(new Response().cookie(name, '1')), JSON.stringify(name)).to.equal(null);
      }
    });

    it('leaves out a cookie of which an attribute would become two', () => {
      for (const bad of ['a;b', 'a\r\nb', '/\0', '\x7f', '\t', '/; Domain=evil.test']) {
        expect(lines(new Response().cookie('a', '1', null, bad)), JSON.stringify(bad)).to.equal(null);
        expect(lines(new Response().cookie('a', '1', null, '', bad)), JSON.stringify(bad)).to.equal(null);
        expect(lines(new Response().cookie('a', '1', null, '', '', false, false, bad))).to.equal(null);
      }
    });

    it('writes all other attributes as they are given', () => {
      expect(lines(new Response().cookie('a', '1', null, '/a b,=é', '.x')))
        .to.deep.equal(['a=1; Domain=.x; Path=/a b,=é']);
    });

    it('leaves out a Max-Age that is no number', () => {
      const evil = '5; Domain=evil.test' as unknown as number;
      expect(lines(new Response().cookie('a', '1', evil))).to.deep.equal(['a=1']);
      expect(lines(new Response().cookie('a', '1', 1.9))).to.deep.equal(['a=1; Max-Age=1']);
    });

    it("writes values that are no text as PHP's (string) has them, and null attributes not at all", () => {
      const values = [true, false, null, undefined, 1.5, 1e25] as unknown[] as string[];
      // A default takes the place of undefined.
      const texts = values.map((value) => lines(new Response().cookie('a', value)));
      expect(texts).to.deep.equal([['a=1'], ['a='], ['a='], ['a='], ['a=1.5'], ['a=1.0E%2B25']]);
      const none = null as unknown as string;
      expect(lines(new Response().cookie('a', '1', null, none, none, true, false, none))).to.deep.equal(['a=1; Secure']);
    });
  });

  describe('body and file', () => {
    it('replaces the body', () => {
      const response = new Response(200, {}, 'first');
      expect(response.withBody('second')).to.equal(response);
      expect(response.rawBody()).to.equal('second');
    });

    it('records the file with its offset and length', () => {
      const file = join(folder, 'a.txt');
      expect(new Response().withFile(file).file).to.deep.equal({ file, offset: 0, length: 0 });
      expect(new Response().withFile(file, 1, 2).file).to.deep.equal({ file, offset: 1, length: 2 });
    });

    it('makes a 404 of what is not a regular file', () => {
      const none = [
        join(folder, 'none'), folder, '', join(folder, 'a.txt', 'below'), 'a\0b', 'x'.repeat(5000), '/dev/null',
      ];
      for (const file of none) {
        const response = new Response(200, { 'X-A': 'a' }, 'ignored').withFile(file);
        expect(response.file).to.equal(null);
        expect(response.toString()).to.equal(
          'HTTP/1.1 404 Not Found\r\nX-A: a\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\n'
          + 'Content-Length: 22\r\n\r\n<h3>404 Not Found</h3>',
        );
      }
    });

    it('forgets an earlier file with one that is missing', () => {
      const response = new Response().withFile(join(folder, 'a.txt')).withFile(join(folder, 'none'));
      expect(response.file).to.equal(null);
      expect(response.getStatusCode()).to.equal(404);
    });

    it('knows the types of extensions, with their case', () => {
      const types = ['html', 'txt', 'svgz', 'woff2', 'TXT', 'nope', '', '__proto__', 'constructor']
        .map((extension) => new Response().getMimeType(extension));
      const unknown = 'application/octet-stream';
      expect(types).to.deep.equal([
        'text/html', 'text/plain', 'image/svg+xml', 'font/woff2', unknown, unknown, unknown, unknown, unknown,
      ]);
    });
  });

  describe('toString', () => {
    it('is the whole message', () => {
      expect(String(new Response(200, {}, Buffer.from('é')))).to.equal(
        'HTTP/1.1 200 OK\r\nContent-Type: text/html;charset=utf-8\r\n'
        + 'Content-Length: 2\r\nConnection: keep-alive\r\n\r\né',
      );
    });

    it('of a file is its head', () => {
      expect(String(new Response().withFile(join(folder, 'a.txt')))).to.match(
        /^HTTP\/1\.1 200 OK\r\nContent-Length: 3\r\nAccept-Ranges: bytes\r\n(?:[^\r]+\r\n){3}\r\n$/,
      );
    });
  });
});

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
