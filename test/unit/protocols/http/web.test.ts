import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import type { Worker } from '../../../../lib/Worker.js';
import { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { isWebResponse } from '../../../../protocols/http/web.js';
import { catchReports, closeAll, settle, until } from '../../connection/peers.js';
import { client, make, withWorkers } from '../../lib/madeWorkers.js';
import { get, ok, serve } from '../httpPeer.js';

const Web = globalThis.Response;

describe('request.toWeb()', () => {
  const reports = catchReports();
  withWorkers();
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  const web = (text: string | Buffer): globalThis.Request => new Request(text).toWeb();

  it('has method, URL and headers, repeated ones too', () => {
    const request = web('PUT /a/b?c=d#e HTTP/1.1\r\nHost: example.com:81\r\nX-A: 1\r\nx-a:  2 \r\nCookie: a=1\r\nCookie: b=2\r\n\r\n');
    expect(request).to.be.instanceOf(globalThis.Request);
    expect([request.method, request.url]).to.deep.equal(['PUT', 'http://example.com:81/a/b?c=d']);
    expect([...request.headers]).to.deep.equal([['cookie', 'a=1; b=2'], ['host', 'example.com:81'], ['x-a', '1, 2']]);
    expect(request.body).to.equal(null);
    expect(request.signal.aborted).to.equal(false);
  });

  it('has the body as it came, for every method that may have one', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const head = Buffer.from(`${method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n`);
      expect(Buffer.from(await web(Buffer.concat([head, bytes])).arrayBuffer())).to.deep.equal(bytes);
    }
    expect(await web('GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd').text()).to.equal('');
  });

  it('parses forms and JSON as the standard does', async () => {
    const post = (type: string, body: string): globalThis.Request =>
      web(`POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(await post('application/json', '{"a":[1]}').json()).to.deep.equal({ a: [1] });
    expect((await post('application/x-www-form-urlencoded', 'a=1&b=2').formData()).get('b')).to.equal('2');
  });

  it('does not take a host for another part of the URL', () => {
    const hosts = {
      'user@h': 'localhost', 'h?x': 'localhost', 'h#x': 'localhost', 'h\\x': 'localhost', '"h"': '"h"', 'a,b': 'a,b', '*': '*',
      'h%2fx': 'localhost', '[::1]:80': '[::1]', '[x]': 'localhost', '999.1.1.1': 'localhost', 'EXAMPLE.org': 'example.org',
    };
    for (const [host, wanted] of Object.entries(hosts)) {
      expect(web(`GET //x/y?z HTTP/1.1\r\nHost: ${host}\r\n\r\n`).url, host).to.equal(`http://${wanted}//x/y?z`);
    }
    expect(web('GET / HTTP/1.0\r\n\r\n').url).to.equal('http://localhost/');
  });

  it('can be made of whatever the parser lets through', async () => {
    const host = fc.string({ unit: 'binary', minLength: 1 }).map((s) => s.replace(/[\s:/[\]\p{Cc}]/gu, 'x') || 'x');
    const target = fc.string({ unit: 'binary' }).map((s) => `/${s.replace(/[\s\p{Cc}]/gu, 'x')}`);
    // eslint-disable-next-line no-control-regex -- what a field value may not have
    const value = fc.uint8Array().map((b) => Buffer.from(b).toString('latin1').replace(/[\x00-\x08\x0a-\x1f\x7f]/g, 'x'));
    const requests: globalThis.Request[] = [];
    const { peer } = await serve((connection, request) => {
      requests.push(request.toWeb());
      connection.send('ok');
    });
    await fc.assert(fc.asyncProperty(host, target, value, async (h, t, v) => {
      const before = requests.length;
      await peer.write(Buffer.concat([Buffer.from(`GET ${t} HTTP/1.1\r\nHost: ${h}\r\nX-V: `), Buffer.from(v, 'latin1'), Buffer.from('\r\n\r\n')]));
      await until(() => requests.length > before || peer.ended);
      expect(peer.ended).to.equal(false);
      expect(requests.at(-1)!.headers.get('x-v')).to.equal(v.replace(/^[\t ]+|[\t ]+$/g, ''));
      expect(new URL(requests.at(-1)!.url).pathname[0]).to.equal('/');
    }), { numRuns: 150 });
    await closeAll();
  });

  describe('over a connection', () => {
    async function listen(handler: (connection: TcpConnection, request: Request) => unknown): Promise<Worker> {
      const worker = make('http://127.0.0.1:0');
      worker.streamBodies = true;
      worker.onMessage = handler;
      await worker.listen();
      return worker;
    }

    it('streams its body, and its bytes are asked for only when they are read', async () => {
      const sizes: number[] = [];
      const worker = await listen(async (connection, request) => {
        const reader = request.toWeb().body!.getReader();
        await settle();
        sizes.push(connection.bytesRead);
        let length = 0;
        for (let next = await reader.read(); !next.done; next = await reader.read()) length += next.value.length;
        connection.send(String(length));
      });
      const peer = await client(worker);
      await peer.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n');
      void peer.write(Buffer.alloc(8_000_000));
      expect(await peer.gets(/8000000/)).to.equal(ok('8000000'));
      expect(sizes[0]).to.be.below(400_000);
    });

    it('says by its signal that the client is gone, but not when all was answered', async () => {
      const signals: AbortSignal[] = [];
      const worker = await listen((connection, request) => {
        signals.push(request.toWeb().signal);
        if (request.path() === '/answered') connection.send('ok');
      });
      const peer = await client(worker);
      await peer.write(get('/answered'));
      await peer.gets(/ok$/);
      await peer.write(get('/pending'));
      await until(() => signals.length === 2);
      peer.socket.destroy();
      await until(() => signals[1]!.aborted);
      expect(signals[1]!.reason).to.include({ code: 'WM_CLIENT_GONE' });
      expect(signals[0]!.aborted).to.equal(false);
    });

    it('says so at once when it is made too late, and while a stream is sent', async () => {
      const signals: AbortSignal[] = [];
      let late: Request | null = null;
      const worker = await listen((connection, request) => {
        late = request;
        signals.push(request.toWeb().signal);
        connection.send(new Response(200, {}, (async function* () { yield 'x'; await new Promise(() => {}); })()));
      });
      const peer = await client(worker);
      await peer.write(get());
      await peer.gets(/x\r\n$/);
      peer.socket.destroy();
      await until(() => signals[0]!.aborted);
      expect(late!.toWeb().signal.aborted).to.equal(true);
    });

    it('makes no fault of the handler of what the client has aborted', async () => {
      let begun = false;
      const worker = await listen(async (_connection, request) => {
        const { signal } = request.toWeb();
        begun = true;
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      });
      const peer = await client(worker);
      await peer.write(get());
      await until(() => begun);
      peer.socket.destroy();
      await until(() => worker.connections.size === 0);
      await settle();
    });
  });
});

describe('a standard Response', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  async function answer(response: () => unknown, request = get()): Promise<string> {
    const { peer } = await serve((connection, r) => connection.send(r.path() === '/end' ? 'end' : response()));
    await peer.write(request + get('/end', 'Connection: close\r\n'));
    await until(() => peer.ended || peer.closed);
    expect(peer.text.endsWith(ok('end', 'close'))).to.equal(true);
    return peer.text.slice(0, -ok('end', 'close').length);
  }

  const KEEP = 'Connection: keep-alive\r\n';

  it('is sent with its length when it is finished, and nothing is added to it', async () => {
    expect(await answer(() => new Web('hi', { status: 201, statusText: 'Yes', headers: { 'X-A': 'b' } })))
      .to.equal(`HTTP/1.1 201 Yes\r\ncontent-type: text/plain;charset=UTF-8\r\nx-a: b\r\n${KEEP}Content-Length: 2\r\n\r\nhi`);
    expect(await answer(() => new Web(Buffer.from([1, 2])))).to.equal(`HTTP/1.1 200 OK\r\n${KEEP}Content-Length: 2\r\n\r\n\x01\x02`);
    expect(await answer(() => new Web(null))).to.equal(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${KEEP}\r\n`);
    expect(await answer(() => new Web(''))).to.include('Content-Length: 0\r\n');
    expect(await answer(() => Web.json({ a: 1 }))).to.match(/content-type: application\/json\r\n[^]*Content-Length: 7\r\n\r\n{"a":1}$/);
    expect(await answer(() => Web.redirect('http://h/x', 303))).to.match(/^HTTP\/1.1 303 See Other\r\nlocation: http:\/\/h\/x\r\n/);
  });

  it('has a line for each cookie', async () => {
    const headers = new Headers([['Set-Cookie', 'a=1; Expires=Mon, 01 Jan 2024'], ['Set-Cookie', 'b=2'], ['X', '1'], ['X', '2']]);
    expect(await answer(() => new Web(null, { headers }))).to.include(
      'set-cookie: a=1; Expires=Mon, 01 Jan 2024\r\nset-cookie: b=2\r\nx: 1, 2\r\n',
    );
  });

  it('gives the bytes of a header back that a request has brought', async () => {
    const { peer } = await serve((c, request) => c.send(new Web(null, { headers: { 'x-v': request.toWeb().headers.get('x-v')! } })));
    await peer.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: h\r\nX-V: ä 漢\r\n\r\n'), Buffer.from('GET / HTTP/1.1\r\nHost: h\r\nX-V: \xe9\r\n\r\n', 'latin1')]));
    const text = Buffer.from(await peer.gets(/x-v[^]*x-v[^]*\r\n\r\n/), 'latin1').toString();
    expect([...text.matchAll(/x-v: (.*)\r/g)].map((match) => match[1])).to.deep.equal(['ä 漢', 'é']);
  });

  it('is chunked when more comes later, its head first', async () => {
    const steps: (() => void)[] = [];
    const { peer } = await serve((c) => c.send(new Web(new ReadableStream({
      async pull(controller) {
        await new Promise<void>((resolve) => steps.push(resolve));
        controller.enqueue(Buffer.from('piece'));
      },
    }))));
    await peer.write(get());
    await peer.gets(/Transfer-Encoding: chunked\r\n\r\n$/);
    steps[0]!();
    await peer.gets(/\r\n\r\n5\r\npiece\r\n$/);
  });

  it('is chunked when it is long, and never held in memory', async () => {
    let made = 0;
    const { peer, connection } = await serve((c) => c.send(new Web(new ReadableStream({
      pull(controller) {
        if (++made > 1000) controller.close();
        else controller.enqueue(Buffer.alloc(10_000));
      },
    }))));
    peer.socket.pause();
    await peer.write(get());
    let before = -1;
    while (made !== before) {
      before = made;
      await settle();
    }
    expect(connection.getSendBufferQueueSize()).to.be.below(200_000);
    peer.socket.resume();
    await peer.gets(/0\r\n\r\n$/);
    expect(made).to.equal(1001);
  });

  it('keeps its own Content-Length, and no other framing', async () => {
    const headers = { 'content-length': '2', 'transfer-encoding': 'chunked' };
    expect(await answer(() => new Web('hi', { headers }))).to.match(new RegExp(`\\r\\n${KEEP}Content-Length: 2\\r\\n\\r\\nhi$`));
    expect(await answer(() => new Web(null, { headers }))).to.equal(`HTTP/1.1 200 OK\r\n${KEEP}Content-Length: 0\r\n\r\n`);
  });

  it('has no body in answer to HEAD, and with status 204 and 304', async () => {
    expect(await answer(() => new Web('hi'), get('/', '', '1.1', 'HEAD'))).to.match(/\r\n\r\n$/).and.not.include('hi');
    expect(await answer(() => new Web(null, { status: 204 }))).to.equal(`HTTP/1.1 204 No Content\r\n${KEEP}\r\n`);
    expect(await answer(() => new Web(null, { status: 304 }))).to.equal(`HTTP/1.1 304 Not Modified\r\n${KEEP}\r\n`);
  });

  it('ends with the connection over HTTP/1.0', async () => {
    const { peer } = await serve((c) => c.send(new Web('hi')));
    await peer.write(get('/', '', '1.0'));
    await until(() => peer.ended);
    expect(peer.text).to.match(/Connection: close\r\n\r\nhi$/);
  });

  it('carries the headers of the connection', async () => {
    const { peer } = await serve((c) => {
      c.headers['Set-Cookie'] = ['s=1'];
      c.send(new Web('hi', { headers: { 'set-cookie': 'a=1' } }));
    });
    await peer.write(get());
    expect(await peer.gets(/hi$/)).to.include('set-cookie: a=1\r\nset-cookie: s=1\r\n');
  });

  it('may be an error', async () => {
    expect(await answer(() => Web.error())).to.match(/^HTTP\/1.1 500 Internal Server Error\r\n/);
  });

  it('may be the answer of another server, passed on', async () => {
    const upstream = createServer((_request, response) => {
      response.writeHead(202, { 'Set-Cookie': ['a=1', 'b=2'], 'X-Up': 'yes' });
      for (let i = 0; i < 100; i++) response.write('from above '.repeat(1000));
      response.end();
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    const { peer } = await serve(async (c) => c.send(await fetch(`http://127.0.0.1:${port}/`)));
    await peer.write(get());
    const text = await peer.gets(/0\r\n\r\n$/);
    expect(text).to.match(/^HTTP\/1.1 202 Accepted\r\n[^]*set-cookie: a=1\r\nset-cookie: b=2\r\n[^]*x-up: yes\r\n/);
    expect(peer.length).to.be.above(1_100_000);
    upstream.close();
    upstream.closeAllConnections();
  });

  it('may come from a package that brings its own', async () => {
    class Other {
      status = 202;
      statusText = 'Fine\r\nX: y';
      headers = new Map([['x-a', 'b']]);
      bodyUsed = false;
      body = (async function* () { yield Buffer.from('other'); })();
      async arrayBuffer(): Promise<void> {}
    }
    expect(isWebResponse(new Other())).to.equal(true);
    expect(await answer(() => new Other())).to.equal(`HTTP/1.1 202 FineX: y\r\nx-a: b\r\n${KEEP}Content-Length: 5\r\n\r\nother`);
    for (const other of [null, 'x', {}, { status: 200 }, new Response(), Buffer.from('')]) expect(isWebResponse(other)).to.equal(false);
  });

  it('can not be sent when it has been read', async () => {
    const errors: unknown[] = [];
    const { peer } = await serve(async (connection) => {
      const response = new Web('hi');
      await response.text();
      connection.send(response);
    }, (c) => (c.errorHandler = (error) => errors.push(error)));
    await peer.write(get());
    await until(() => errors.length === 1);
    expect(errors[0]).to.include({ code: 'WM_BAD_DATA' });
  });
});
