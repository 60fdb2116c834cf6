import { expect } from 'chai';
import fc from 'fast-check';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import type { Request } from '../../../protocols/http/Request.js';
import { cutAt, feedShared, inPieces } from '../../support/feed.js';
import { FakeSocket } from '../connection/fakeSocket.js';
import { catchReports } from '../connection/peers.js';

/** What the two ends of a connection can see of a stream of requests. */
interface Outcome {
  readonly requests: unknown[];
  readonly answers: string;
  readonly status: string;
  /** Bytes that wait for more; of interest only while the connection lives. */
  readonly waiting: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything that an application can learn of a request. */
const describeRequest = (request: Request): unknown => [
  request.method(),
  request.uri(),
  request.protocolVersion(),
  request.rawHead(),
  { ...request.header() },
  request.rawBodyBytes().toString('hex'),
  { ...request.trailer() },
];

/** Feeds the pieces to a connection, as they come when the other end writes them one by one. */
async function play(
  pieces: readonly Buffer[], maxPackageSize: number, isAsync: boolean, isShared = false,
): Promise<Outcome> {
  const socket = new FakeSocket();
  const connection = new TcpConnection(null, socket.asSocket, '127.0.0.1:1');
  const requests: unknown[] = [];
  let pending = 0;
  connection.protocol = Http;
  connection.maxPackageSize = maxPackageSize;
  const answer = (request: Request): void => {
    requests.push(describeRequest(request));
    if (request.path().startsWith('/end')) connection.end('ended');
    else if (request.path().startsWith('/close')) connection.close('closed');
    else connection.send(`${request.method()} ${request.rawBodyBytes().length}`);
  };
  connection.onMessage = (_c: TcpConnection, request: Request) => {
    if (!isAsync) return answer(request);
    pending++;
    return turn().then(() => {
      answer(request);
      pending--;
    });
  };
  await turn();
  for (const piece of pieces) {
    if (isShared) {
      while (socket.isPaused() && !socket.destroyed) await turn();
      if (!socket.destroyed) feedShared(connection, piece);
    } else if (!socket.destroyed) socket.push(piece);
    if (isAsync && piece.length % 3 === 0) await turn();
  }
  do await turn();
  while (pending > 0);
  const status = connection.getStatus(false);
  const waiting = connection.getStatus() === TcpConnection.STATUS_ESTABLISHED ? connection.getRecvBufferQueueSize() : 0;
  // An invitation to send the body depends on when that comes, which is its purpose.
  const answers = socket.written.toString('latin1').replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '');
  connection.destroy();
  socket.destroy();
  return { requests, answers, status, waiting };
}

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_~!'), minLength: 1, maxLength: 8 });
const value = fc.string({ unit: fc.constantFrom(...'abc 019\t;,=":()äö'), maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 60 }).map((list) => Buffer.from(list));

const chunked = fc
  .record({
    chunks: fc.array(
      fc.record({
        data: bytes.filter((data) => data.length > 0),
        extension: fc.constantFrom('', '', '', '', '', ';a', ';a=b', ';a="b c;"', ';a="\\""', ' ;a'),
        zeros: fc.nat(2),
      }),
      { maxLength: 4 },
    ),
    trailers: fc.array(fc.tuple(token, value), { maxLength: 2 }),
  })
  .map(({ chunks, trailers }) =>
    Buffer.concat([
      ...chunks.flatMap(({ data, extension, zeros }) => [
        Buffer.from(`${'0'.repeat(zeros)}${data.length.toString(16)}${extension}\r\n`),
        data,
        Buffer.from('\r\n'),
      ]),
      Buffer.from(`0\r\n${trailers.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`),
    ]),
  );

const request = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
    target: fc.constantFrom('/', '/a?b=c', '/ä', '//x', '/a', '/b', '/c', '/d', '/e', '/end', '/close'),
    minor: fc.constantFrom(1, 1, 1, 1, 1, 0, 2),
    headers: fc.array(fc.tuple(token, value), { maxLength: 3 }),
    connection: fc.constantFrom(
      '',
      '',
      '',
      '',
      '',
      'Connection: close\r\n',
      'Connection: keep-alive\r\n',
      'Connection: x, Close\r\n',
    ),
    expect: fc.constantFrom('', '', 'Expect: 100-continue\r\n'),
    body: fc.oneof(
      fc.constant(null),
      bytes.map((data) => ({ head: `Content-Length: ${data.length}\r\n`, data })),
      chunked.map((data) => ({ head: 'Transfer-Encoding: chunked\r\n', data })),
    ),
  })
  .map(({ method, target, minor, headers, connection, expect: expectation, body }) =>
    Buffer.concat([
      Buffer.from(
        `${method} ${target} HTTP/1.${minor}\r\nHost: h:80\r\n${headers.map(([name, text]) => `${name}: ${text}\r\n`).join('')}` +
          `${connection}${expectation}${body?.head ?? ''}\r\n`,
      ),
      body?.data ?? Buffer.alloc(0),
    ]),
  );

/** A change of the bytes at a place given as a share of their number. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('replace', 'insert', 'delete', 'truncate'),
  what: fc.oneof(
    fc.constantFrom('\r', '\n', '\r\n', ' ', ':', '\0', '\t', 'chunked', '0', 'f', ';', '"', '\r\n\r\n'),
    fc.string({ maxLength: 3 }),
  ),
});

function mutate(wire: Buffer, { at, kind, what }: { at: number; kind: string; what: string }): Buffer {
  const place = Math.floor(at * wire.length);
  if (kind === 'truncate') return wire.subarray(0, place);
  const behind = kind === 'insert' ? place : place + (kind === 'delete' ? 1 : Buffer.byteLength(what));
  return Buffer.concat([wire.subarray(0, place), Buffer.from(kind === 'delete' ? '' : what), wire.subarray(behind)]);
}

const streams = fc.record({
  wire: fc
    .tuple(
      fc.array(request, { minLength: 1, maxLength: 5 }),
      fc.oneof(fc.constant([]), fc.array(mutation, { maxLength: 3 })),
    )
    .map(([requests, mutations]) => mutations.reduce(mutate, Buffer.concat(requests))),
  cuts: fc.array(fc.nat(2000), { maxLength: 12 }),
  maxPackageSize: fc.constantFrom(100, 150, 200, 10_485_760, 10_485_760, 10_485_760, 10_485_760),
});

describe('Http: where the network cuts a stream', () => {
  const reports = catchReports();
  afterEach(() => {
    expect(reports.lines).to.deep.equal([]);
    expect(reports.failures).to.deep.equal([]);
  });

  for (const isAsync of [false, true]) {
    it(`changes neither requests nor answers nor close, with ${isAsync ? 'async' : 'synchronous'} handlers`, async () => {
      let handedOut = 0;
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(streams, async ({ wire, cuts, maxPackageSize }) => {
          const whole = await play([wire], maxPackageSize, isAsync);
          const deliveries = [cutAt(wire, cuts), inPieces(wire, 1)];
          for (const pieces of deliveries) expect(await play(pieces, maxPackageSize, isAsync)).to.deep.equal(whole);
          // Heads that are known and bodies that come whole go another way there.
          for (const pieces of [[wire], ...deliveries]) {
            expect(await play(pieces, maxPackageSize, isAsync, true)).to.deep.equal(whole);
          }
          handedOut += whole.requests.length;
          if (/^HTTP\/1\.1 4/m.test(whole.answers)) refused++;
        }),
        { numRuns: isAsync ? 300 : 1200 },
      );
      // Otherwise the property would hold for trivial reasons.
      expect(handedOut).to.be.greaterThan(100);
      expect(refused).to.be.greaterThan(30);
    });
  }

  it('changes nothing for a head as long as may be, but within the last three bytes, which have to come together', async () => {
    const headEndingAt = (offset: number): Buffer => {
      const start = 'GET / HTTP/1.1\r\nHost: h\r\nA: ';
      return Buffer.from(`${start}${'x'.repeat(offset - start.length)}\r\n\r\n`);
    };
    const statusOf = async (wire: Buffer, ...cuts: number[]): Promise<string> =>
      (await play(cutAt(wire, cuts), 10_485_760, false)).answers.slice(9, 12);
    for (let offset = 16_376; offset <= 16_380; offset++) {
      const wire = headEndingAt(offset);
      for (let cut = offset - 5; cut < wire.length; cut++) expect(await statusOf(wire, cut)).to.equal('200');
    }
    for (let offset = 16_381; offset <= 16_383; offset++) {
      const wire = headEndingAt(offset);
      expect(await statusOf(wire)).to.equal('200');
      expect(await statusOf(wire, 16_383)).to.equal('200');
      // 16384 bytes without an end are refused without waiting for what may come.
      expect(await statusOf(wire, 16_384)).to.equal('431');
    }
    for (const cut of [0, 100, 16_384, 16_387]) expect(await statusOf(headEndingAt(16_384), cut)).to.equal('431');
  });
});
