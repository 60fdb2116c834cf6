import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkedBody, dechunk, withoutCoding } from '../../../../../protocols/http/parse/chunked.js';
import { type Head, parseHead } from '../../../../../protocols/http/parse/head.js';
import { cutAt } from '../../../../support/feed.js';

const HEAD = Buffer.from('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n');

interface Outcome {
  verdict: string | number;
  data: string;
  trailers: Record<string, string>;
  /** Bytes that belong to the body. */
  end: number;
}

/** Read as it comes, without keeping it. */
function streamed(bytes: Buffer, cuts: readonly number[]): Outcome {
  const body = new ChunkedBody();
  const data: Buffer[] = [];
  let end = 0;
  for (const piece of cutAt(bytes, cuts)) {
    const verdict = body.consume(piece, (slice) => data.push(slice));
    end += body.end;
    if (verdict === 'more') continue;
    return { verdict, data: Buffer.concat(data).toString('latin1'), trailers: body.consumedTrailers(), end: verdict === 'done' ? end : -1 };
  }
  return { verdict: 'more', data: Buffer.concat(data).toString('latin1'), trailers: body.consumedTrailers(), end };
}

/** Read when all of it is there. */
function whole(bytes: Buffer): Outcome {
  const message = Buffer.concat([HEAD, bytes]);
  const head = parseHead(message) as Head;
  const body = new ChunkedBody();
  const verdict = body.advance(message, head.length, Number.MAX_SAFE_INTEGER);
  const done = verdict === 'done';
  const data = done ? dechunk(message, head, body) : Buffer.alloc(0);
  return {
    verdict,
    data: done ? data.subarray(data.length - body.dataLength).toString('latin1') : '',
    trailers: body.trailers(message),
    end: done ? body.end - head.length : -1,
  };
}

describe('a chunked body that is read as it comes', () => {
  const valid = fc.tuple(
    fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.constantFrom('', ';a', ';a=b', ';a="b;\\"c"', ';a;b=1')), { maxLength: 5 }),
    fc.array(fc.constantFrom('A: 1', 'b:2 ', 'A: 3', 'no colon', ': x'), { maxLength: 3 }),
  ).map(([chunks, trailers]) => Buffer.concat([
    ...chunks.flatMap(([data, extension]) => [Buffer.from(`${data.length.toString(16)}${extension}\r\n`), data, Buffer.from('\r\n')]),
    Buffer.from(`0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`),
  ]));
  const changed = fc.tuple(valid, fc.array(fc.tuple(fc.nat(200), fc.constantFrom('', '\r', '\n', '0', 'g', ';', ' ', '\0', '"', '=')), { maxLength: 3 }))
    .map(([bytes, changes]) => changes.reduce((all, [at, text]) => {
      const place = at % (all.length + 1);
      return Buffer.concat([all.subarray(0, place), Buffer.from(text), all.subarray(place + 1)]);
    }, bytes));
  const cuts = fc.array(fc.nat(200), { maxLength: 8 });

  it('is what it is when all of it is there, right or wrong, however it is cut', () => {
    let wrong = 0;
    fc.assert(fc.property(fc.oneof(valid, changed), fc.string({ maxLength: 5 }), cuts, (bytes, behind, offsets) => {
      const message = Buffer.concat([bytes, Buffer.from(behind)]);
      const wanted = whole(message);
      const got = streamed(message, offsets);
      expect(got.verdict).to.equal(wanted.verdict);
      if (got.verdict === 'done') expect(got).to.deep.equal(wanted);
      else wrong++;
    }), { numRuns: 3000 });
    expect(wrong).to.be.above(200);
  });

  it('may be longer than any limit, but a chunk not longer than a number can count', () => {
    const body = new ChunkedBody();
    for (const size of ['FFFFFFFF', '1FFFFFFFFFFFFF']) expect(new ChunkedBody().consume(Buffer.from(`${size}\r\n`), () => {})).to.equal(size.length > 8 ? 413 : 'more');
    expect(body.consume(Buffer.from('7FFFFFFFFFFFFFFF\r\n'), () => {})).to.equal(413);
  });

  for (const [name, piece] of [['extensions', `1;${'x'.repeat(17_000)}`], ['trailers', `0\r\n${'a: b\r\n'.repeat(3000)}`]] as const) {
    it(`may not have ${name} without end`, () => {
      expect(new ChunkedBody().consume(Buffer.from(piece), () => {})).to.equal(413);
    });
  }

  it('may have any number of short extensions', () => {
    expect(new ChunkedBody().consume(Buffer.from(`${`1;${'x'.repeat(1000)}\r\nx\r\n`.repeat(100)}0\r\n\r\n`), () => {})).to.equal('done');
  });

  it('has a head without the line of the coding', () => {
    const { bytes, head } = withoutCoding(HEAD, parseHead(HEAD) as Head);
    expect(bytes.toString()).to.equal('POST / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n');
    expect(head).to.include({ length: bytes.length, chunked: false, codingStart: -1, codingEnd: -1, method: 'POST' });
  });
});
