import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../../protocols/http/ServerSentEvents.js';
import { Session } from '../../../../protocols/http/Session.js';
import type { StreamBody } from '../../../../protocols/http/streamBody.js';
import { catchReports, closeAll, type Peer, settle, until } from '../../connection/peers.js';
import { get, ok, serve } from '../httpPeer.js';

const CHUNKED = 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\n'
  + 'Transfer-Encoding: chunked\r\n\r\n';

async function* generate(...pieces: unknown[]): AsyncGenerator<unknown> {
  for (const piece of pieces) yield piece;
}

/** An endless stream that notes what happens to it. */
function endless(kind: string, size = 1000): { stream: StreamBody; seen: { made: number; told: number } } {
  const seen = { made: 0, told: 0 };
  const make = (): Buffer => Buffer.alloc(size, String(seen.made++ % 10));
  const told = (): void => void seen.told++;
  switch (kind) {
    case 'Readable': {
      const stream = new Readable({ read() { this.push(make()); }, destroy(error, done) { told(); done(error); } });
      return { stream, seen };
    }
    case 'ReadableStream':
      return { stream: new ReadableStream({ pull: (c) => c.enqueue(make()), cancel: told }, { highWaterMark: 0 }), seen };
    default: {
      const iterator = {
        next: () => Promise.resolve({ value: make(), done: false as const }),
        return: () => Promise.resolve({ value: undefined, done: true as const, told: told() }),
      };
      return { stream: { [Symbol.asyncIterator]: () => iterator }, seen };
    }
  }
}

const KINDS = ['async iterable', 'Readable', 'ReadableStream'];

describe('an answer from a stream', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  /** All that a client gets which asks once, on HTTP/1.0 terms with `version`. */
  async function answer(response: () => Response, request = get()): Promise<string> {
    const { peer } = await serve((connection) => connection.send(response()));
    await peer.write(request + get('/', 'Connection: close\r\n'));
    await until(() => peer.ended || peer.closed);
    return peer.text;
  }

  it('is chunked, one chunk for each piece: text, bytes, numbers, and what has a text of its own', async () => {
    const { peer, events } = await serve((connection) => {
      const event = new ServerSentEvents({ data: 'x' });
      connection.send(new Response(200, {}, generate('ä', Buffer.from('bytes'), 12, event, new Chunk('c'))));
    });
    await peer.write(get());
    const text = await peer.gets(/\r\n0\r\n\r\n$/);
    expect(text).to.equal(`${CHUNKED}2\r\n\xc3\xa4\r\n5\r\nbytes\r\n2\r\n12\r\n9\r\ndata: x\n\n\r\n1\r\nc\r\n0\r\n\r\n`);
    expect(events).to.deep.equal(['GET /']);
  });

  it('leaves empty pieces out, and an empty stream is an empty body', async () => {
    const { peer } = await serve((connection, request) => {
      connection.send(new Response(200, {}, request.path() === '/' ? generate('', 'a', Buffer.alloc(0), null, 'b') : generate()));
    });
    await peer.write(get() + get('/empty'));
    expect(await peer.gets(/0\r\n\r\n[^]*0\r\n\r\n$/)).to.equal(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n${CHUNKED}0\r\n\r\n`);
  });

  it('comes of a Readable and of a web stream alike', async () => {
    const { peer } = await serve((connection, request) => {
      const pieces = ['one', 'two'];
      const stream = request.path() === '/node' ? Readable.from(pieces) : new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(Buffer.from(piece));
          controller.close();
        },
      });
      connection.send(new Response().withBody(stream));
    });
    await peer.write(get('/node') + get('/web'));
    const one = `${CHUNKED}3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n`;
    expect(await peer.gets(2 * one.length)).to.equal(one + one);
  });

  it('is not chunked over HTTP/1.0, where the end of the connection ends it', async () => {
    const { peer } = await serve((connection) => connection.send(new Response(200, { Connection: 'keep-alive' }, generate('a', 'b'))));
    await peer.write(get('/', 'Connection: keep-alive\r\n', '1.0'));
    await until(() => peer.ended);
    expect(peer.text).to.equal('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html;charset=utf-8\r\n\r\nab');
  });

  it('lets what is sent behind it follow, where the connection goes on', async () => {
    const sent: unknown[] = [];
    const { peer } = await serve((connection) => {
      sent.push(connection.send(new Response(200, {}, generate('a', 'b'))), connection.send('second'));
    });
    await peer.write(get('/'));
    await peer.gets(/second$/);
    expect(peer.text).to.match(/\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nsecond$/);
    expect(sent[1]).to.equal(null);
  });

  for (const [what, request] of [['over HTTP/1.0', get('/', '', '1.0')], ['when it is the last', get('/', 'Connection: close\r\n')]] as const) {
    it(`takes nothing in that is sent behind it ${what}`, async () => {
      const sent: unknown[] = [];
      const third = endless('async iterable');
      const { peer } = await serve((connection) => {
        sent.push(connection.send(new Response(200, {}, generate('a', 'b'))), connection.send('second'));
        sent.push(connection.send(new Response(200, {}, third.stream)));
      });
      await peer.write(request);
      await until(() => peer.ended);
      expect(peer.text).to.not.contain('second');
      expect(third.seen).to.deep.equal({ made: 0, told: 1 });
      expect(peer.text).to.match(/\r\n\r\n(1\r\na\r\n1\r\nb\r\n0\r\n\r\n|ab)$/);
      expect(sent.slice(1)).to.deep.equal([false, false]);
    });
  }

  it('keeps headers of the application in their order, and a coding of its own is not said twice', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'X-A': ['1', '2'], 'content-type': 'text/plain' };
    const text = await answer(() => new Response(201, headers, generate('a')).cookie('c', 'd'));
    expect(text.slice(0, text.indexOf('\r\n\r\n'))).to.equal(
      'HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\ncontent-type: text/plain\r\nSet-Cookie: c=d\r\n'
      + 'Connection: keep-alive\r\nTransfer-Encoding: chunked',
    );
  });

  it('says and keeps that it is the last of its connection', async () => {
    const { peer, events } = await serve((connection, request) => {
      connection.send(new Response(200, request.path() === '/said' ? { Connection: 'close' } : {}, generate('a')));
    });
    await peer.write(get() + get('/said') + get('/never'));
    await until(() => peer.ended);
    expect(events.slice(0, 2)).to.deep.equal(['GET /', 'GET /said']);
    expect(peer.text).to.match(/Connection: close\r\n[^]*1\r\na\r\n0\r\n\r\n$/);
  });

  it('shows its head as text, and does not touch the stream', () => {
    const { stream, seen } = endless('async iterable');
    const response = new Response(200, {}, stream);
    expect(String(response)).to.equal(CHUNKED);
    expect(response.rawBody()).to.equal('');
    expect(seen).to.deep.equal({ made: 0, told: 0 });
    expect(String(new Response(200, { 'Content-Length': '3' }, stream))).to.match(/Content-Length: 3\r\n\r\n$/);
  });

  it('can be sent once', async () => {
    const errors: unknown[] = [];
    const response = new Response(200, {}, generate('a'));
    const { peer } = await serve((connection) => connection.send(response), (c) => (c.errorHandler = (e) => errors.push(e)));
    await peer.write(get() + get());
    await until(() => errors.length === 1);
    expect(errors[0]).to.include({ code: 'WM_BAD_DATA' });
    expect(await peer.gets(/0\r\n\r\n$/)).to.equal(`${CHUNKED}1\r\na\r\n0\r\n\r\n`);
  });

  describe('with a Content-Length', () => {
    const withLength = (length: string, ...pieces: string[]) => () =>
      new Response(200, { 'Content-Length': length }, generate(...pieces));

    it('is not chunked, and the connection persists', async () => {
      const one = `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 5\r\n\r\nhello`;
      expect(await answer(withLength('5', 'hel', 'lo'))).to.equal(one + one.replace('keep-alive', 'close'));
    });

    it('cuts the connection when the stream is shorter', async () => {
      const text = await answer(withLength('6', 'hel', 'lo'));
      expect(text).to.match(/Content-Length: 6\r\n\r\nhello$/);
      expect(reports.lines.splice(0).join()).to.include('ended 1 bytes before its Content-Length');
    });

    it('cuts the connection before the piece that is too much', async () => {
      const { stream, seen } = endless('async iterable', 3);
      const text = await answer(() => new Response(200, { 'Content-Length': 5 }, stream));
      expect(text).to.match(/Content-Length: 5\r\n\r\n000$/);
      expect(seen.told).to.equal(1);
      expect(reports.lines.splice(0).join()).to.include('longer than its Content-Length of 5');
    });

    it('is chunked all the same when the length is none', async () => {
      expect(await answer(withLength('x', 'a'))).to.include('Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n');
    });
  });

  for (const kind of KINDS) {
    describe(`from an endless ${kind}`, () => {
      it('makes no more than the client takes', async () => {
        const { stream, seen } = endless(kind, 65_536);
        const { peer, connection } = await serve((c) => c.send(new Response(200, {}, stream)));
        peer.socket.pause();
        await peer.write(get());
        let before = -1;
        while (seen.made !== before) {
          before = seen.made;
          for (let i = 0; i < 5; i++) await settle();
        }
        // What the kernel holds on both sides of the loopback, and one piece on its way.
        expect(seen.made * 65_536).to.be.within(65_536, 16 << 20);
        expect(connection.getSendBufferQueueSize()).to.be.below(2 * 65_536);
        peer.socket.resume();
        await until(() => seen.made > before + 100);
      });

      it('tells it that the client is gone, and leaves no listener behind', async () => {
        const { stream, seen } = endless(kind);
        const { peer, connection } = await serve((c) => c.send(new Response(200, {}, stream)));
        await peer.write(get());
        await peer.gets(5000);
        peer.socket.destroy();
        await until(() => connection.getStatus(false) === 'CLOSED');
        await until(() => seen.told === 1);
        const { made } = seen;
        await settle();
        expect(seen).to.deep.equal({ made, told: 1 });
      });

      for (const [what, request, status] of [['HEAD', get('/', '', '1.1', 'HEAD'), 200], ['status 204', get(), 204]] as const) {
        it(`sends nothing of it in answer to ${what}, and tells it so`, async () => {
          const { stream, seen } = endless(kind);
          const { peer } = await serve((c, r) => {
            c.send(r.path() === '/' ? new Response(status, {}, stream) : 'next');
          });
          await peer.write(request + get('/next'));
          const text = await peer.gets(/next$/);
          expect(text.match(/\r\n\r\n(.*)/)?.[1]).to.equal('HTTP/1.1 200 OK');
          await until(() => seen.told === 1);
          if (kind === 'async iterable') expect(seen.made).to.equal(0);
        });
      }
    });
  }

  it('gives other connections their turn, however fast it is', async () => {
    const { stream, seen } = endless('async iterable', 1);
    const { peer } = await serve((c) => c.send(new Response(200, {}, stream)));
    await peer.write(get());
    const other = await serve((c) => c.send('other'));
    await other.peer.write(get());
    await other.peer.gets(/other$/);
    await until(() => seen.made > 1000);
  });

  describe('that fails', () => {
    async function* failing(): AsyncGenerator<string> {
      yield 'part';
      throw new Error('upstream broke off');
    }

    it('cuts the connection: no client takes the part for the whole', async () => {
      const { peer, connection } = await serve((c) => c.send(new Response(200, {}, failing())));
      await peer.write(get());
      await until(() => peer.closed || peer.ended);
      expect(peer.text).to.equal(`${CHUNKED}4\r\npart\r\n`);
      expect(connection.getStatus(false)).to.equal('CLOSED');
      expect(reports.lines.splice(0).join()).to.include('An answer was cut short: Error: upstream broke off');
    });

    it('tells the errorHandler of the connection', async () => {
      const errors: unknown[] = [];
      const { peer } = await serve((c) => c.send(new Response(200, {}, failing())), (c) => (c.errorHandler = (e) => errors.push(e)));
      await peer.write(get());
      await until(() => errors.length === 1);
      expect(String(errors[0])).to.equal('Error: upstream broke off');
      expect(reports.lines).to.deep.equal([]);
    });

    for (const [what, stream, reason] of [
      ['a file that is not there', () => createReadStream('/no/such/file'), 'ENOENT'],
      ['a piece that nobody can send', () => generate('part', { a: 1 }), 'a plain object'],
      ['an iterator that throws', () => ({ [Symbol.asyncIterator]: () => ({ next: () => { throw new Error('at once'); } }) }), 'at once'],
      ['a web stream that fails', () => new ReadableStream({ pull: () => Promise.reject(new Error('no more')) }), 'no more'],
    ] as const) {
      it(`cuts the connection over ${what}`, async () => {
        const { peer } = await serve((c) => c.send(new Response(200, {}, stream())));
        await peer.write(get());
        await until(() => peer.closed || peer.ended);
        expect(peer.text).to.not.match(/0\r\n\r\n$/);
        expect(reports.lines.splice(0).join()).to.include(reason);
      });
    }

    it('survives a file that is not there, while it waits behind an answer that is not taken', async () => {
      const { peer, connection } = await serve((c) => {
        c.send('x'.repeat(16 << 20));
        c.send(new Response(200, {}, createReadStream('/no/such/file')));
      });
      peer.socket.pause();
      await peer.write(get());
      await until(() => connection.getSendBufferQueueSize() > 0);
      await settle();
      peer.socket.resume();
      await until(() => peer.closed || peer.ended);
      expect(reports.lines.splice(0).join()).to.include('ENOENT');
    });
  });

  describe('among others', () => {
    it('keeps the order of pipelined requests, and hands out the next when it is done', async () => {
      const steps: (() => void)[] = [];
      const { peer, events } = await serve((connection, request) => {
        if (request.path() !== '/stream') return connection.send(request.uri());
        return connection.send(new Response(200, {}, (async function* () {
          yield 'a';
          await new Promise<void>((resolve) => steps.push(resolve));
          yield 'b';
        })()));
      });
      await peer.write(get('/1') + get('/stream') + get('/2'));
      await peer.gets(/a\r\n$/);
      await settle();
      expect(events).to.deep.equal(['GET /1', 'GET /stream']);
      steps[0]!();
      expect(await peer.gets(/\/2$/)).to.equal(`${ok('/1')}${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n${ok('/2')}`);
      expect(events).to.deep.equal(['GET /1', 'GET /stream', 'GET /2']);
    });

    for (const method of ['close', 'end'] as const) {
      it(`is sent whole by ${method}()`, async () => {
        const { peer } = await serve((c) => c[method](new Response(200, {}, generate('a', 'b'))));
        await peer.write(get());
        await until(() => peer.ended);
        expect(peer.text).to.equal(`${CHUNKED.replace('keep-alive', 'close')}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
      });
    }

    it('waits for the session, and carries its cookie', async () => {
      const { handlerClass } = Session;
      const before = handlerClass.call(Session);
      const stored: string[] = [];
      class Memory {
        open = (): boolean => true;
        close = (): boolean => true;
        read = (): string => '';
        write = async (_id: string, data: string): Promise<boolean> => {
          await settle();
          return stored.push(data) > 0;
        };
        destroy = (): boolean => true;
        gc = (): boolean => true;
        updateTimestamp = (): boolean => true;
      }
      Session.handlerClass(Memory as never);
      try {
        const seen: number[] = [];
        const { peer } = await serve(async (connection: TcpConnection, request: Request) => {
          (await request.session()).set('a', 1);
          connection.send(new Response(200, {}, (async function* () {
            seen.push(stored.length);
            yield 'x';
          })()));
        });
        await peer.write(get());
        expect(await peer.gets(/0\r\n\r\n$/)).to.match(/Set-Cookie: PHPSID=[^]*\r\n\r\n1\r\nx\r\n0\r\n\r\n$/);
        expect({ stored, seen }).to.deep.equal({ stored: ['{"a":1}'], seen: [1] });
      } finally {
        Session.handlerClass(before);
      }
    });
  });

  it('gives the bytes of its pieces back, whatever they are', async () => {
    const pieces = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 50 })), { maxLength: 20 });
    await fc.assert(fc.asyncProperty(pieces, async (list) => {
      const { peer } = await serve((c) => c.send(new Response(200, {}, generate(...list))));
      await peer.write(get('/', 'Connection: close\r\n'));
      await until(() => peer.ended);
      expect(joinChunks(peer)).to.deep.equal(Buffer.concat(list.map((piece) => Buffer.from(piece as string))));
      await closeAll();
    }), { numRuns: 40 });
  });
});

/** The body of the only answer. */
function joinChunks(peer: Peer): Buffer {
  const { bytes } = peer;
  const data: Buffer[] = [];
  for (let at = bytes.indexOf('\r\n\r\n') + 4; ;) {
    const end = bytes.indexOf('\r\n', at);
    const size = parseInt(bytes.toString('latin1', at, end), 16);
    if (size === 0) {
      expect(end + 4).to.equal(bytes.length);
      return Buffer.concat(data);
    }
    data.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
}
