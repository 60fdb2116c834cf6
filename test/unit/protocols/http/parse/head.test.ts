import { expect } from 'chai';
import fc from 'fast-check';
import {
  HEADER_LIMIT,
  looseHead,
  lowerAscii,
  parseFields,
  parseHead,
  trimBlanks,
} from '../../../../../protocols/http/parse/head.js';
import type { Head } from '../../../../../protocols/http/parse/head.js';
import { deliveries, feed } from '../../../../support/feed.js';

const END = '\r\n\r\n';

/** A head around the given header lines; a Host is added unless `host` is off. */
function headOf(lines: string[], { start = 'GET / HTTP/1.1', host = true } = {}): Buffer {
  return Buffer.from([start, ...(host ? ['Host: a'] : []), ...lines].join('\r\n') + END);
}

function accepted(bytes: Buffer): Head {
  const head = parseHead(bytes);
  if (typeof head === 'number') throw new Error(`refused with ${head}: ${bytes.toString()}`);
  return head;
}

const verdict = (bytes: Buffer | string): number => {
  const head = parseHead(Buffer.from(bytes as string));
  return typeof head === 'number' ? head : 200;
};

describe('parseHead', () => {
  it('reads what the server has to know', () => {
    const bytes = Buffer.from(
      'POST /a?b=1#c HTTP/1.1\r\nhost: example.test:80\r\nContent-LENGTH: 007 \r\nExpect: 100-Continue\r\n' +
        'Connection: upgrade, \tClose\r\nConnection: Keep-Alive\r\n\r\nrest of the body',
    );
    expect(accepted(bytes)).to.include({
      length: bytes.indexOf(END) + 4,
      method: 'POST',
      target: '/a?b=1#c',
      minor: 1,
      contentLength: 7,
      chunked: false,
      expectContinue: true,
      close: true,
      keepAlive: true,
      codingStart: -1,
      codingEnd: -1,
    });
  });

  it('has quiet defaults for what is absent', () => {
    expect(accepted(Buffer.from(`GET / HTTP/1.0${END}`))).to.include({
      length: 18,
      minor: 0,
      contentLength: -1,
      chunked: false,
      expectContinue: false,
      close: false,
      keepAlive: false,
    });
  });

  describe('finding the empty line', () => {
    it('waits for it, whatever came so far', () => {
      for (const text of [
        '',
        'G',
        'GET / HTTP/1.1\r\nHost: a\r\n',
        'no such method\r\n\r',
        'GET / HTTP/1.1\n\n',
        '\r\n',
      ]) {
        expect(verdict(text), JSON.stringify(text)).to.equal(0);
      }
    });

    it('accepts an empty line at offset 16383 and refuses one behind it with 431', () => {
      const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
      const upTo = (length: number): string => start.padEnd(length, 'x') + END;
      expect(accepted(Buffer.from(upTo(HEADER_LIMIT - 1))).length).to.equal(HEADER_LIMIT + 3);
      expect(verdict(upTo(HEADER_LIMIT))).to.equal(431);
      expect(verdict(upTo(HEADER_LIMIT + 1))).to.equal(431);
    });

    it('gives up with 431 when 16384 bytes came without it', () => {
      expect(verdict('x'.repeat(HEADER_LIMIT - 1))).to.equal(0);
      expect(verdict('x'.repeat(HEADER_LIMIT))).to.equal(431);
      expect(verdict('\r\n'.padStart(HEADER_LIMIT + 500, 'x'))).to.equal(431);
    });

    it('finds the first of several, also where CR and LF are mixed wildly', () => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'bc'), { maxLength: 40 }),
          fc.nat(60),
          (parts, from) => {
            const noise = parts.join('');
            const first = (noise + END).indexOf(END);
            const bytes = Buffer.from(noise + END);
            const searchFrom = Math.min(from, first + 3);
            // A head like this is never right, so a 400 says that the empty line was found and a 0 that it was not.
            expect(parseHead(bytes.subarray(0, first + 3), searchFrom)).to.equal(0);
            expect(parseHead(bytes.subarray(0, first + 4), searchFrom)).to.equal(400);
          },
        ),
      );
    });

    it('says the same when it goes on from where it stopped', () => {
      const bytes = headOf(['A: 1', 'Content-Length: 3']);
      for (let seen = 0; seen < bytes.length; seen++) {
        expect(parseHead(bytes.subarray(0, seen), seen - 1)).to.equal(0);
        expect(parseHead(bytes, seen)).to.deep.equal(accepted(bytes));
      }
    });
  });

  describe('the request line', () => {
    const line = (start: string): number => verdict(headOf([], { start }));

    it('knows seven methods', () => {
      for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE', 'PUT', 'PATCH']) {
        expect(accepted(headOf([], { start: `${method} / HTTP/1.1` })).method).to.equal(method);
      }
      for (const method of ['TRACE', 'CONNECT', 'get', 'Get', 'GETS', 'GE', 'PRI', '', ' GET', 'P\0ST']) {
        expect(line(`${method} / HTTP/1.1`), method).to.equal(400);
      }
    });

    it('takes any target that begins with a slash and has no space or control byte', () => {
      for (const target of ['/', '/a?b?c#d', '//a', '/你好', '/%zz', '/"<>\\^`{|}', `/${'x'.repeat(9000)}`]) {
        expect(accepted(headOf([], { start: `GET ${target} HTTP/1.1` })).target).to.equal(target);
      }
      for (const target of [
        '',
        'a',
        '*',
        'http://a/',
        'a:80',
        '?a',
        '\\',
        '/a b',
        '/a\tb',
        '/\0',
        '/\x7f',
        '/a\rb',
        '/a\nb',
      ]) {
        expect(line(`GET ${target} HTTP/1.1`), JSON.stringify(target)).to.equal(400);
      }
    });

    it('replaces what is no UTF-8 in the target', () => {
      const bytes = Buffer.from('GET /\xff\xe4 HTTP/1.0\r\n\r\n', 'latin1');
      expect(accepted(bytes).target).to.equal('/\ufffd\ufffd');
    });

    it('takes HTTP/1.0 to HTTP/1.9 and nothing else', () => {
      for (let minor = 0; minor <= 9; minor++) {
        expect(accepted(headOf([], { start: `GET / HTTP/1.${minor}` })).minor).to.equal(minor);
      }
      for (const version of [
        'HTTP/1',
        'HTTP/1.',
        'HTTP/1.10',
        'HTTP/2.0',
        'http/1.1',
        'HTTP/1.a',
        'HTTP/1.1 ',
        'HTTP/1.1\t',
        '',
      ]) {
        expect(line(`GET / ${version}`), version).to.equal(400);
      }
    });

    it('wants single spaces and nothing before or behind', () => {
      for (const start of [
        'GET  / HTTP/1.1',
        'GET /  HTTP/1.1',
        'GET\t/ HTTP/1.1',
        'GET / HTTP/1.1 x',
        '\r\nGET / HTTP/1.1',
        'GET /',
        'GET',
      ]) {
        expect(line(start), JSON.stringify(start)).to.equal(400);
      }
      expect(verdict(END)).to.equal(400);
      expect(verdict(`GET / HTTP/1.1\nHost: a${END}`)).to.equal(400);
    });
  });

  describe('field lines', () => {
    it('accepts names of token characters and any text as value', () => {
      for (const field of [
        "!#$%&'*+-.^_`|~09azAZ: x",
        'A:',
        'A: \t ',
        'A:b:c',
        'A: b\tc',
        'A: ünï\x80',
        'Transfer_Encoding: x',
        'Hostx: ',
      ]) {
        expect(verdict(headOf([field])), field).to.equal(200);
      }
    });

    it('refuses lines without a colon, without a name, with a space before the colon and folded ones', () => {
      for (const field of [
        'A',
        ': b',
        'A : b',
        'A\t: b',
        ' A: b',
        '\tA: b',
        'A: b\r\n c',
        'A: b\r\n\tc: d',
        'Ä: b',
        'A(: b',
        'A/b: c',
      ]) {
        expect(verdict(headOf([field])), JSON.stringify(field)).to.equal(400);
      }
    });

    it('refuses a control byte other than HTAB everywhere', () => {
      const good = headOf(['Abc: defg', 'X: y']);
      for (let byte = 0; byte < 256; byte++) {
        const isControl = byte === 127 || (byte < 32 && byte !== 9);
        for (const at of [good.indexOf('efg'), good.indexOf('y\r\n')]) {
          const bytes = Buffer.from(good);
          bytes[at] = byte;
          expect(verdict(bytes), `byte ${byte} at ${at}`).to.equal(isControl ? 400 : 200);
        }
      }
    });
  });

  describe('Host', () => {
    const host = (value: string): number => verdict(headOf([`Host: ${value}`], { host: false }));

    it('is needed once, and not at all by HTTP/1.0', () => {
      expect(verdict(headOf([], { host: false }))).to.equal(400);
      expect(verdict(headOf([], { host: false, start: 'GET / HTTP/1.0' }))).to.equal(200);
      expect(verdict(headOf(['hOsT: b']))).to.equal(400);
      expect(verdict(headOf(['Host: a'], { start: 'GET / HTTP/1.0' }))).to.equal(400);
    });

    it('may be what Workerman takes for a host', () => {
      for (const value of [
        'a',
        'a.b',
        'a:1',
        'a:0123456789',
        'u@h',
        'a,b',
        '*',
        'h?x',
        '"h"',
        '[::1]',
        '[::1]:80',
        '[a b]',
        '[[]',
        'ü',
        'a\t',
      ]) {
        expect(host(value), value).to.equal(200);
      }
    });

    it('is refused when it is no host', () => {
      for (const value of [
        '',
        '::1',
        'h:',
        'h/',
        ':80',
        'h:80:90',
        'h:8a',
        'a b',
        'a\tb',
        '[]',
        '[a',
        '[a]b',
        '[a]]',
        '[a]:',
        'a]',
        'a[b',
        ':',
        'h:-1',
      ]) {
        expect(host(value), value).to.equal(400);
      }
    });
  });

  describe('Transfer-Encoding', () => {
    it('is chunked in any case and remembers its line', () => {
      const bytes = headOf(['transfer-ENCODING:\t CHUNKED ', 'A: b']);
      const head = accepted(bytes);
      expect(head).to.include({ chunked: true, contentLength: -1 });
      expect(bytes.toString('latin1', head.codingStart, head.codingEnd)).to.equal('transfer-ENCODING:\t CHUNKED \r\n');
    });

    it('may come with any method and with HTTP/1.0', () => {
      expect(accepted(headOf(['Transfer-Encoding: chunked'], { start: 'HEAD / HTTP/1.0' })).chunked).to.equal(true);
    });

    it('is refused with another value, twice, or beside a Content-Length', () => {
      const te = 'Transfer-Encoding: chunked';
      for (const value of [
        '',
        'gzip',
        'gzip, chunked',
        'chunked,',
        'chunked, chunked',
        'xchunked',
        'chunkedx',
        'chun ked',
        '"chunked"',
      ]) {
        expect(verdict(headOf([`Transfer-Encoding: ${value}`])), value).to.equal(400);
      }
      expect(verdict(headOf([te, te]))).to.equal(400);
      expect(verdict(headOf([te, 'Content-Length: 0']))).to.equal(400);
      expect(verdict(headOf(['Content-Length: 5', te]))).to.equal(400);
    });
  });

  describe('Content-Length', () => {
    const length = (value: string): number => accepted(headOf([`Content-Length: ${value}`])).contentLength;

    it('is a number of digits', () => {
      expect(length('0')).to.equal(0);
      expect(length('0005')).to.equal(5);
      expect(length(String(Number.MAX_SAFE_INTEGER))).to.equal(Number.MAX_SAFE_INTEGER);
      expect(length('0'.repeat(5000))).to.equal(0);
    });

    it('is Infinity when no number can hold it', () => {
      expect(length('9007199254740992')).to.equal(Infinity);
      expect(length('9'.repeat(5000))).to.equal(Infinity);
    });

    it('is refused twice, even equal, and with anything but digits', () => {
      expect(verdict(headOf(['Content-Length: 5', 'content-length: 5']))).to.equal(400);
      for (const value of ['', '+3', '-0', '1,2', '5 5', '0x5', '5.0', '5e0', '５', '٥', '1_0', '"5"']) {
        expect(verdict(headOf([`Content-Length: ${value}`])), value).to.equal(400);
      }
    });
  });

  describe('Connection and Expect', () => {
    it('finds its tokens in lists and in several lines, and no parts of words', () => {
      const connection = (...values: string[]): Head => accepted(headOf(values.map((value) => `Connection: ${value}`)));
      expect(connection('close').close).to.equal(true);
      expect(connection('a,CLOSE').close).to.equal(true);
      expect(connection(', ,close ,').close).to.equal(true);
      expect(connection('a', 'close').close).to.equal(true);
      expect(connection('closed, enclose, clo se, "close"').close).to.equal(false);
      expect(connection('').close).to.equal(false);
      expect(connection('close, keep-alive')).to.include({ close: true, keepAlive: true });
      expect(connection('Keep-Alive')).to.include({ close: false, keepAlive: true });
    });

    it('ignores an Expect of HTTP/1.0 and other expectations', () => {
      const expects = (value: string, start: string): boolean =>
        accepted(headOf([`Expect: ${value}`], { start })).expectContinue;
      expect(expects('100-continue', 'POST / HTTP/1.1')).to.equal(true);
      expect(expects('100-continue', 'POST / HTTP/1.0')).to.equal(false);
      expect(expects('200-ok', 'POST / HTTP/1.1')).to.equal(false);
    });
  });

  describe('with generated heads', () => {
    const tokenText = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,12}$/);
    const known = /^(host|expect|connection|content-length|transfer-encoding)$/i;
    const value = fc.stringMatching(/^[!-~\u00a1-\u00ff]([ \t!-~\u00a1-\u00ff]{0,20}[!-~\u00a1-\u00ff])?$/);
    const blank = fc.stringMatching(/^[ \t]{0,3}$/);
    const field = fc.record({
      name: tokenText.filter((name) => !known.test(name)),
      before: blank,
      value,
      after: blank,
    });
    const grammar = fc.record({
      method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE', 'PUT', 'PATCH'),
      target: fc.stringMatching(/^\/[!-~\u00a1-\u00ff]{0,30}$/),
      minor: fc.integer({ min: 0, max: 9 }),
      fields: fc.array(field, { maxLength: 8 }),
      framing: fc.oneof(fc.constant(null), fc.nat(1e9), fc.constant('chunked' as const)),
      body: fc.string({ maxLength: 10 }),
    });
    const build = (parts: typeof grammar extends fc.Arbitrary<infer T> ? T : never): Buffer => {
      const lines = parts.fields.map((each) => `${each.name}:${each.before}${each.value}${each.after}`);
      const framing =
        parts.framing === 'chunked' ? ['Transfer-Encoding: chunked'] : [`Content-Length: ${parts.framing}`];
      if (parts.framing !== null) lines.splice(lines.length >> 1, 0, ...framing);
      return Buffer.concat([
        headOf(lines, { start: `${parts.method} ${parts.target} HTTP/1.${parts.minor}` }),
        Buffer.from(parts.body),
      ]);
    };

    it('finds the same fields again', () => {
      fc.assert(
        fc.property(grammar, (parts) => {
          const bytes = build(parts);
          const head = accepted(bytes);
          expect(head).to.include({
            length: bytes.length - Buffer.byteLength(parts.body),
            method: parts.method,
            target: parts.target,
            minor: parts.minor,
            contentLength: typeof parts.framing === 'number' ? parts.framing : -1,
            chunked: parts.framing === 'chunked',
          });
          const fields = parseFields(bytes, head.length - 4);
          const expected = new Map<string, string>();
          for (const each of parts.fields) {
            const name = each.name.toLowerCase();
            const before = expected.get(name);
            expected.set(
              name,
              before === undefined ? each.value : before + (name === 'cookie' ? '; ' : ',') + each.value,
            );
          }
          for (const [name, text] of expected) expect(fields[name]).to.equal(text);
        }),
      );
    });

    it('answers every prefix with 0, and the whole the same way however it was cut', () => {
      fc.assert(
        fc.property(grammar, fc.nat(), (parts, seed) => {
          const bytes = build(parts);
          const head = accepted(bytes);
          for (let end = 0; end < head.length; end += 1 + (seed % 5)) {
            expect(parseHead(bytes.subarray(0, end))).to.equal(0);
          }
          for (const { name, pieces } of deliveries(
            Buffer.concat([bytes.subarray(0, head.length), bytes.subarray(0, head.length)]),
            2,
            seed,
          )) {
            let seen = 0;
            const { values, rest } = feed(pieces, (buffered) => {
              const result = parseHead(buffered, seen);
              seen = result === 0 ? buffered.length : 0;
              if (result === 0) return null;
              return { length: typeof result === 'number' ? buffered.length : result.length, value: result };
            });
            expect(values, name).to.deep.equal([head, head]);
            expect(rest, name).to.have.length(0);
          }
        }),
        { numRuns: 40 },
      );
    });

    it('never throws when bytes are changed, and a refusal stays when more bytes come', () => {
      const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'remove') });
      fc.assert(
        fc.property(
          grammar,
          fc.array(change, { minLength: 1, maxLength: 4 }),
          fc.uint8Array({ maxLength: 20 }),
          (parts, changes, more) => {
            let bytes = build(parts);
            for (const { at, byte, kind } of changes) {
              const i = at % bytes.length;
              const left = bytes.subarray(0, i);
              const right = bytes.subarray(kind === 'insert' ? i : i + 1);
              bytes = Buffer.concat(kind === 'remove' ? [left, right] : [left, Buffer.from([byte]), right]);
            }
            const result = parseHead(bytes);
            expect(typeof result === 'number' ? [0, 400, 431].includes(result) : result.length > 0).to.equal(true);
            if (result !== 0) expect(parseHead(Buffer.concat([bytes, more]))).to.deep.equal(result);
          },
        ),
      );
    });
  });
});

describe('looseHead', () => {
  const loose = (text: string): ReturnType<typeof looseHead> => looseHead(Buffer.from(text));

  it('reads the words of a request line', () => {
    expect(loose('GET /a HTTP/1.1\r\nHost: b\r\n\r\nbody')).to.deep.equal({
      method: 'GET',
      target: '/a',
      version: '1.1',
      headEnd: 24,
      bodyStart: 28,
    });
  });

  it('fills in what is missing', () => {
    expect(loose('GET')).to.deep.equal({ method: 'GET', target: '/', version: '1.0', headEnd: 3, bodyStart: 3 });
    expect(loose('')).to.deep.equal({ method: '', target: '/', version: '1.0', headEnd: 0, bodyStart: 0 });
    expect(loose('GET /HTTP/1.1\r\n')).to.include({ target: '/HTTP/1.1', version: '1.0' });
  });
});

describe('parseFields', () => {
  const fields = (lines: string): Record<string, string> => {
    const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines}`);
    return parseFields(bytes, bytes.length);
  };

  it('makes names small, trims values and joins repeats', () => {
    expect({ ...fields('A-b:  c\t\r\na-B:d\r\nA-B:\r\nX: y z') }).to.deep.equal({ 'a-b': 'c,d,', x: 'y z' });
  });

  it('joins Cookie headers the way their pieces are joined', () => {
    expect(fields('Cookie: a=1\r\ncookie: b=2; c=3').cookie).to.equal('a=1; b=2; c=3');
  });

  it('reads UTF-8 and leaves other letters than A to Z alone', () => {
    expect({ ...fields('ÄK\u212a: Ünï') }).to.deep.equal({ 'Äk\u212a': 'Ünï' });
  });

  it('gives names such as __proto__ no meaning', () => {
    const result = fields('__proto__: a\r\n__PROTO__: b\r\nconstructor: c\r\ntoString: d');
    expect(Object.getPrototypeOf(result)).to.equal(null);
    expect(Object.entries(result)).to.deep.equal([
      ['__proto__', 'a,b'],
      ['constructor', 'c'],
      ['tostring', 'd'],
    ]);
  });

  it('takes a line without a colon for a name without a value', () => {
    expect({ ...fields('Abc\r\n\r\nd') }).to.deep.equal({ abc: '', '': '', d: '' });
    expect({ ...parseFields(Buffer.from('GET / HTTP/1.1'), 14) }).to.deep.equal({});
  });
});

describe('lowerAscii and trimBlanks', () => {
  it('touch nothing but A to Z, SP and HTAB', () => {
    expect(lowerAscii('AbZ[@`{')).to.equal('abz[@`{');
    expect(lowerAscii('ÀB\u0130C')).to.equal('Àb\u0130c');
    expect(trimBlanks('x \t a\u00a0\v\t', 1, 8)).to.equal('a\u00a0\v');
    expect(trimBlanks('   ', 0, 3)).to.equal('');
    expect(trimBlanks('ab', 2, 1)).to.equal('');
  });
});
