import { expect } from 'chai';
import fc from 'fast-check';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import type { Worker } from '../../../../lib/Worker.js';
import { bufferedBytes } from '../../../../protocols/http/buffered.js';
import { limits } from '../../../../protocols/http/limits.js';
import { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { withClock } from '../../../support/clock.js';
import { cutAt, deliveries } from '../../../support/feed.js';
import { catchReports, closeAll, type Peer, settle, until } from '../../connection/peers.js';
import { client, make, withWorkers } from '../../lib/madeWorkers.js';
import { get, ok } from '../httpPeer.js';

const REFUSED = (status: string): string => `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
const plain = (length: number, headers = ''): string => `POST /p HTTP/1.1\r\nHost: h\r\n${headers}Content-Length: ${length}\r\n\r\n`;
const FORM = 'Content-Type: multipart/form-data; boundary=B\r\n';
const CHUNKED = 'POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX-After: 1\r\n\r\n';

type Handler = (connection: TcpConnection, request: Request) => unknown;

describe('a request body in pieces', () => {
  const reports = catchReports();
  withWorkers();
  const defaults = { ...limits };
  afterEach(() => void Object.assign(limits, defaults));
  afterEach(() => expect(reports.failures).to.deep.equal([]));
  afterEach(closeAll);
  afterEach(() => expect(bufferedBytes()).to.equal(0));

  async function listen(handler: Handler, prepare: (worker: Worker) => void = () => {}): Promise<Worker> {
    const worker = make('http://127.0.0.1:0');
    worker.streamBodies = true;
    worker.onMessage = handler;
    prepare(worker);
    await worker.listen();
    return worker;
  }

  async function visit(handler: Handler): Promise<{ peer: Peer; connection: TcpConnection }> {
    const worker = await listen(handler);
    const peer = await client(worker);
    await until(() => worker.connections.size === 1);
    return { peer, connection: Object.values(worker.connections as Record<string, TcpConnection>)[0]! };
  }

  const joined = async (request: Request): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for await (const piece of request.body) pieces.push(piece);
    return Buffer.concat(pieces);
  };

  /** What reading the rest of a body is rejected with. */
  const failure = (request: Request): Promise<unknown> => joined(request).then(() => null, (error: unknown) => error);

  it('is handed out with its head, and comes as the client sends it', async () => {
    const seen: string[] = [];
    const { peer, connection } = await visit(async (_c, request) => {
      seen.push(`${request.method()} ${request.header('content-length')}`);
      for await (const piece of request.body) seen.push(piece.toString());
      _c.send('done');
    });
    await peer.write(plain(6));
    await until(() => seen.length === 1);
    await peer.write('abc');
    await until(() => seen.length === 2);
    expect(connection.getRecvBufferQueueSize()).to.equal(0);
    await peer.write('def');
    expect(await peer.gets(/done/)).to.equal(ok('done'));
    expect(seen).to.deep.equal(['POST 6', 'abc', 'def']);
  });

  it('may be longer than maxPackageSize, which holds for the head', async () => {
    const { peer, connection } = await visit(async (c, request) => {
      let length = 0;
      for await (const piece of request.body) length += piece.length;
      c.send(String(length));
    });
    connection.maxPackageSize = 1000;
    await peer.write(plain(3_000_000));
    await peer.write(Buffer.alloc(3_000_000));
    expect(await peer.gets(ok('3000000').length)).to.equal(ok('3000000'));
    await peer.write(plain(1, `X: ${'x'.repeat(1000)}\r\n`));
    await until(() => peer.ended);
    expect(peer.text).to.equal(ok('3000000') + REFUSED('413 Payload Too Large'));
  });

  it('is decoded when it is chunked, and its trailers follow', async () => {
    const seen: unknown[] = [];
    const { peer } = await visit(async (c, request) => {
      seen.push(request.header(), String(await joined(request)), request.trailer('t'));
      c.send('ok');
    });
    await peer.write(`${CHUNKED}3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: later\r\n\r\n`);
    await peer.gets(/ok$/);
    expect(seen).to.deep.equal([Object.assign(Object.create(null), { host: 'h', 'x-after': '1' }), 'abc0123456789', 'later']);
  });

  it('makes the client wait while nobody reads, and goes on when somebody does', async () => {
    let read = (): void => {};
    const { peer, connection } = await visit(async (c, request) => {
      await new Promise<void>((resolve) => (read = resolve));
      c.send(String((await joined(request)).length));
    });
    const size = 32 << 20;
    await peer.write(plain(size));
    void peer.write(Buffer.alloc(size));
    let before = -1;
    while (connection.bytesRead !== before) {
      before = connection.bytesRead;
      await settle();
    }
    expect(before).to.be.below(300_000);
    expect(bufferedBytes()).to.be.below(300_000);
    read();
    expect(await peer.gets(ok(String(size)).length)).to.equal(ok(String(size)));
    expect(bufferedBytes()).to.equal(0);
  });

  describe('read whole', () => {
    it('makes an ordinary request of it', async () => {
      const seen: unknown[] = [];
      const { peer } = await visit(async (c, request) => {
        seen.push(String(await request.readBody()), request.rawBody(), request.post('a'), request.rawBuffer());
        seen.push(request.header('content-length'), await joined(request).then(String));
        c.send('ok');
      });
      await peer.write(`${CHUNKED}3\r\na=b\r\n0\r\n\r\n`);
      await peer.gets(/ok$/);
      const message = 'POST /c HTTP/1.1\r\nHost: h\r\nX-After: 1\r\nContent-Length: 3\r\n\r\na=b';
      expect(seen).to.deep.equal(['a=b', 'a=b', 'b', message, '3', 'a=b']);
    });

    it('gives uploaded files too', async () => {
      const { peer } = await visit(async (c, request) => {
        await request.readBody();
        c.send(request.file<{ name: string; size: number }>('f')!.name);
      });
      const body = '--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\nhello\r\n--B--\r\n';
      await peer.write(plain(body.length, 'Content-Type: multipart/form-data; boundary=B\r\n') + body);
      expect(await peer.gets(/x\.txt$/)).to.equal(ok('x.txt'));
    });

    it('gives the same to everybody who asks', async () => {
      const { peer } = await visit(async (c, request) => {
        const [one, two] = await Promise.all([request.readBody(), request.readBody()]);
        c.send(String(one === two && one.length));
      });
      await peer.write(`${plain(3)}abc`);
      expect(await peer.gets(/3$/)).to.equal(ok('3'));
    });

    for (const [name, bytes] of [['that is announced', plain(1001)], ['that turns out', `${CHUNKED}3E9\r\n${'x'.repeat(1001)}\r\n`]] as const) {
      it(`is refused with 413 above the limit, for a length ${name}, and no fault of the handler`, async () => {
        const { peer } = await visit(async (c, request) => c.send(await request.readBody(1000)));
        await peer.write(bytes);
        await until(() => peer.ended);
        expect(peer.text).to.equal(REFUSED('413 Payload Too Large'));
      });
    }

    it('leaves another answer to a handler that wants to give one', async () => {
      const { peer } = await visit(async (c, request) => {
        const error: unknown = await request.readBody(1).catch((e: unknown) => e);
        c.send((error as { code?: string }).code ?? 'none');
      });
      await peer.write(`${plain(3)}abc${get('/2')}`);
      expect(await peer.gets(/none$/)).to.equal(ok('WM_BODY_TOO_LARGE') + ok('none'));
    });
  });

  it('can not be had in other ways before it was read, nor twice', async () => {
    const codes: string[] = [];
    const code = async (action: () => unknown): Promise<void> => {
      try {
        await action();
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    };
    const { peer } = await visit(async (c, request) => {
      for (const name of ['rawBody', 'rawBodyBytes', 'post', 'file', 'rawBuffer'] as const) await code(() => request[name]());
      expect(String(request)).to.equal(plain(3, FORM));
      await joined(request);
      await code(() => joined(request));
      await code(() => request.readBody());
      c.send('ok');
    });
    await peer.write(`${plain(3, FORM)}abc`);
    await peer.gets(/ok$/);
    expect(codes).to.deep.equal(Array(7).fill('WM_BODY_STREAMED'));
  });

  it('is one piece on requests that have arrived whole, and none without a body', async () => {
    const worker = await listen(async (c, request) => {
      const pieces: string[] = [];
      for await (const piece of request.body) pieces.push(piece.toString());
      for await (const piece of request.body) pieces.push(piece.toString());
      c.send(`${pieces} ${request.rawBody()} ${await request.readBody(3)}`);
    }, (w) => (w.streamBodies = false));
    const peer = await client(worker);
    await peer.write(`${plain(3)}abc${get()}`);
    const [one, two] = [ok('abc,abc abc abc'), ok('  ')];
    expect(await peer.gets(one.length + two.length)).to.equal(one + two);
    await expectCode(new Request(`${plain(3)}abc`).readBody(2), 'WM_BODY_TOO_LARGE');
  });

  it('gives way to a property of that name', () => {
    const request = new Request(`${plain(3)}abc`);
    request.body = { parsed: true };
    expect(request.body).to.deep.equal({ parsed: true });
    expect(request.rawBody()).to.equal('abc');
  });

  describe('of a client that leaves', () => {
    for (const how of ['fin', 'reset'] as const) {
      it(`fails for its reader (${how}), which is no fault of the handler`, async () => {
        const errors: unknown[] = [];
        const { peer } = await visit(async (_c, request) => {
          errors.push(await failure(request));
          throw new Error('wrapped', { cause: errors[0] });
        });
        await peer.write(`${plain(10)}abc`);
        await settle();
        await peer[how]();
        await until(() => errors.length === 1);
        expect(errors[0]).to.include({ code: 'WM_CLIENT_GONE' });
        await settle();
      });
    }

    it('lets what has come be read first', async () => {
      let go = (): void => {};
      const seen: unknown[] = [];
      const { peer, connection } = await visit(async (_c, request) => {
        await new Promise<void>((resolve) => (go = resolve));
        for await (const piece of request.body) seen.push(piece.toString());
      });
      await peer.write(`${plain(10)}abc`);
      await until(() => connection.bytesRead > plain(10).length);
      await peer.reset();
      await until(() => connection.getStatus(false) === 'CLOSED');
      go();
      await until(() => seen.length === 1);
      expect(seen).to.deep.equal(['abc']);
    });

    it('is told apart from a fault of the handler', async () => {
      const errors: unknown[] = [];
      const worker = await listen(async (_c, request) => {
        await joined(request);
        throw new Error('mine');
      });
      worker.onConnect = (connection: TcpConnection) => (connection.errorHandler = (error) => errors.push(error));
      const peer = await client(worker);
      await peer.write(`${plain(3)}abc`);
      await until(() => errors.length === 1);
      expect(String(errors[0])).to.equal('Error: mine');
    });
  });

  describe('that is no body', () => {
    const BAD = '3\r\nabcX';

    it('is not handed out at all when it comes with its head', async () => {
      const uris: string[] = [];
      const { peer } = await visit((_c, request) => uris.push(request.uri()));
      await peer.write(CHUNKED + BAD + get('/smuggled'));
      await until(() => peer.ended);
      expect(peer.text).to.equal(REFUSED('400 Bad Request'));
      expect(uris).to.deep.equal([]);
    });

    it('gets 400, and fails for its reader', async () => {
      const errors: unknown[] = [];
      const { peer, connection } = await visit(async (_c, request) => errors.push(await failure(request)));
      await peer.write(CHUNKED);
      await until(() => connection._busy);
      await peer.write(BAD);
      await until(() => peer.ended);
      expect(peer.text).to.equal(REFUSED('400 Bad Request'));
      expect(errors[0]).to.include({ code: 'WM_CLIENT_GONE' });
    });

    it('cuts the connection when the answer has begun', async () => {
      const { peer } = await visit((c, request) => c.send(new Response(200, {}, request.body)));
      await peer.write(CHUNKED);
      await peer.gets(/\r\n\r\n/);
      await peer.write(BAD);
      await until(() => peer.ended || peer.closed);
      expect(peer.text).to.not.include('400').and.not.match(/0\r\n\r\n$/);
    });

    it('takes nothing for a request that comes behind it', async () => {
      const uris: string[] = [];
      const { peer, connection } = await visit((_c, request) => {
        uris.push(request.uri());
        return joined(request).catch(() => new Promise(() => {}));
      });
      await peer.write(CHUNKED);
      await until(() => connection._busy);
      await peer.write(BAD + get('/smuggled'));
      await peer.write(get('/smuggled'));
      await until(() => peer.ended);
      expect(uris).to.deep.equal(['/c']);
    });

    it('is framing without end, too: 413', async () => {
      const { peer } = await visit((_c, request) => failure(request));
      await peer.write(`${CHUNKED}1;${'x'.repeat(20_000)}`);
      await until(() => peer.ended);
      expect(peer.text).to.equal(REFUSED('413 Payload Too Large'));
    });
  });

  describe('that nobody reads', () => {
    it('is thrown away when it is not long, and the next request is served', async () => {
      const { peer } = await visit((c, request) => c.send(request.uri()));
      await peer.write(`${plain(1_000_000)}abc`);
      await peer.gets(ok('/p').length);
      await peer.write(Buffer.alloc(1_000_000 - 3));
      await peer.write(`${CHUNKED}3\r\nabc\r\n0\r\n\r\n${get('/2')}`);
      expect(await peer.gets(3 * ok('/p').length)).to.equal(ok('/p') + ok('/c') + ok('/2'));
    });

    it('ends the connection when it is long, and the answer says so', async () => {
      const { peer } = await visit((c, request) => c.send(request.uri()));
      await peer.write(plain(100_000_000));
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('/p', 'close'));
    });

    it('ends the connection when it turns out to be long', async () => {
      const { peer, connection } = await visit((c, request) => c.send(request.uri()));
      connection.maxPackageSize = 10_000;
      await peer.write(CHUNKED);
      await peer.gets(ok('/c').length);
      void peer.write(`4E20\r\n${'x'.repeat(20_000)}\r\n`).catch(() => {});
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('/c'));
    });

    it('is what a loop leaves that is left early', async () => {
      const { peer } = await visit(async (c, request) => {
        let first = '';
        for await (const piece of request.body) {
          first = piece.toString();
          break;
        }
        c.send(first);
      });
      await peer.write(`${plain(10)}ab`);
      await peer.gets(ok('ab').length);
      await peer.write(`cdefghij${plain(2)}xy`);
      expect(await peer.gets(2 * ok('ab').length)).to.equal(ok('ab') + ok('xy'));
    });
  });

  describe('while the answer is sent', () => {
    it('can be the answer', async () => {
      const { peer } = await visit((c, request) => c.send(new Response(200, { 'Content-Length': request.header('content-length')! }, request.body)));
      const size = 5_000_000;
      const data = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz');
      await peer.write(Buffer.concat([Buffer.from(plain(size)), data, Buffer.from(get('/', 'Connection: close\r\n').replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'))]));
      await until(() => peer.ended);
      const start = peer.bytes.indexOf('\r\n\r\n') + 4;
      expect(peer.bytes.subarray(start, start + size).equals(data)).to.equal(true);
    });

    for (const last of ['', 'Connection: close\r\n']) {
      it(`can still be read${last && ', also when it is the last request'}`, async () => {
        let length = 0;
        const { peer } = await visit(async (c, request) => {
          c.send('early');
          length += (await joined(request)).length;
        });
        await peer.write(plain(6, last));
        await peer.gets(/early$/);
        await settle();
        await peer.write('abcdef');
        if (last === '') {
          await peer.write(`${plain(1)}x`);
          await peer.gets(ok('early').length * 2);
          await until(() => length === 7);
        } else {
          await until(() => peer.ended);
          expect(length).to.equal(6);
        }
      });
    }

    it('can be read by somebody who outlives the handler', async () => {
      const { peer } = await visit((c, request) => {
        void joined(request).then((body) => c.send(String(body)));
      });
      await peer.write(plain(6));
      await settle();
      await peer.write(`abcdef${plain(2)}xy`);
      expect(await peer.gets(/xy$/)).to.equal(ok('abcdef') + ok('xy'));
    });
  });

  describe('that the client wants to be invited for', () => {
    const EXPECT = plain(3, 'Expect: 100-continue\r\n');

    it('is invited when it is read', async () => {
      const { peer } = await visit(async (c, request) => c.send(await request.readBody()));
      await peer.write(EXPECT);
      await peer.gets(/100 Continue\r\n\r\n/);
      await peer.write('abc');
      expect(await peer.gets(/abc$/)).to.equal(`HTTP/1.1 100 Continue\r\n\r\n${ok('abc')}`);
    });

    it('is not invited when it is not, and nothing that follows is taken for it', async () => {
      const uris: string[] = [];
      const { peer } = await visit((c, request) => {
        uris.push(request.uri());
        return c.send('no');
      });
      await peer.write(EXPECT);
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('no', 'close'));
      expect(uris).to.deep.equal(['/p']);
    });

    it('is not invited when it is there already', async () => {
      const { peer } = await visit(async (c, request) => c.send(await request.readBody()));
      await peer.write(`${EXPECT}abc`);
      expect(await peer.gets(/abc$/)).to.equal(ok('abc'));
    });
  });

  describe('that stands still', () => {
    const clock = withClock();

    it('gets 408 after requestTimeout, and fails for its reader', async () => {
      const errors: unknown[] = [];
      const { peer, connection } = await visit(async (_c, request) => errors.push(await failure(request)));
      await peer.write(`${plain(10)}a`);
      await until(() => connection.bytesRead > plain(10).length);
      await settle();
      clock.pass(299);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      clock.pass(300);
      await until(() => peer.ended && errors.length === 1);
      expect(peer.text).to.equal(REFUSED('408 Request Timeout'));
      expect(errors[0]).to.include({ code: 'WM_CLIENT_GONE' });
    });

    it('is given all time while it is the application that does not read', async () => {
      const { peer, connection } = await visit(() => new Promise(() => {}));
      await peer.write(`${plain(10)}a`);
      await until(() => connection.bytesRead > plain(10).length);
      clock.pass(1000);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
    });

    it('is cut when it is only to be thrown away', async () => {
      const { peer, connection } = await visit((c) => c.send('ok'));
      await peer.write(`${plain(10)}a`);
      await peer.gets(/ok$/);
      clock.pass(300);
      expect(connection.getStatus(false)).to.equal('CLOSED');
    });
  });

  describe('however it is cut', () => {
    const MESSAGES = `${plain(5)}hello${CHUNKED}3;a="b"\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n${get('/g')}${plain(0)}`;
    const WANTED = ['/p hello {}', '/c abcde {"t":"x"}', '/g  {}', '/p  {}'];

    const collect = (wanted: number): { handler: Handler; seen: string[] } => {
      const seen: string[] = [];
      return {
        seen,
        handler: async (c, request) => {
          const body = await joined(request);
          seen.push(`${request.uri()} ${body} ${JSON.stringify(request.trailer())}`);
          if (seen.length === wanted) c.close();
        },
      };
    };

    for (const { name, pieces } of deliveries(Buffer.from(MESSAGES))) {
      it(`is the same: ${name}`, async () => {
        const { handler, seen } = collect(WANTED.length);
        const { peer } = await visit(handler);
        for (const piece of pieces) await peer.write(piece);
        await until(() => peer.ended);
        expect(seen).to.deep.equal(WANTED);
      });
    }

    it('is the same as when it is not streamed', async () => {
      const chunk = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((data) =>
        Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]));
      const message = fc.oneof(
        fc.uint8Array({ maxLength: 60 }).map((data) => Buffer.concat([Buffer.from(plain(data.length)), data])),
        fc.array(chunk, { maxLength: 5 }).map((chunks) => Buffer.concat([Buffer.from(CHUNKED), ...chunks, Buffer.from('0\r\n\r\n')])),
      );
      const cuts = fc.array(fc.nat(400), { maxLength: 6 });
      await fc.assert(fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 4 }), cuts, async (messages, offsets) => {
        const results: string[][] = [];
        for (const streamBodies of [true, false]) {
          const { handler, seen } = collect(messages.length);
          const worker = await listen(handler, (w) => (w.streamBodies = streamBodies));
          const peer = await client(worker);
          for (const piece of cutAt(Buffer.concat(messages), offsets)) await peer.write(piece);
          await until(() => peer.ended);
          results.push(seen);
          worker.unlisten();
        }
        expect(results[0]).to.deep.equal(results[1]);
        await closeAll();
      }), { numRuns: 40 });
    });
  });

  it('costs little in a million tiny chunks that nobody reads yet', async () => {
    const { peer, connection } = await visit(() => new Promise(() => {}));
    await peer.write(CHUNKED);
    void peer.write('1\r\nx\r\n'.repeat(1_000_000)).catch(() => {});
    let before = -1;
    while (connection.bytesRead !== before) {
      before = connection.bytesRead;
      await settle();
    }
    expect(bufferedBytes()).to.be.within(1, 300_000);
    connection.destroy();
  });
});

async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await promise.then(() => null, (e: unknown) => e);
  expect(error).to.include({ code });
}
