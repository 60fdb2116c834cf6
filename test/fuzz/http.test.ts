import { expect } from 'chai';
import { difference } from './compare.js';
import { inNodesWay, INTENDED } from './intended.js';
import { NodeReader } from './node.js';
import { readOurs, readStreamed } from './ours.js';
import { newTally, tryInputs } from './run.js';
import { SEED } from '../support/seeds.js';

/** Seconds of the fuzz: FUZZ_SECONDS, or a minute in CI and 20 seconds elsewhere. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? (process.env['CI'] === 'true' ? 60 : 20));

const request = (head: string, body = ''): string => `${head}\r\nHost: h\r\n\r\n${body}`;

/** Inputs that stand for one intended difference each. */
const EXAMPLES: Record<string, string> = {
  'minor versions above 1': request('GET / HTTP/1.5'),
  'bytes above ASCII in the target': request('GET /\xc3\xa4 HTTP/1.1'),
  'a tab behind the value of a length or a coding': request('POST / HTTP/1.1\r\nContent-Length: 1\t', 'x'),
  'trailer fields that are none, or that would frame a message':
    request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '0\r\nno colon\r\nContent-Length: 5\r\n\r\n'),
  'requests behind one that offers an upgrade': request('GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x') + request('GET / HTTP/1.1'),
  'requests in front of a preface of HTTP/2': `${request('GET / HTTP/1.1')}PRI /\n\r\n`,
};

/** What request smuggling is made of. Whoever takes one of these has to take it as Node does, or refuse it. */
const TRICKS: Record<string, string> = {
  'a length and a coding': request('POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'a coding hidden by a space': request('POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\nContent-Length: 4', '0\r\n\r\n'),
  'a coding hidden by a control byte': request('POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 4', '0\r\n\r\n'),
  'a coding on a folded line': request('POST / HTTP/1.1\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 4', '0\r\n\r\n'),
  'two codings': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'),
  'a coding that is a list': request('POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  'two lengths': request('POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5', 'hello'),
  'a length with a sign': request('POST / HTTP/1.1\r\nContent-Length: +5', 'hello'),
  'a length that is a list': request('POST / HTTP/1.1\r\nContent-Length: 5, 5', 'hello'),
  'a length behind a bare LF': request('POST / HTTP/1.1\r\nX: y\nContent-Length: 5', 'hello'),
  'a length behind a bare CR': request('POST / HTTP/1.1\r\nX: y\rContent-Length: 5', 'hello'),
  'a head that ends with LF': 'POST / HTTP/1.1\nHost: h\nContent-Length: 5\n\nhello',
  'a chunk size with 0x': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '0x5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that overflows': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a space': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '5 \r\nhello\r\n0\r\n\r\n'),
  'a chunk size that ends with LF': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '5\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a bare LF': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '5;a\nb\r\nhello\r\n0\r\n\r\n'),
  'a chunk without its end': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '5\r\nhelloXX0\r\n\r\n'),
  'a chunked body that ends with LF': request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '0\r\n\n'),
  'a request line with two targets': request('GET /a /b HTTP/1.1'),
  'a target with a tab': request('GET /a\tb HTTP/1.1'),
  'two hosts': request('GET / HTTP/1.1\r\nHost: x'),
  'an absolute target': request('GET http://x/ HTTP/1.1'),
};

describe('our parser and that of Node', () => {
  let reader: NodeReader;
  before(() => (reader = new NodeReader()));
  after(() => reader.close());

  const read = async (text: string): Promise<{ ours: ReturnType<typeof readOurs>; found: string | null }> => {
    const bytes = Buffer.from(text, 'latin1');
    const ours = readOurs(bytes);
    const [node] = await reader.read([bytes]);
    return { ours, found: difference(ours, node!) };
  };

  it('have an example for each intended difference', () => {
    expect(Object.keys(EXAMPLES)).to.deep.equal(INTENDED.map(({ what }) => what));
  });

  for (const rule of INTENDED) {
    const { what, why, isAgreed } = rule;
    it(`differ on purpose over ${what}. ${why}`, async () => {
      const { ours, found } = await read(EXAMPLES[what]!);
      expect(ours.requests.length).to.be.above(0);
      if (!isAgreed) expect(found).to.be.a('string');
      const rewritten = inNodesWay(EXAMPLES[what]!, ours.ends, [rule]);
      expect(rewritten).to.not.equal(EXAMPLES[what]);
      const again = await read(rewritten);
      expect(again.found).to.equal(null);
      expect(again.ours.requests.length).to.equal(ours.requests.length);
    });
  }

  it('have their differences taken out where they mean something, and not in a body that looks like it', () => {
    const body = 'PRI /\xc3 HTTP/1.5\r\nUpgrade: x\r\n0\r\nx\r\n\r\n';
    const plain = request(`POST /\xc3 HTTP/1.5\r\nContent-Length: ${body.length}`, body);
    const chunked = request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked', '9\r\n0\r\nx\r\n\r\n0\r\n00;a\r\ny\r\nz:\r\n\r\n');
    const rest = 'PRI /\xc3 HTTP/1.5\r\n';
    const { ends } = readOurs(Buffer.from(plain + chunked + rest, 'latin1'));
    expect(ends).to.deep.equal([plain.length, plain.length + chunked.length]);
    expect(inNodesWay(plain + chunked + rest, ends)).to.equal(
      plain.replace('\xc3', 'x').replace('1.5', '1.1') + chunked.replace('y\r\nz:\r\n', '') + rest.replace('PRI', 'XRI'),
    );
  });

  for (const [name, text] of Object.entries(TRICKS)) {
    it(`do not differ over ${name}`, async () => {
      const smuggled = text + request('GET /smuggled HTTP/1.1');
      const { ours, found } = await read(smuggled);
      expect(found).to.equal(null);
      expect(ours.requests, 'we refuse it').to.deep.equal([]);
      expect((await readStreamed(Buffer.from(smuggled, 'latin1'))).requests).to.deep.equal([]);
    });
  }

  it(`take the same requests from random connections (${SECONDS} s, first seed ${SEED})`, async function () {
    this.timeout((SECONDS + 60) * 1000);
    const tally = newTally();
    const end = Date.now() + SECONDS * 1000;
    for (let seed = SEED; Date.now() < end; seed++) await tryInputs(seed, reader, tally);
    console.log(`      ${JSON.stringify(tally)}`);
    expect(tally.requests, 'inputs that both take').to.be.above(tally.inputs / 4);
    expect(tally.refused, 'inputs that we refuse').to.be.above(tally.inputs / 4);
  });
});
