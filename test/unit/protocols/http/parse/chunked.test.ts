import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkedBody, dechunk, dechunkedHead } from '../../../../../protocols/http/parse/chunked.js';
import type { ChunkedVerdict } from '../../../../../protocols/http/parse/chunked.js';
import { parseHead } from '../../../../../protocols/http/parse/head.js';
import type { Head } from '../../../../../protocols/http/parse/head.js';
import { cutAt, deliveries } from '../../../../support/feed.js';

const HEAD = Buffer.from('POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n');
const PARSED = parseHead(HEAD) as Head;
const MAX = 100_000;

interface Outcome {
  verdict: ChunkedVerdict;
  end?: number;
  data?: string;
  trailers?: Record<string, string>;
}

/** Feeds a body behind `HEAD` piece by piece until there is a verdict: all that has come, or what is new each time. */
function run(pieces: readonly Uint8Array[], max = MAX, onlyNew = false): Outcome {
  const body = new ChunkedBody();
  let message = HEAD;
  for (const piece of pieces) {
    const seen = message === HEAD ? 0 : message.length;
    message = Buffer.concat([message, piece]);
    const verdict = onlyNew
      ? body.advance(message.subarray(seen), HEAD.length, max, seen)
      : body.advance(message, HEAD.length, max);
    if (verdict === 'more') continue;
    if (verdict !== 'done') return { verdict };
    const decoded = dechunk(message, PARSED, body);
    const head = parseHead(decoded) as Head;
    return {
      verdict,
      end: body.end,
      data: decoded.toString('latin1', head.length),
      trailers: { ...body.trailers(message) },
    };
  }
  return { verdict: 'more' };
}

const whole = (body: string, max = MAX): Outcome => run([Buffer.from(body, 'latin1')], max);

/** The verdict, and a check that no way of cutting changes anything. */
function verdictOf(body: string, max = MAX): ChunkedVerdict {
  const outcome = whole(body, max);
  for (const { name, pieces } of deliveries(Buffer.from(body, 'latin1'))) {
    expect(run(pieces, max), name).to.deep.equal(outcome);
    expect(run(pieces, max, true), `${name}, only what is new`).to.deep.equal(outcome);
  }
  return outcome.verdict;
}

describe('ChunkedBody', () => {
  it('joins the data of the chunks and knows where the message ends', () => {
    const body = '5\r\nhello\r\n006\r\n world\r\n0\r\n\r\n';
    expect(whole(`${body}GET / HTTP/1.1\r\n`)).to.deep.equal({
      verdict: 'done',
      end: HEAD.length + body.length,
      data: 'hello world',
      trailers: {},
    });
  });

  it('takes data that looks like framing for data', () => {
    expect(whole('a\r\n1;a\r\n\xff\n\0\r\n\r\n0\r\n\r\n').data).to.equal('1;a\r\n\xff\n\0\r\n');
    expect(whole('5\r\n0\r\n\r\n\r\n0\r\n\r\n').data).to.equal('0\r\n\r\n');
  });

  it('accepts an empty body', () => {
    expect(whole('0\r\n\r\n')).to.include({ verdict: 'done', data: '' });
    expect(whole('000\r\n\r\n')).to.include({ verdict: 'done', data: '' });
  });

  it('begins where it is told, also at offset 0', () => {
    const bytes = Buffer.from('1\r\na\r\n0\r\n\r\n');
    const body = new ChunkedBody();
    expect(body.advance(bytes.subarray(0, 5), 0, 100)).to.equal('more');
    expect(body.advance(bytes, 0, 100)).to.equal('done');
    expect(body).to.include({ start: 0, end: bytes.length, dataLength: 1 });
  });

  it('waits for every missing byte', () => {
    const body = '5;a="b"\r\nhello\r\n0\r\nT: x\r\n\r\n';
    for (let length = 0; length < body.length; length++) {
      expect(whole(body.slice(0, length)).verdict, body.slice(0, length)).to.equal('more');
    }
    expect(verdictOf(body)).to.equal('done');
  });

  it('goes on from its place, whatever Buffer holds the bytes', () => {
    const message = Buffer.concat([HEAD, Buffer.from('3\r\nabc\r\n0\r\n\r\n')]);
    const body = new ChunkedBody();
    const first = Buffer.from(message.subarray(0, HEAD.length + 5));
    expect(body.advance(first, HEAD.length, MAX)).to.equal('more');
    first.fill(0);
    // What was read before is not looked at again: it may as well be gone.
    const second = Buffer.from(message).fill('x', 0, HEAD.length + 5);
    expect(body.advance(second, HEAD.length, MAX)).to.equal('done');
    expect(body.end).to.equal(message.length);
  });

  it('gives the same refusal again when asked again', () => {
    const body = new ChunkedBody();
    const bytes = Buffer.from('x\r\n');
    expect(body.advance(bytes, 0, MAX)).to.equal(400);
    expect(body.advance(Buffer.from('1\r\na\r\n0\r\n\r\n'), 0, MAX)).to.equal(400);
    expect({ ...body.trailers(bytes) }).to.deep.equal({});
  });

  describe('chunk-size', () => {
    it('has 1 to 16 hex digits in either case', () => {
      expect(whole('A\r\n0123456789\r\n0\r\n\r\n').data).to.equal('0123456789');
      expect(whole('a\r\n0123456789\r\n0\r\n\r\n').data).to.equal('0123456789');
      expect(whole('0000000000000001\r\nx\r\n0000000000000000\r\n\r\n').data).to.equal('x');
    });

    it('is refused when it is no such number', () => {
      for (const size of [
        '',
        ' ',
        ' 5',
        '5 ',
        '5\t',
        '-5',
        '-0',
        '+5',
        '0x5',
        'g',
        '5g',
        '5,5',
        '0_5',
        '5.',
        '"5"',
        '00000000000000005',
        '\xb2',
      ]) {
        expect(verdictOf(`${size}\r\nhello\r\n0\r\n\r\n`), JSON.stringify(size)).to.equal(400);
      }
    });

    it('is refused from 2^63 on, and too much below that', () => {
      expect(verdictOf('8000000000000000\r\n')).to.equal(400);
      expect(verdictOf('ffffffffffffffff\r\n')).to.equal(400);
      expect(verdictOf('7fffffffffffffff\r\n')).to.equal(413);
      expect(whole('7fffffffffffffff\r\n', Infinity).verdict).to.equal('more');
    });

    it('ends with CRLF, not with one of the two', () => {
      for (const line of ['5\n', '5\r', '5\r\r\n', '5;a\n', '5\r;a\r\n']) {
        expect(verdictOf(`${line}hello\r\n0\r\n\r\n`), JSON.stringify(line)).to.equal(400);
      }
    });
  });

  describe('chunk-ext', () => {
    it('is any number of names, tokens and quoted strings', () => {
      for (const ext of [
        ';a',
        ';a=b',
        ';a="b c"',
        ';a;b=c;d="e"',
        ';a=""',
        ';a="\\"\\\\;"',
        ';a="\t\xff;=,"',
        ";!#$%&'*+-.^_`|~=0",
      ]) {
        expect(verdictOf(`1${ext}\r\nx\r\n0${ext}\r\n\r\n`), ext).to.equal('done');
      }
    });

    it('is refused in any other form', () => {
      const bad = [
        ';',
        ';;a',
        ';a=',
        ';=b',
        ';a=b=c',
        ' ;a',
        '; a',
        ';a ',
        ';a =b',
        ';a= b',
        ';a="b',
        ';a="b"c',
        ';a=b"c"',
        ';a="b" ',
        ';a="\x01"',
        ';a="\\\x7f"',
        ';a/b',
        ';a=(b)',
        ';\xfc',
        ';a;',
      ];
      for (const ext of bad) {
        expect(verdictOf(`1${ext}\r\nx\r\n0\r\n\r\n`), JSON.stringify(ext)).to.equal(400);
      }
    });
  });

  it('wants CRLF right behind the data', () => {
    for (const data of ['helloX', 'hello', 'hell', 'hello\n', 'hello\r', 'hello\rX', 'hello\n\r']) {
      const next = data === 'hell' ? '\r\n' : '';
      expect(verdictOf(`5\r\n${data}${next}0\r\n\r\n`), JSON.stringify(data)).to.equal(400);
    }
  });

  describe('the trailer section', () => {
    const trailers = (lines: string): Record<string, string> | undefined => whole(`0\r\n${lines}\r\n`).trailers;

    it('gives names in lower case and trimmed values, the last of several', () => {
      expect(trailers('A: 1\r\nB:\t2 3 \t\r\na:4:5\r\nC:\r\n')).to.deep.equal({ a: '4:5', b: '2 3', c: '' });
    });

    it('leaves out lines without a colon and does not trim names', () => {
      expect(trailers('nothing\r\n A : 1\r\n:2\r\n')).to.deep.equal({ ' a ': '1', '': '2' });
    });

    it('reads UTF-8', () => {
      expect(trailers(Buffer.from('ÄX: ü\r\n').toString('latin1'))).to.deep.equal({ Äx: 'ü' });
    });

    it('gives names such as __proto__ no meaning', () => {
      const message = Buffer.from('0\r\n__proto__: 1\r\n\r\n');
      const body = new ChunkedBody();
      expect(body.advance(message, 0, MAX)).to.equal('done');
      const result = body.trailers(message);
      expect(Object.getPrototypeOf(result)).to.equal(null);
      expect(Object.entries(result)).to.deep.equal([['__proto__', '1']]);
    });

    it('is refused with a control byte', () => {
      for (const line of ['A: \0', 'A\x01: b', '\x7f', 'A: b\n', 'A: b\r', '\n', '\rA: b']) {
        expect(verdictOf(`0\r\n${line}\r\n\r\n`), JSON.stringify(line)).to.equal(400);
      }
      expect(verdictOf('0\r\nA:\tb\r\n\r\n')).to.equal('done');
    });
  });

  describe('maxPackageSize', () => {
    const body = '5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n';
    const total = HEAD.length + body.length;

    it('counts head, framing, data and trailers, and may be reached', () => {
      expect(verdictOf(body, total)).to.equal('done');
      expect(verdictOf(`${body}and more`, total)).to.equal('done');
      for (let max = HEAD.length; max < total; max++) expect(verdictOf(body, max), `${max}`).to.equal(413);
    });

    it('refuses a chunk by its announcement', () => {
      expect(verdictOf('5\r\n', HEAD.length + 8)).to.equal('more');
      expect(verdictOf('6\r\n', HEAD.length + 8)).to.equal(413);
    });

    it('refuses what is unfinished with more bytes than that', () => {
      expect(whole('1'.padStart(16, '0') + ';a'.repeat(50), HEAD.length + 50).verdict).to.equal(413);
      expect(whole('', HEAD.length - 1).verdict).to.equal(413);
      expect(whole('', HEAD.length).verdict).to.equal('more');
    });

    it('hears of a bad byte before the limit as such', () => {
      expect(verdictOf('1\r\na\r\nx'.padEnd(500, 'y'), HEAD.length + 20)).to.equal(400);
      expect(verdictOf('1\r\na\r\n1;'.padEnd(500, 'y'), HEAD.length + 20)).to.equal(413);
    });
  });

  describe('with generated bodies', () => {
    const token = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,5}$/);
    const ext = fc.oneof(
      token.map((name) => `;${name}`),
      fc.tuple(token, token).map(([name, value]) => `;${name}=${value}`),
      fc
        .tuple(token, fc.stringMatching(/^([\t !#-[\]-~]|\\[\t -~]){0,6}$/))
        .map(([name, value]) => `;${name}="${value}"`),
    );
    const exts = fc.array(ext, { maxLength: 3 }).map((list) => list.join(''));
    const data = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    const chunk = fc.record({ data, exts, zeros: fc.nat(3), upper: fc.boolean() });
    const trailer = fc.tuple(token, fc.stringMatching(/^[!-~]?$/));
    const parts = fc.record({
      chunks: fc.array(chunk, { maxLength: 6 }),
      exts,
      trailers: fc.array(trailer, { maxLength: 3 }),
    });
    const build = (from: typeof parts extends fc.Arbitrary<infer T> ? T : never): string => {
      const chunks = from.chunks.map((each) => {
        const hex = each.data.length.toString(16);
        return `${'0'.repeat(each.zeros)}${each.upper ? hex.toUpperCase() : hex}${each.exts}\r\n${each.data}\r\n`;
      });
      const trailers = from.trailers.map(([name, value]) => `${name}: ${value}\r\n`);
      return `${chunks.join('')}0${from.exts}\r\n${trailers.join('')}\r\n`;
    };
    const cuts = fc.array(fc.nat(600), { maxLength: 12 });

    it('gives the data and trailers that went in, however the bytes are cut', () => {
      fc.assert(
        fc.property(parts, cuts, (from, offsets) => {
          const body = Buffer.from(build(from), 'latin1');
          const expected = {
            verdict: 'done',
            end: HEAD.length + body.length,
            data: from.chunks.map((each) => each.data).join(''),
            trailers: Object.fromEntries(from.trailers.map(([name, value]) => [name.toLowerCase(), value])),
          };
          expect(run([body])).to.deep.equal(expected);
          expect(run(cutAt(body, offsets))).to.deep.equal(expected);
          expect(run(cutAt(Buffer.concat([body, HEAD]), offsets)).data).to.equal(expected.data);
        }),
      );
    });

    it('gives one verdict for changed bytes and any limit, however they are cut', () => {
      const change = fc.record({
        at: fc.nat(),
        byte: fc.oneof(fc.nat(255), fc.constantFrom(13, 10, 48, 59, 34, 92)),
        insert: fc.boolean(),
      });
      fc.assert(
        fc.property(parts, fc.array(change, { maxLength: 3 }), fc.nat(400), cuts, (from, changes, room, offsets) => {
          let body = Buffer.from(build(from), 'latin1');
          for (const { at, byte, insert } of changes) {
            const i = at % body.length;
            body = Buffer.concat([body.subarray(0, i), Buffer.from([byte]), body.subarray(insert ? i : i + 1)]);
          }
          const outcome = run([body], HEAD.length + room);
          expect(run(cutAt(body, offsets), HEAD.length + room)).to.deep.equal(outcome);
          expect(run(cutAt(body, Array.from(body.keys())), HEAD.length + room)).to.deep.equal(outcome);
        }),
      );
    });
  });
});

describe('dechunk', () => {
  it('builds the message without Transfer-Encoding and with the length as the last header', () => {
    const message = Buffer.concat([HEAD, Buffer.from('5\r\nhello\r\n1;x="\t;"\r\n!\r\n0\r\nT: x\r\n\r\nnext')]);
    const body = new ChunkedBody();
    expect(body.advance(message, HEAD.length, MAX)).to.equal('done');
    const decoded = dechunk(message, PARSED, body);
    expect(decoded.toString()).to.equal('POST /x HTTP/1.1\r\nHost: a\r\nA: b\r\nContent-Length: 6\r\n\r\nhello!');
    expect(dechunkedHead(PARSED, body)).to.deep.include({ ...(parseHead(decoded) as Head) });
  });

  it('keeps nothing of the buffer it read', () => {
    const message = Buffer.from(`GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`);
    const head = parseHead(message) as Head;
    const body = new ChunkedBody();
    expect(body.advance(message, head.length, MAX)).to.equal('done');
    const decoded = dechunk(message, head, body);
    message.fill(0);
    expect(decoded.toString()).to.equal('GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\na');
  });
});
