import { expect } from 'chai';
import fc from 'fast-check';
import { Request } from '../../../../protocols/http/Request.js';
import { parseHead } from '../../../../protocols/http/parse/head.js';

/** A request with these header lines and body, on the way of an HTTP request (with its head) and by hand (without). */
function both(head: string, body: string | Buffer = ''): Request[] {
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body as string)]);
  const parsed = parseHead(bytes);
  if (typeof parsed === 'number') throw new Error(`refused with ${parsed}`);
  return [new Request(bytes, parsed), new Request(bytes)];
}

const target = (uri: string): Request[] => both(`GET ${uri} HTTP/1.1\r\nHost: a`);

function post(type: string | null, body: string | Buffer): Request {
  return both(`POST / HTTP/1.1\r\nHost: a${type === null ? '' : `\r\nContent-Type: ${type}`}`, body)[0]!;
}

/** Calls a method that is known by its name only. */
const call = (request: Request, member: string, ...args: unknown[]): unknown => request[member](...args);

describe('Request', () => {
  it('answers what the request line and the headers say', () => {
    for (const request of both(
      'POST /a/b?c=d&e[]=f HTTP/1.1\r\nHost: example.test:8080\r\nX-Y:  z \r\nCookie: k=v',
      'g=h',
    )) {
      expect(request.method()).to.equal('POST');
      expect(request.uri()).to.equal('/a/b?c=d&e[]=f');
      expect(request.path()).to.equal('/a/b');
      expect(request.queryString()).to.equal('c=d&e[]=f');
      expect(request.protocolVersion()).to.equal('1.1');
      expect(request.host()).to.equal('example.test:8080');
      expect(request.host(true)).to.equal('example.test');
      expect(request.header('x-Y')).to.equal('z');
      expect(request.get('c')).to.equal('d');
      expect(request.get('e')).to.deep.equal(['f']);
      expect(request.post('g')).to.equal('h');
      expect(request.cookie('k')).to.equal('v');
      expect(request.rawHead()).to.equal(
        'POST /a/b?c=d&e[]=f HTTP/1.1\r\nHost: example.test:8080\r\nX-Y:  z \r\nCookie: k=v',
      );
      expect(request.rawBody()).to.equal('g=h');
      expect(request.rawBodyBytes().toString()).to.equal('g=h');
      expect(request.rawBuffer()).to.equal(`${request.rawHead()}\r\n\r\ng=h`);
      expect(String(request)).to.equal(request.rawBuffer());
    }
  });

  it('gives everything at once, or a default for what is absent', () => {
    const [request] = both('GET /?a=1 HTTP/1.1\r\nHost: b\r\nCookie: c=2', '{"d":3,"e":null}');
    expect({ ...request!.get() }).to.deep.equal({ a: '1' });
    expect({ ...request!.header() }).to.deep.equal({ host: 'b', cookie: 'c=2' });
    expect({ ...request!.cookie(null) }).to.deep.equal({ c: '2' });
    expect({ ...request!.trailer() }).to.deep.equal({});
    for (const member of ['get', 'post', 'header', 'cookie', 'trailer'] as const) {
      expect(call(request!, member, 'none')).to.equal(null);
      expect(call(request!, member, 'none', 5)).to.equal(5);
      expect(call(request!, member, 'toString', 'x')).to.equal('x');
      expect(Object.getPrototypeOf(request![member]())).to.equal(null);
      expect(request![member]()).to.deep.equal(request![member]());
    }
  });

  it('parses once', () => {
    const [request] = both('GET /?a=1 HTTP/1.1\r\nHost: b', 'c=d');
    for (const member of ['get', 'post', 'header', 'cookie'] as const) {
      expect(request![member]()).to.equal(request![member]());
    }
  });

  it('has the settings and constants of Workerman', () => {
    expect(Request.maxFileUploads).to.equal(1024);
    expect(Request.MAX_CACHE_STRING_LENGTH).to.equal(4096);
    expect(Request.MAX_CACHE_SIZE).to.equal(256);
  });

  describe('path() and queryString()', () => {
    const table: [uri: string, path: string, query: string][] = [
      ['/', '/', ''],
      ['/%2e%2e/x', '/%2e%2e/x', ''],
      ['/a//b', '/a//b', ''],
      ['/../a', '/../a', ''],
      ['//a/b?x=1', '//a/b', 'x=1'],
      ['//?x', '//', 'x'],
      ['///a', '///a', ''],
      ['/a:80', '/a:80', ''],
      ['/a:99999?b', '/a:99999', 'b'],
      ['/a?x=/y:80', '/a', 'x=/y:80'],
      ['/a?b?c', '/a', 'b?c'],
      ['/a#f?x', '/a', ''],
      ['/a?x#f', '/a', 'x'],
      ['/?', '/', ''],
      ['/#', '/', ''],
      ['/你?好=1', '/你', '好=1'],
    ];
    for (const [uri, path, query] of table) {
      it(`are ${path} and ${query || 'nothing'} for ${uri}`, () => {
        for (const request of target(uri)) {
          expect(request.uri()).to.equal(uri);
          expect(request.path()).to.equal(path);
          expect(request.queryString()).to.equal(query);
          expect(Object.keys(request.get())).to.have.length(query === '' ? 0 : 1);
        }
      });
    }
  });

  it('reads the query byte by byte, raw and escaped ones alike', () => {
    const bytes = Buffer.from('GET /?a=\xe4%BD\xa0&b=\xff HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1');
    expect({ ...new Request(bytes).get() }).to.deep.equal({ a: '你', b: '\ufffd' });
    expect(new Request(bytes).queryString()).to.equal('a=\ufffd%BD\ufffd&b=\ufffd');
  });

  describe('host()', () => {
    it('takes off one to five digits at the end', () => {
      const host = (value: string): string | null => new Request(`GET / HTTP/1.0\r\nHost: ${value}\r\n\r\n`).host(true);
      expect(host('a:1')).to.equal('a');
      expect(host('a:65535')).to.equal('a');
      expect(host('a:123456')).to.equal('a:123456');
      expect(host('[::1]:80')).to.equal('[::1]');
      expect(host('a')).to.equal('a');
    });

    it('is null without the header', () => {
      expect(new Request('GET / HTTP/1.0\r\n\r\n').host()).to.equal(null);
      expect(new Request('GET / HTTP/1.0\r\n\r\n').host(true)).to.equal(null);
    });
  });

  it('joins repeated headers with a comma and Cookie headers with a semicolon', () => {
    const [request] = both('GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nCookie: a=1\r\nx: 2\r\nCOOKIE: b=2');
    expect(request!.header('X')).to.equal('1,2');
    expect({ ...request!.cookie() }).to.deep.equal({ a: '1', b: '2' });
  });

  describe('post()', () => {
    it('is empty for an empty body, whatever the type', () => {
      for (const type of ['application/json', 'text/plain', null])
        expect({ ...post(type, '').post() }).to.deep.equal({});
    });

    it('reads JSON where the type says so in any case', () => {
      for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.api+json']) {
        expect(post(type, '{"a":{"b":1}}').post('a')).to.deep.include({ b: 1 });
      }
    });

    it('reads anything else as a form', () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream', null]) {
        expect({ ...post(type, 'a[]=1&a[]=%41+b').post() }).to.deep.equal({ a: ['1', 'A b'] });
      }
      expect(Object.keys(post('text/plain', '{"a":1}').post())).to.deep.equal(['{"a":1}']);
    });

    it('gives the elements of a list by number, and nothing that arrays inherit', () => {
      const request = post('application/json', '["x", null, 7]');
      expect(request.post()).to.deep.equal(['x', null, 7]);
      expect(request.post('0')).to.equal('x');
      expect(request.post('1', 'd')).to.equal('d');
      expect(request.post('2')).to.equal(7);
      for (const name of ['3', '-1', '00', 'length', 'map', 'constructor', '__proto__'])
        expect(request.post(name), name).to.equal(null);
      expect(post('application/json', '5').post()).to.deep.equal([5]);
    });

    it('does not mix up two requests with the same body', () => {
      expect(Object.keys(post('text/plain', '{"a":1}').post())).to.deep.equal(['{"a":1}']);
      expect({ ...post('application/json', '{"a":1}').post() }).to.deep.equal({ a: 1 });
    });

    it('counts null as absent and false, 0 and the empty text as there', () => {
      const request = post('application/json', '{"a":null,"b":false,"c":0,"d":""}');
      expect(['a', 'b', 'c', 'd'].map((name) => request.post(name, 'default'))).to.deep.equal([
        'default',
        false,
        0,
        '',
      ]);
    });

    it('makes ordinary keys of __proto__ in every kind of input', () => {
      const requests = [
        post('application/json', '{"__proto__":{"x":1}}').post(),
        post(null, '__proto__[x]=1').post(),
        target('/?__proto__[x]=1')[0]!.get(),
      ];
      for (const result of requests) {
        expect(Object.getPrototypeOf(result)).to.equal(null);
        expect(Object.keys(result)).to.deep.equal(['__proto__']);
      }
      expect(({} as Record<string, unknown>).x).to.equal(undefined);
    });
  });

  it('keeps binary bodies whole', () => {
    const body = Buffer.from([0, 255, 13, 10, 13, 10, 254]);
    for (const request of both('POST / HTTP/1.1\r\nHost: a', body)) {
      expect(request.rawBodyBytes().equals(body)).to.equal(true);
      expect(request.rawBody()).to.equal('\0\ufffd\r\n\r\n\ufffd');
    }
  });

  describe('trailer()', () => {
    it('finds names in any case', () => {
      const [request] = both('POST / HTTP/1.1\r\nHost: a');
      request!.setChunkTrailers({ 'x-sum': '1', Other: '2' });
      expect(request!.trailer('X-SUM')).to.equal('1');
      expect(request!.trailer('other')).to.equal('2');
      expect(request!.header('x-sum')).to.equal(null);
    });

    it('keeps what was set first', () => {
      const [request] = both('POST / HTTP/1.1\r\nHost: a');
      request!.setChunkTrailers({});
      request!.setChunkTrailers({ a: '1' });
      expect({ ...request!.trailer() }).to.deep.equal({});
    });

    it('gives an object without a prototype, whatever was set', () => {
      const [request] = both('POST / HTTP/1.1\r\nHost: a');
      request!.setChunkTrailers(JSON.parse('{"__proto__":"1"}') as Record<string, string>);
      expect(Object.getPrototypeOf(request!.trailer())).to.equal(null);
      expect(request!.trailer('__PROTO__')).to.equal('1');
    });
  });

  describe('made by hand', () => {
    it('fills in what a request line lacks', () => {
      const request = new Request('GET');
      expect([
        request.method(),
        request.uri(),
        request.path(),
        request.queryString(),
        request.protocolVersion(),
      ]).to.deep.equal(['GET', '/', '/', '', '1.0']);
      expect(request.rawHead()).to.equal('GET');
      expect(request.rawBody()).to.equal('');
      expect(new Request('').method()).to.equal('');
    });

    it('takes what has no empty line for a head', () => {
      const request = new Request('PUT /a?b=c HTTP/1.1\r\nX: y');
      expect(request.header('x')).to.equal('y');
      expect(request.get('b')).to.equal('c');
      expect({ ...request.post() }).to.deep.equal({});
    });

    it('reads the query up to the end of a line without a version', () => {
      expect({ ...new Request('GET /?a=1\r\nX: y?b=2').get() }).to.deep.equal({ a: '1' });
      expect({ ...new Request('X\r\nA: /?b=2').get() }).to.deep.equal({});
    });
  });

  it('carries what an application hangs on it', () => {
    const [request] = both('GET / HTTP/1.1\r\nHost: a');
    request!.user = { id: 1 };
    expect(request!.user).to.deep.equal({ id: 1 });
    expect(request!.unknown).to.equal(undefined);
    request!.properties.a = 1;
    request!.context.b = 2;
    request!.destroy();
    expect(request!.properties).to.deep.equal({});
    expect(request!.context).to.deep.equal({});
    expect(request!.connection).to.equal(null);
  });

  it('can be extended', () => {
    class Mine extends Request {
      override path(): string {
        return `/prefix${super.path()}`;
      }
    }
    expect(new Mine('GET /a HTTP/1.1\r\n\r\n').path()).to.equal('/prefix/a');
  });

  it('never throws, whatever the bytes', () => {
    const words = fc.constantFrom(
      'GET',
      ' ',
      '/',
      '?',
      '#',
      '=',
      '&',
      '[',
      ']',
      '%',
      '\r\n',
      '\r\n\r\n',
      ':',
      ';',
      'Cookie: ',
      'Host:',
      'Content-Type: a/json',
      '{',
      '"',
      '\0',
      '__proto__',
      'HTTP/1.1',
      'ü',
    );
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.array(fc.oneof(words, fc.string({ maxLength: 3 })), { maxLength: 30 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(input, (bytes) => {
        const request = new Request(bytes);
        for (const member of [
          'method',
          'uri',
          'path',
          'queryString',
          'protocolVersion',
          'rawHead',
          'rawBody',
          'rawBuffer',
        ] as const) {
          expect(request[member](), member).to.be.a('string');
        }
        for (const member of ['get', 'post', 'header', 'cookie', 'trailer'] as const) {
          expect(typeof request[member](), member).to.equal('object');
          expect(call(request, member, '\0none'), member).to.equal(null);
        }
        const parsed = parseHead(Buffer.from(bytes as string));
        if (typeof parsed === 'object') {
          const quick = new Request(bytes, parsed);
          for (const member of [
            'method',
            'uri',
            'path',
            'queryString',
            'protocolVersion',
            'host',
            'rawHead',
            'rawBody',
          ] as const) {
            expect(quick[member](), member).to.equal(request[member]());
          }
        }
      }),
    );
  });
});
