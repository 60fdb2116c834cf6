import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import { Chunk } from '../../../protocols/http/Chunk.js';
import { Request } from '../../../protocols/http/Request.js';
import { Response } from '../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../protocols/http/ServerSentEvents.js';
import { catchReports, closeAll, countFromHere, open, settle, until } from '../connection/peers.js';
import { get, ok, serve } from './httpPeer.js';

const REFUSALS = {
  400: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  413: 'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n',
  431: 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n',
};

describe('Http', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  describe('handing out requests', () => {
    it('hands out a Request that knows its connection, and takes a text for the answer', async () => {
      let seen: Request | null = null;
      const { connection, peer } = await serve((c, request) => {
        seen = request;
        c.send(`path ${request.path()}, name ${String(request.get('name'))}`);
      });
      const counts = countFromHere();
      await peer.write(get('/a?name=x'));
      expect(await peer.gets(/x$/)).to.equal(ok('path /a, name x'));
      expect(seen).to.be.instanceOf(Request);
      expect(seen!.connection).to.equal(connection);
      expect(counts().requests).to.equal(1);
    });

    it('waits for the whole body', async () => {
      const { connection, peer, events } = await serve((c, request) => c.send(String(request.rawBody())));
      await peer.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel');
      await until(() => connection.bytesRead > 0);
      await settle();
      expect(events).to.deep.equal([]);
      await peer.write('lo');
      expect(await peer.gets(/hello$/)).to.equal(ok('hello'));
    });

    it('joins the chunks of a body and keeps its trailers apart', async () => {
      const { peer } = await serve((c, request) => {
        c.send(
          [
            request.rawBody(),
            request.header('content-length'),
            request.header('transfer-encoding'),
            request.trailer('x'),
          ]
            .map(String)
            .join(),
        );
      });
      await peer.write(
        'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nX: y\r\n\r\n',
      );
      expect(await peer.gets(/y$/)).to.equal(ok('abcde,5,null,y'));
    });

    it('gives an exception of such a class to errorHandler, and goes on behind the request', async () => {
      class Picky extends Request {
        constructor(...args: ConstructorParameters<typeof Request>) {
          super(...args);
          if (this.path() === '/bad') throw new Error('not this one');
        }
      }
      const before = Http.requestClass();
      const errors: unknown[] = [];
      try {
        Http.requestClass(Picky);
        const { peer } = await open((connection) => {
          connection.protocol = Http;
          connection.errorHandler = (error) => void errors.push((error as Error).message);
          connection.onMessage = (c: TcpConnection, request: Request) => void c.send(request.path());
        });
        const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
        await peer.write(ask('/a') + ask('/bad') + ask('/b'));
        await peer.gets(/\/a[^]*\/b$/);
        expect(errors).to.deep.equal(['not this one']);
      } finally {
        Http.requestClass(before);
      }
    });

    it('gives the class of requestClass() the bytes alone, for whatever else its constructor takes', async () => {
      class Greeting extends Request {
        readonly word: string;
        constructor(buffer: Buffer, word = 'hello') {
          super(buffer);
          this.word = `${word} ${this.header('x-name')}`;
        }
      }
      class Other extends Greeting {
        constructor(buffer: Buffer) {
          super(Buffer.from(buffer.toString().replace('one', 'another')));
        }
      }
      const before = Http.requestClass();
      try {
        const { peer } = await serve((c, request) => c.send(`${(request as Greeting).word} ${request.rawBody()}`));
        const post = 'POST /p HTTP/1.1\r\nHost: h\r\nX-Name: one\r\nContent-Length: 2\r\n\r\nab';
        Http.requestClass(Greeting);
        await peer.write(post);
        const first = ok('hello one ab');
        expect(await peer.gets(first.length)).to.equal(first);
        Http.requestClass(Other);
        await peer.write(post);
        const second = ok('hello another ab');
        expect(await peer.gets(first.length + second.length)).to.equal(first + second);
      } finally {
        Http.requestClass(before);
      }
    });

    it('builds the class that requestClass() was given', async () => {
      class Mine extends Request {
        shout(): string {
          return this.path().toUpperCase();
        }
      }
      const before = Http.requestClass();
      expect(before).to.equal(Request);
      try {
        expect(Http.requestClass(Mine)).to.equal(Mine);
        const { peer } = await serve((c, request) => c.send((request as Mine).shout()));
        await peer.write(get('/loud'));
        expect(await peer.gets(/LOUD$/)).to.equal(ok('/LOUD'));
      } finally {
        Http.requestClass(before);
      }
    });
  });

  describe('refusing', () => {
    const refused: [string, keyof typeof REFUSALS, string][] = [
      ['an unknown method', 400, 'TRACE / HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['a missing Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
      ['two lengths', 400, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
      [
        'a length and chunks',
        400,
        'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
      ],
      ['a folded header', 400, 'GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n'],
      ['an empty line first', 400, `\r\n${get()}`],
      ['a chunk size that is none', 400, 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n'],
      [
        'a length above maxPackageSize',
        413,
        'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n',
      ],
      [
        'a chunk above maxPackageSize',
        413,
        'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n',
      ],
      ['a head without an end', 431, `GET / HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(16_384)}`],
      ['a head that is too long', 431, get('/', `A: ${'x'.repeat(16_384)}\r\n`)],
    ];
    for (const [name, status, bytes] of refused) {
      it(`answers ${name} with ${status}, FIN, and hands out nothing any more`, async () => {
        const { connection, peer, events } = await serve((c) => c.send('fine'));
        await peer.write(bytes + get('/never'));
        await until(() => peer.ended);
        expect(peer.text).to.equal(REFUSALS[status]);
        expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ENDING);
        await peer.write(get('/never'));
        await settle();
        expect(events).to.deep.equal([]);
        await peer.fin();
        await until(() => events.length > 0);
        expect(events).to.deep.equal(['(close)']);
        expect(peer.error).to.equal(null);
      });
    }

    it('answers what came before first, also when that takes its time', async () => {
      let answer: () => void = () => {};
      const { peer, events } = await serve(
        (c, request) =>
          new Promise<void>((resolve) => {
            answer = () => {
              c.send(request.path());
              resolve();
            };
          }),
      );
      await peer.write(`${get('/one')}BAD / HTTP/1.1\r\nHost: h\r\n\r\n${get('/two')}`);
      await until(() => events.length === 1);
      await settle();
      expect(peer.text).to.equal('');
      answer();
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('/one') + REFUSALS[400]);
      expect(events).to.deep.equal(['GET /one']);
    });

    it('accepts exactly maxPackageSize, and refuses a body from the head on', async () => {
      const { connection, peer, events } = await serve((c) => c.send('fine'));
      const head = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n';
      connection.maxPackageSize = head.length + 100;
      await peer.write(head + 'x'.repeat(100));
      await peer.gets(/fine$/);
      connection.maxPackageSize--;
      await peer.write(head);
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('fine') + REFUSALS[413]);
      expect(events).to.deep.equal(['POST /']);
    });

    it('waits for the end of a head that is longer than maxPackageSize, as it does for any other', async () => {
      for (const [rest, answer] of [
        ['\r\n\r\n', REFUSALS[413]],
        ['\r\nbad line\r\n\r\n', REFUSALS[400]],
      ] as const) {
        const { connection, peer } = await serve(
          (c) => c.send('never'),
          (c) => (c.maxPackageSize = 1000),
        );
        await peer.write(`GET / HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(2000)}`);
        await until(() => connection.bytesRead > 2000);
        expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
        await peer.write(rest);
        await until(() => peer.ended);
        expect(peer.text).to.equal(answer);
      }
    });
  });

  describe('Expect: 100-continue', () => {
    const head = (version = '1.1', more = ''): string =>
      `POST / HTTP/${version}\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n${more}\r\n`;
    const INVITATION = 'HTTP/1.1 100 Continue\r\n\r\n';

    it('is answered once, before the body', async () => {
      const { peer } = await serve((c, request) => c.send(request.rawBody()));
      await peer.write(head());
      await peer.gets(INVITATION.length);
      await peer.write('bo');
      await settle();
      await peer.write('dy');
      expect(await peer.gets(/body$/)).to.equal(INVITATION + ok('body'));
      await peer.write(head());
      await peer.gets(/Continue[^]*Continue/);
      await peer.write('more');
      expect(await peer.gets(/more$/)).to.equal(INVITATION + ok('body') + INVITATION + ok('more'));
    });

    it('is answered before a chunked body', async () => {
      const { peer } = await serve((c, request) => c.send(request.rawBody()));
      await peer.write('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n');
      await peer.gets(INVITATION.length);
      await peer.write('2\r\nab\r\n0\r\n\r\n');
      expect(await peer.gets(/ab$/)).to.equal(INVITATION + ok('ab'));
    });

    it('is not answered when the body is there, when there is none, or over HTTP/1.0', async () => {
      for (const bytes of [
        `${head()}body`,
        'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n',
        'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n',
      ]) {
        const { peer } = await serve((c, request) => c.send(request.rawBody()));
        await peer.write(bytes);
        expect(await peer.gets(/Length/)).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      }
      const { connection, peer } = await serve((c, request) => c.send(request.rawBody()));
      await peer.write(head('1.0'));
      await until(() => connection.bytesRead > 0);
      await settle();
      expect(peer.text).to.equal('');
    });

    it('is not answered while an earlier answer is outstanding', async () => {
      let answer: () => void = () => {};
      const { connection, peer } = await serve((c, request) => {
        answer = () => void c.send(request.rawBody() || 'first');
      });
      await peer.write(get());
      await until(() => connection.bytesRead > 0);
      const before = connection.bytesRead;
      await peer.write(head());
      await until(() => connection.bytesRead > before);
      await settle();
      expect(peer.text).to.equal('');
      answer();
      await peer.write('body');
      await until(() => connection.getRecvBufferQueueSize() === 0);
      answer();
      expect(await peer.gets(/body$/)).to.equal(ok('first') + ok('body'));
    });

    it('is not answered when the head is refused', async () => {
      const { peer } = await serve(
        (c) => c.send('never'),
        (c) => (c.maxPackageSize = 20),
      );
      await peer.write(head());
      await until(() => peer.ended);
      expect(peer.text).to.equal(REFUSALS[413]);
    });
  });

  describe('answering', () => {
    it('writes connection.headers once, and empties them', async () => {
      const { peer, connection } = await serve((c) => {
        c.headers = {
          'X-A': ['1', '2'],
          'Content-Type': 'text/plain',
          'Bad\r\nName': 'x',
          'X-B': 'a\r\nSet-Cookie: c',
        };
        c.send('one');
        c.send('two');
      });
      await peer.write(get());
      expect(await peer.gets(/two$/)).to.equal(
        'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\none' +
          ok('two'),
      );
      expect(connection.headers).to.deep.equal({});
    });

    it('writes raw data as it is', async () => {
      const { peer } = await serve((c) => c.send('raw', true));
      await peer.write(get());
      expect(await peer.gets(3)).to.equal('raw');
    });

    it('takes raw bytes that begin like a final answer for the answer', async () => {
      const { peer } = await serve((c, r) => {
        if (r.path() === '/by-hand') {
          c.send('HTTP/1.1 103 Early Hints\r\n\r\n', true);
          c.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', true);
          c.send('ok', true);
        } else c.send('last');
      });
      const byHand = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      await peer.write(get('/by-hand') + get('/by-hand'));
      await peer.gets(2 * byHand.length);
      // Were one of them still waiting, the answer to HEAD would have its body, and this one would not be the last.
      await peer.write(get('/', 'Connection: close\r\n', '1.1', 'HEAD'));
      const all = byHand + byHand + ok('last', 'close').slice(0, -4);
      expect(await peer.gets(all.length)).to.equal(all);
      await until(() => peer.ended);
    });

    it('answers nothing for plain objects and arrays: a TypeError of the handler', async () => {
      const errors: unknown[] = [];
      const results: unknown[] = [];
      const { peer } = await serve(
        (c) => results.push(c.send({}), c.send([]), c.send('fine')),
        (c) => (c.errorHandler = (error: unknown) => void errors.push(error)),
      );
      await peer.write(get());
      expect(await peer.gets(/fine$/)).to.equal(ok('fine'));
      expect(results).to.deep.equal([false, false, true]);
      expect(errors.every((error) => error instanceof TypeError)).to.be.true;
      expect(errors).to.have.length(2);
    });

    it('sends no body to HEAD, and goes on', async () => {
      const { peer } = await serve((c, request) => c.send(request.method() === 'HEAD' ? 'hidden' : 'shown'));
      await peer.write(get('/', '', '1.1', 'HEAD') + get());
      expect(await peer.gets(/shown$/)).to.equal(ok('hidden').slice(0, -6) + ok('shown'));
    });

    it('sends the head of a chunked answer to HEAD and swallows the chunks', async () => {
      const { peer } = await serve((c, request) => {
        if (request.method() !== 'HEAD') return c.send('shown');
        c.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a'));
        expect(c.send(new Chunk('b'))).to.equal(null);
        expect(c.send(new Chunk(''))).to.equal(null);
      });
      await peer.write(get('/', '', '1.1', 'HEAD') + get());
      expect(await peer.gets(/shown$/)).to.equal(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\n\r\n' +
          ok('shown'),
      );
    });

    it('sends no body with 204 and 304', async () => {
      const { peer } = await serve((c, request) => c.send(new Response(Number(request.path().slice(1)), {}, 'body')));
      await peer.write(get('/204') + get('/304') + get('/200'));
      expect(await peer.gets(/body$/)).to.match(
        /^HTTP\/1\.1 204 No Content\r\n(?!Content-Length)[^]*?\r\n\r\nHTTP\/1\.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
      );
    });

    it('sends events as they come', async () => {
      const { peer } = await serve((c) => {
        c.send(new Response(200, { 'Content-Type': 'text/event-stream' }, 'ignored'));
        c.send(new ServerSentEvents({ event: 'e', data: 'd' }));
      });
      await peer.write(get());
      expect(await peer.gets(/d\n\n$/)).to.equal(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: keep-alive\r\n\r\nevent: e\ndata: d\n\n',
      );
    });

    it('sends files of any size, with what is sent behind them behind them', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
      try {
        const content = Buffer.alloc(3 << 20, 'f');
        writeFileSync(join(folder, 'big.bin'), content);
        writeFileSync(join(folder, 'small.txt'), 'small');
        const { peer } = await serve((c, request) =>
          c.send(new Response().withFile(join(folder, request.path().slice(1)))),
        );
        await peer.write(get('/small.txt') + get('/big.bin') + get('/small.txt'));
        await until(() => peer.length > content.length && peer.text.endsWith('small'));
        const [first, big, second] = peer.text.split(/(?=HTTP\/1\.1 200 OK\r\n)/);
        expect(first).to.match(/\r\n\r\nsmall$/);
        expect(second).to.equal(first);
        expect(big!.slice(big!.indexOf('\r\n\r\n') + 4) === content.toString()).to.be.true;
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });

  it('is the protocol that a connection hands its packets to, with errors of the head before any handler', async () => {
    const { connection, peer } = await open((c) => (c.protocol = Http));
    await peer.write(get());
    await until(() => connection.bytesRead > 0);
    expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
  });
});
