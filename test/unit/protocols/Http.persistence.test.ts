import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Chunk } from '../../../protocols/http/Chunk.js';
import { Response } from '../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../protocols/http/ServerSentEvents.js';
import { catchReports, closeAll, fill, settle, until } from '../connection/peers.js';
import { get, ok, serve, type Handler } from './httpPeer.js';

const CLOSE = 'Connection: close\r\n';

describe('Http: how long a connection lasts (RFC 9112 section 9)', () => {
  const reports = catchReports();
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
    writeFileSync(join(folder, 'small.txt'), 'small');
    writeFileSync(join(folder, 'empty.txt'), '');
    writeFileSync(join(folder, 'big.bin'), Buffer.alloc(5 << 20, 'f'));
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  /** Sends `bytes`; the connection must end by itself. @returns all that was answered, and what was handed out */
  async function untilEnd(bytes: string, handler: Handler): Promise<{ text: string; events: string[] }> {
    const { peer, events, connection } = await serve(handler);
    await peer.write(bytes);
    await until(() => peer.ended);
    expect(connection.getStatus()).to.be.oneOf([TcpConnection.STATUS_ENDING, TcpConnection.STATUS_CLOSED]);
    expect(peer.error).to.equal(null);
    return { text: peer.text, events };
  }

  /** Sends `bytes` and a second request; both must be answered over the same connection. */
  async function lasts(bytes: string): Promise<string> {
    const { peer } = await serve((c, request) => c.send(request.path()));
    await peer.write(bytes);
    await peer.gets(/\r\n\r\n/);
    await peer.write(get('/second'));
    const text = await peer.gets(/second$/);
    await settle();
    expect(peer.ended).to.equal(false);
    return text.slice(0, -ok('/second').length);
  }

  describe('a request', () => {
    const last: [string, string][] = [
      ['of HTTP/1.0', get('/', '', '1.0')],
      ['of HTTP/1.0 that says close', get('/', CLOSE, '1.0')],
      ['of HTTP/1.0 that says keep-alive and close', get('/', 'Connection: keep-alive, close\r\n', '1.0')],
      [
        'of HTTP/1.0 with chunks',
        'POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['that says close', get('/', CLOSE)],
      ['that says CLOSE', get('/', 'cOnNeCtIoN: CLOSE\r\n')],
      ['that has close in a list', get('/', 'Connection: x , close\t, upgrade\r\n')],
      ['that has close in a second line', get('/', 'Connection: keep-alive\r\nConnection: close\r\n')],
    ];
    for (const [name, bytes] of last) {
      it(`${name} is the last one: the answer says close, what is behind it is discarded`, async () => {
        const { text, events } = await untilEnd(bytes + get('/behind') + get('/further'), (c, request) =>
          c.send(request.path()),
        );
        expect(text).to.equal(ok('/', 'close'));
        expect(events.filter((event) => event !== '(close)')).to.deep.equal([
          bytes.startsWith('POST') ? 'POST /' : 'GET /',
        ]);
      });
    }

    const goesOn: [string, string][] = [
      ['of HTTP/1.1', get()],
      ['of HTTP/1.0 that says keep-alive', get('/', 'Connection: Keep-Alive\r\n', '1.0')],
      ['that says keep-alive', get('/', 'Connection: keep-alive\r\n')],
      ['that says closed', get('/', 'Connection: closed, x-close\r\n')],
      ['of HTTP/1.2', get('/', '', '1.2')],
    ];
    for (const [name, bytes] of goesOn) {
      it(`${name} is not the last one`, async () => {
        expect(await lasts(bytes)).to.equal(ok('/'));
      });
    }
  });

  describe('the answer to the last request is complete', () => {
    const answers: [string, Handler, RegExp][] = [
      ['with a text', (c) => c.send('text'), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*text$/],
      ['with bytes', (c) => c.send(Buffer.from('text')), /Connection: close\r\n[^]*text$/],
      ['with a Response', (c) => c.send(new Response(404, {}, 'none')), /Connection: close\r\n\r\nnone$/],
      [
        'with a Response that has headers',
        (c) => c.send(new Response(200, { A: 'b' }, 'x')),
        /A: b\r\nConnection: close\r\n[^]*x$/,
      ],
      [
        'with a status without a body',
        (c) => c.send(new Response(204)),
        /204 No Content\r\n[^]*Connection: close\r\n\r\n$/,
      ],
      ['with a text later', (c) => void setImmediate(() => c.send('late')), /Connection: close\r\n[^]*late$/],
      [
        'with a text after a promise',
        async (c) => {
          await new Promise((resolve) => setImmediate(resolve));
          c.send('late');
        },
        /Connection: close\r\n[^]*late$/,
      ],
      ['with a text of many bytes', (c) => c.send('x'.repeat(1 << 21)), /Connection: close\r\n[^]*x$/],
      [
        'with the last chunk',
        (c) => {
          c.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a'));
          c.send(new Chunk('b'));
          c.send(new Chunk(''));
          expect(c.send('too late')).to.equal(false);
        },
        /Connection: close\r\n[^]*\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/,
      ],
      [
        'with the last byte of a small file',
        (c) => c.send(new Response().withFile(join(folder, 'small.txt'))),
        /Connection: close\r\n[^]*small$/,
      ],
      [
        'with the head of an empty file',
        (c) => c.send(new Response().withFile(join(folder, 'empty.txt'))),
        /Length: 0\r\n[^]*Connection: close\r\n/,
      ],
      [
        'with a 404 for a file',
        (c) => c.send(new Response().withFile(join(folder, 'none'))),
        /^HTTP\/1\.1 404 [^]*Connection: close\r\n/,
      ],
      ['with what close() sends', (c) => c.close('bye'), /Connection: close\r\n[^]*bye$/],
      ['with what end() sends', (c) => c.end('bye'), /Connection: close\r\n[^]*bye$/],
      [
        'behind an interim answer',
        (c) => {
          c.send(new Response(103, { Link: '</a>' }));
          c.send('real');
        },
        /^HTTP\/1\.1 103 [^]*\r\n\r\nHTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*real$/,
      ],
    ];
    for (const [name, handler, pattern] of answers) {
      it(name, async () => {
        const { text, events } = await untilEnd(get('/', CLOSE) + get('/behind'), handler);
        expect(text).to.match(pattern);
        expect(events.filter((event) => event.includes('behind'))).to.deep.equal([]);
      });
    }

    it('with the last byte of a big file, which arrives whole', async () => {
      for (const send of ['send', 'close', 'end'] as const) {
        const { text } = await untilEnd(get('/', CLOSE), (c) =>
          c[send](new Response().withFile(join(folder, 'big.bin'))),
        );
        expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nContent-Length: 5242880\r\n/);
        expect(text.length - text.indexOf('\r\n\r\n') - 4).to.equal(5 << 20);
      }
    });

    it('with the last chunk over HTTP/1.0, without sizes', async () => {
      const { text } = await untilEnd(get('/', 'Connection: keep-alive\r\n', '1.0'), (c) => {
        c.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a'));
        c.send(new Chunk('b'));
        c.send(new Chunk(''));
      });
      expect(text).to.equal('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html;charset=utf-8\r\n\r\nab');
    });

    it('never by itself for a stream of events', async () => {
      const { peer, connection } = await serve((c) => {
        c.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
        c.send(new ServerSentEvents({ data: '1' }));
      });
      await peer.write(get('/', CLOSE));
      await peer.gets(/1\n\n$/);
      await settle();
      expect(connection.send(new ServerSentEvents({ data: '2' }))).to.equal(true);
      await peer.gets(/2\n\n$/);
      expect(peer.ended).to.equal(false);
      connection.close();
      await until(() => peer.ended);
      expect(peer.text).to.match(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\nConnection: close\r\n\r\n/);
    });

    it('never for raw bytes', async () => {
      const { peer, connection } = await serve((c) => c.send('HTTP/1.1 200 OK\r\n\r\nraw', true));
      await peer.write(get('/', CLOSE));
      await peer.gets(/raw$/);
      await settle();
      expect(peer.ended).to.equal(false);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
    });
  });

  describe('a Connection header of the application', () => {
    it('wins over ours, but does not save the connection', async () => {
      const { text } = await untilEnd(get('/', CLOSE), (c) =>
        c.send(new Response(200, { Connection: 'keep-alive' }, 'x')),
      );
      expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nConnection: keep-alive\r\n/);
      expect(text).to.not.contain('close');
    });

    it('that says close ends the connection behind a Response', async () => {
      const { text, events } = await untilEnd(get('/one') + get('/two'), (c) =>
        c.send(new Response(200, { connection: 'x, Close' }, 'x')),
      );
      expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nconnection: x, Close\r\n[^]*x$/);
      expect(events[0]).to.equal('GET /one');
      expect(events).to.not.include('GET /two');
    });

    it('that says close ends the connection behind the last chunk, and discards requests meanwhile', async () => {
      const { text, events } = await untilEnd(get('/one') + get('/two'), (c, request) => {
        if (request.path() !== '/one') return c.send('never');
        c.send(new Response(200, { Connection: 'close', 'Transfer-Encoding': 'chunked' }));
        setImmediate(() => {
          c.send(new Chunk('b'));
          setImmediate(() => c.send(new Chunk('')));
        });
      });
      expect(text).to.match(/\r\n\r\n1\r\nb\r\n0\r\n\r\n$/);
      expect(events).to.not.include('GET /two');
    });

    it('that says close ends the connection although another request is waiting for its answer', async () => {
      const { text } = await untilEnd(get('/one') + get('/two'), (c, request) => {
        if (request.path() === '/two') c.send(new Response(200, { Connection: 'close' }, 'x'));
      });
      expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*x$/);
    });

    it('is looked at in connection.headers too', async () => {
      const { text } = await untilEnd(get(), (c) => {
        c.headers = { Connection: 'close' };
        c.send('x');
      });
      expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*x$/);
    });

    it('wins in close() and end()', async () => {
      for (const act of ['close', 'end'] as const) {
        const { text } = await untilEnd(get(), (c) => c[act](new Response(200, { Connection: 'x' }, 'y')));
        expect(text).to.match(/^HTTP\/1\.1 200 OK\r\nConnection: x\r\n[^]*y$/);
        expect(text).to.not.contain('keep-alive').and.not.contain('close');
      }
    });
  });

  it('says close in what close() and end() send, also to a client that would stay', async () => {
    for (const act of ['close', 'end'] as const) {
      const { text } = await untilEnd(get(), (c) => c[act]('bye'));
      expect(text).to.equal(ok('bye', 'close'));
    }
  });

  it('says close behind a full send queue too', async () => {
    const { peer, connection } = await serve((c) => {
      c.maxSendBufferSize = Infinity;
      fill(c);
      c.close('bye');
    });
    peer.socket.pause();
    await peer.write(get());
    await until(() => connection.getStatus() === TcpConnection.STATUS_CLOSING);
    peer.socket.resume();
    await until(() => peer.ended);
    expect(peer.text.slice(-ok('bye', 'close').length)).to.equal(ok('bye', 'close'));
  });

  it('ends with the answer while the process drains', async () => {
    TcpConnection._draining = true;
    try {
      const { text } = await untilEnd(get() + get('/behind'), (c, request) => c.send(request.path()));
      expect(text).to.equal(ok('/', 'close'));
    } finally {
      TcpConnection._draining = false;
    }
  });
});
