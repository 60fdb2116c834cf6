import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import type { Worker } from '../../../../lib/Worker.js';
import { Http } from '../../../../protocols/Http.js';
import { bufferedBytes } from '../../../../protocols/http/buffered.js';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import { isWatching, limits, watchHandshake } from '../../../../protocols/http/limits.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { catchReports, type Peer, settle, until } from '../../connection/peers.js';
import { client, make, portOf, withWorkers } from '../../lib/madeWorkers.js';
import { localhost } from '../../../support/certificates.js';
import { withClock } from '../../../support/clock.js';
import { get, ok } from '../httpPeer.js';

const LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';
const BUSY = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n';

describe('the limits of HTTP', () => {
  const reports = catchReports();
  withWorkers();
  const defaults = { ...limits };
  const clock = withClock();
  afterEach(() => void Object.assign(limits, defaults));
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  async function listen(handler: (connection: TcpConnection, request: Request) => unknown): Promise<Worker> {
    const worker = make('http://127.0.0.1:0');
    worker.onMessage = handler;
    await worker.listen();
    return worker;
  }

  /** A connected client, seen by the server. */
  async function visit(worker: Worker, bytes = ''): Promise<{ peer: Peer; connection: TcpConnection }> {
    const before = new Set<unknown>(Object.values(worker.connections));
    const peer = await client(worker);
    // Not by their number: one that is ending may go at the same moment.
    const newcomer = (): TcpConnection | undefined =>
      Object.values(worker.connections as Record<string, TcpConnection>).find((c) => !before.has(c));
    await until(() => newcomer() !== undefined);
    const connection = newcomer()!;
    await peer.write(bytes);
    await until(() => connection.bytesRead === bytes.length);
    return { peer, connection };
  }

  const echo = (connection: TcpConnection, request: Request): unknown => connection.send(request.uri());

  it('have the defaults of Node and Workerman where they have one', () => {
    expect({
      headers: Http.headersTimeout, request: Http.requestTimeout, keepAlive: Http.keepAliveTimeout,
      send: Http.sendTimeout, lines: Http.maxHeaderCount, bytes: Http.maxBufferedBytes,
    }).to.deep.equal({ headers: 60, request: 300, keepAlive: 75, send: 300, lines: 2000, bytes: 256 * 1024 * 1024 });
  });

  describe('headersTimeout', () => {
    it('closes without a word when nothing has come since the accept', async () => {
      const worker = await listen(echo);
      const { peer } = await visit(worker);
      clock.pass(59);
      expect(worker.connections.size).to.equal(1);
      clock.pass(1);
      expect(worker.connections.size).to.equal(0);
      await until(() => peer.ended);
      expect(peer.text).to.equal('');
    });

    it('answers 408 to a head that does not end, counted from the accept', async () => {
      const worker = await listen(echo);
      const { peer, connection } = await visit(worker);
      clock.pass(30);
      await peer.write('GET / HTTP/1.1\r\nHost: h\r\n');
      await until(() => connection.bytesRead > 0);
      clock.pass(29);
      await peer.write('X: ');
      await until(() => connection.bytesRead > 25);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      clock.pass(1);
      await until(() => peer.ended);
      expect(peer.text).to.equal(LATE);
    });

    it('counts from the first byte of a later request', async () => {
      const worker = await listen(echo);
      const { peer, connection } = await visit(worker, get('/1'));
      clock.pass(50);
      await peer.write('G');
      await until(() => connection.getRecvBufferQueueSize() === 1);
      clock.pass(59);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      clock.pass(1);
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('/1') + LATE);
    });

    it('is over when the head is complete, and a new one counts for the next request', async () => {
      const worker = await listen(echo);
      const { peer, connection } = await visit(worker, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx');
      clock.pass(200);
      await peer.write('yG');
      await until(() => connection.getRecvBufferQueueSize() === 1 && peer.length > 0);
      clock.pass(59);
      await peer.write(get('/2').slice(1));
      expect(await peer.gets(ok('/').length + ok('/2').length)).to.equal(ok('/') + ok('/2'));
    });
  });

  describe('requestTimeout', () => {
    for (const { name, head } of [
      { name: 'a length', head: 'Content-Length: 10' },
      { name: 'chunks', head: 'Transfer-Encoding: chunked' },
    ]) {
      it(`answers 408 to a body with ${name} that does not end`, async () => {
        const worker = await listen(echo);
        const { peer, connection } = await visit(worker, `POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n5`);
        clock.pass(299);
        expect(connection.getStatus(false)).to.equal('ESTABLISHED');
        clock.pass(1);
        await until(() => peer.ended);
        expect(peer.text).to.equal(LATE);
      });
    }

    it('holds for the head too when headersTimeout is off', async () => {
      limits.headersTimeout = 0;
      const worker = await listen(echo);
      const { peer } = await visit(worker, 'GET');
      clock.pass(300);
      await until(() => peer.ended);
      expect(peer.text).to.equal(LATE);
    });
  });

  describe('keepAliveTimeout', () => {
    it('closes without a word after an answer', async () => {
      const worker = await listen(echo);
      const { peer } = await visit(worker, get('/1'));
      await peer.gets(ok('/1').length);
      clock.pass(74);
      expect(worker.connections.size).to.equal(1);
      await peer.write(get('/2'));
      await peer.gets(2 * ok('/1').length);
      clock.pass(74);
      expect(worker.connections.size).to.equal(1);
      clock.pass(1);
      expect(worker.connections.size).to.equal(0);
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('/1') + ok('/2'));
    });
  });

  describe('never count', () => {
    it('while a handler is pending, or answers later', async () => {
      let finish = (): void => {};
      const worker = await listen((connection, request) => {
        if (request.path() === '/later') return void (finish = () => void connection.send('later'));
        return new Promise<void>((resolve) => {
          finish = () => {
            connection.send('pending');
            resolve();
          };
        });
      });
      for (const name of ['pending', 'later']) {
        const { peer } = await visit(worker, get(`/${name}`));
        clock.pass(1000);
        finish();
        expect(await peer.gets(ok(name).length)).to.equal(ok(name));
      }
    });

    it('while a stream is open', async () => {
      const open: TcpConnection[] = [];
      const worker = await listen((connection, request) => {
        open.push(connection);
        const never = new Promise<void>(() => {});
        if (request.path() === '/events') connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
        else if (request.path() === '/chunks') connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'x'));
        else connection.send(new Response(200, {}, (async function* () { yield 'x'; await never; })()));
      });
      for (const path of ['/events', '/chunks', '/iterable']) {
        const { peer } = await visit(worker, get(path));
        await peer.gets(/\r\n\r\n/);
      }
      clock.pass(1000);
      expect(open.map((connection) => connection.getStatus(false))).to.deep.equal(Array(3).fill('ESTABLISHED'));
      open[1]!.send(new Chunk(''));
      clock.pass(75);
      expect(open.map((connection) => connection.getStatus(false))).to.deep.equal(['ESTABLISHED', 'CLOSED', 'ESTABLISHED']);
    });

    it('while the application does not read', async () => {
      const worker = await listen(echo);
      const { peer, connection } = await visit(worker, 'GET');
      connection.pauseRecv();
      clock.pass(1000);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      connection.resumeRecv();
      clock.pass(60);
      await until(() => peer.ended);
    });

    it('when they are 0, as they are at each look', async () => {
      Object.assign(limits, { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });
      const worker = await listen(echo);
      const peers = [await visit(worker), await visit(worker, 'G'), await visit(worker, get('/'))];
      clock.pass(10_000);
      expect(worker.connections.size).to.equal(3);
      Object.assign(limits, { headersTimeout: 1, keepAliveTimeout: 1 });
      clock.pass(1);
      await until(() => peers.every(({ peer }) => peer.ended));
    });

    it('for a connection that speaks another protocol by now', async () => {
      const worker = await listen((connection) => {
        connection.send('raw');
        connection.protocol = null;
      });
      const { peer } = await visit(worker, get());
      await peer.gets(/raw/);
      clock.pass(1000);
      expect(worker.connections.size).to.equal(1);
      expect(isWatching()).to.equal(false);
    });
  });

  describe('sendTimeout', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'limits-'));
      writeFileSync(join(folder, 'big.bin'), Buffer.alloc(32 << 20));
    });
    after(() => rmSync(folder, { recursive: true }));

    for (const { name, answer } of [
      { name: 'a text', answer: () => 'x'.repeat(32 << 20) },
      { name: 'a file', answer: () => new Response().withFile(join(folder, 'big.bin')) },
      { name: 'a stream', answer: () => new Response(200, {}, (async function* () { for (;;) yield Buffer.alloc(65536); })()) },
    ]) {
      it(`destroys the connection of a client that takes nothing of ${name}`, async () => {
        const worker = await listen((connection) => void connection.send(answer()));
        const { peer, connection } = await visit(worker);
        peer.socket.pause();
        await peer.write(get());
        await until(() => connection._sendProgress !== null);
        await settle();
        clock.pass(299);
        expect(connection.getStatus(false)).to.equal('ESTABLISHED');
        clock.pass(1);
        expect(connection.getStatus(false)).to.equal('CLOSED');
      });
    }

    it('counts from the last byte that was taken, and also behind close()', async () => {
      const worker = await listen((connection) => connection.close('x'.repeat(32 << 20)));
      const { peer, connection } = await visit(worker);
      peer.socket.pause();
      await peer.write(get());
      await until(() => connection._sendProgress !== null);
      clock.pass(250);
      const before = connection._sendProgress;
      peer.socket.resume();
      await until(() => connection._sendProgress !== before);
      peer.socket.pause();
      await settle();
      clock.pass(299);
      expect(connection.getStatus(false)).to.equal('CLOSING');
      clock.pass(1);
      expect(connection.getStatus(false)).to.equal('CLOSED');
    });

    it('sees progress within one large write, under TLS too', async () => {
      const worker = make('http://127.0.0.1:0', { ssl: { local_cert: localhost().both } });
      worker.transport = 'ssl';
      worker.onMessage = (connection: TcpConnection) => connection.send('x'.repeat(32 << 20));
      await worker.listen();
      const socket = connectTls({ port: portOf(worker), host: '127.0.0.1', rejectUnauthorized: false });
      socket.on('error', () => {});
      socket.write(get());
      await until(() => worker.connections.size === 1);
      const connection = Object.values(worker.connections as Record<string, TcpConnection>)[0]!;
      await until(() => connection._sendProgress !== null);
      const before = connection._sendProgress!;
      clock.pass(250);
      let received = 0;
      let hasPaused = false;
      socket.on('data', (data: Buffer) => {
        received += data.length;
        if (received > 8 << 20 && !hasPaused) socket.pause();
        hasPaused ||= received > 8 << 20;
      });
      await until(() => received > 8 << 20 && connection._sendProgress! > before);
      clock.pass(200);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      socket.resume();
      await until(() => received > 32 << 20 && connection._sendProgress === null);
      socket.destroy();
    });

    it('does not count while it is the stream that is slow', async () => {
      const worker = await listen((connection) => {
        connection.send(new Response(200, {}, (async function* () { yield 'x'; await new Promise(() => {}); })()));
      });
      const { peer, connection } = await visit(worker, get());
      await peer.gets(/x\r\n$/);
      clock.pass(1000);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
    });
  });

  describe('maxHeaderCount', () => {
    const withLines = (count: number): string => get('/', 'A: b\r\n'.repeat(count - 1));

    it('answers 431 to more lines, and takes exactly so many', async () => {
      const worker = await listen(echo);
      const { peer } = await visit(worker, withLines(2000) + withLines(2001));
      await until(() => peer.ended);
      expect(peer.text).to.equal(`${ok('/')}HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n`);
    });

    it('is off with 0', async () => {
      limits.maxHeaderCount = 0;
      const worker = await listen(echo);
      const { peer } = await visit(worker, withLines(2700));
      expect(await peer.gets(ok('/').length)).to.equal(ok('/'));
    });
  });

  describe('maxBufferedBytes', () => {
    const begun = (bytes: number): string => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n${'x'.repeat(bytes)}`;

    it('gives 503 to the clients that hold most, and goes on with the others', async () => {
      limits.maxBufferedBytes = 400_000;
      const worker = await listen((connection, request) => connection.send(String(request.rawBody().length)));
      const small = await visit(worker, begun(10_000));
      const large = await visit(worker, begun(300_000));
      const middle = await visit(worker, begun(80_000));
      expect(bufferedBytes()).to.be.within(390_000, 400_000);
      await small.peer.write('x'.repeat(20_000));
      await until(() => large.peer.ended);
      expect(large.peer.text).to.equal(BUSY);
      expect(bufferedBytes()).to.be.within(110_000, 111_000);
      await small.peer.write('x'.repeat(870_000));
      await until(() => small.peer.length > 0 || middle.peer.ended);
    });

    it('holds for what waits behind a handler: that one is answered, the rest is dropped', async () => {
      limits.maxBufferedBytes = 100_000;
      let finish = (): void => {};
      const worker = await listen((connection) => new Promise<void>((resolve) => {
        finish = () => {
          connection.send('first');
          resolve();
        };
      }));
      const { peer, connection } = await visit(worker, get());
      await peer.write(get('/next').repeat(5000));
      await until(() => connection.bytesRead > 5000 * 30);
      expect(bufferedBytes()).to.be.below(100_000);
      finish();
      await until(() => peer.ended);
      expect(peer.text).to.equal(ok('first', 'close'));
    });

    it('is off with 0', async () => {
      limits.maxBufferedBytes = 0;
      const worker = await listen(echo);
      const { connection } = await visit(worker, begun(800_000));
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
    });

    it('forgets what has been handed out, refused or closed', async () => {
      const worker = await listen(echo);
      const { peer } = await visit(worker, begun(10));
      await peer.write('x'.repeat(900_000 - 10));
      await peer.gets(/\//);
      const other = await visit(worker, begun(1000));
      other.peer.socket.destroy();
      await until(() => worker.connections.size === 1);
      const third = await visit(worker, `${begun(1000).slice(0, 9)}`);
      await third.peer.write('\r\n\r\n');
      await until(() => third.peer.ended && worker.connections.size === 1);
      expect(bufferedBytes()).to.equal(0);
    });
  });

  describe('the timer', () => {
    it('runs while there are connections, for all of them, and does not keep the process alive', async () => {
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      expect(isWatching()).to.equal(false);
      const worker = await listen(echo);
      expect(isWatching()).to.equal(false);
      const before = timers();
      const { peer: first } = await visit(worker);
      expect(isWatching()).to.equal(true);
      const { peer: second } = await visit(worker, 'G');
      expect(timers()).to.be.at.most(before);
      first.socket.destroy();
      await until(() => worker.connections.size === 1);
      expect(isWatching()).to.equal(true);
      second.socket.destroy();
      await until(() => worker.connections.size === 0);
      expect(isWatching()).to.equal(false);
    });
  });

  describe('watchHandshake', () => {
    it('gives other protocols the same time, until they say that they are done', async () => {
      let done = false;
      const worker = make('text://127.0.0.1:0');
      worker.onConnect = (connection: TcpConnection) => watchHandshake(connection, () => done);
      await worker.listen();
      const silent = await visit(worker);
      const begun = await visit(worker, 'GET');
      clock.pass(60);
      await until(() => silent.peer.ended && begun.peer.ended);
      expect([silent.peer.text, begun.peer.text]).to.deep.equal(['', LATE]);
      const third = await visit(worker);
      clock.pass(59);
      done = true;
      clock.pass(100);
      expect(third.connection.getStatus(false)).to.equal('ESTABLISHED');
    });
  });
});
