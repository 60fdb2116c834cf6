import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { until } from '../unit/connection/peers.js';

/** For what the examples put into the folder for temporary files. */
let temporary = '';

/** Starts one of the examples on a port of its own. */
async function start(name: string, dependencies: string[] = []): Promise<{ url: string; port: number; example: Example }> {
  const example = await startExample(`${name}.ts`, { replacePorts: [8080], env: { TMPDIR: temporary }, dependencies });
  const port = example.port(8080);
  return { url: `http://127.0.0.1:${port}`, port, example };
}

/** What a client gets which sends just this. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let closed = false;
  socket.on('data', (data) => (text += data.toString())).on('error', () => {}).on('close', () => (closed = true));
  socket.write(request);
  await until(() => closed);
  return text;
}

describe('the examples that answer HTTP', function () {
  this.timeout(150_000);
  before(() => (temporary = mkdtempSync(join(tmpdir(), 'examples-'))));
  afterEach(cleanUpExamples);
  after(() => rmSync(temporary, { recursive: true }));

  it('hono: a fetch-style application behind three lines', async () => {
    const { url, example } = await start('hono', ['hono']);
    const home = await fetch(`${url}/`);
    expect([home.status, await home.text(), home.headers.get('content-length')]).to.deep.equal([200, 'Hello from Hono', '15']);
    expect(await (await fetch(`${url}/users/7?page=2`)).json()).to.deep.equal({ id: '7', page: '2' });
    const body = Buffer.alloc(300_000, 'abc\0\xff', 'latin1');
    const echoed = await fetch(`${url}/echo`, { method: 'POST', body });
    expect(Buffer.from(await echoed.arrayBuffer()).equals(body)).to.equal(true);
    const streamed = await fetch(`${url}/stream`);
    expect([await streamed.text(), streamed.headers.get('transfer-encoding')]).to.deep.equal(['line 1\nline 2\nline 3\n', 'chunked']);
    expect((await fetch(`${url}/nothing`)).status).to.equal(404);
    expect((await fetch(`${url}/`, { method: 'HEAD' })).status).to.equal(200);
    await example.stop();
  });

  it('static: the files of a folder, and nothing else', async () => {
    const { url, port, example } = await start('static');
    mkdirSync(join(example.folder, 'site'));
    writeFileSync(join(example.folder, 'site', 'index.html'), '<h1>home</h1>');
    writeFileSync(join(example.folder, '.env'), 'SECRET=1');
    symlinkSync('/etc/passwd', join(example.folder, 'passwd'));
    expect(await (await fetch(`${url}/site/`)).text()).to.equal('<h1>home</h1>');
    const source = await fetch(`${url}/static.ts`, { headers: { Range: 'bytes=0-1' } });
    expect([source.status, await source.text()]).to.deep.equal([206, '//']);
    for (const target of ['/.env', '/%2eenv', '/passwd', '/../../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/site/..%5c..%5cetc', '/nothing', '/']) {
      const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      expect(answer, target).to.match(/^HTTP\/1.1 404 Not Found\r\n/).and.not.match(/SECRET|root:/);
    }
    expect((await fetch(`${url}/site/`, { method: 'POST', body: 'x' })).status).to.equal(405);
    await example.stop();
  });

  it('upload: more than maxPackageSize, and a worker that survives clients that leave', async () => {
    const { url, port, example } = await start('upload');
    const size = 25 << 20;
    const answer = await (await fetch(`${url}/`, { method: 'PUT', body: Buffer.alloc(size, 'z') })).text();
    const [, bytes, file] = /^(\d+) bytes in (.+)\n$/.exec(answer) ?? [];
    expect(Number(bytes)).to.equal(size);
    expect(readFileSync(file!).equals(Buffer.alloc(size, 'z'))).to.equal(true);
    const [worker] = example.script.workers();
    for (let i = 0; i < 5; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc', () => resolve()));
      socket.destroy();
    }
    expect(await (await fetch(`${url}/`, { method: 'PUT', body: 'abc' })).text()).to.match(/^3 bytes/);
    expect(example.script.workers()).to.deep.equal([worker]);
    await example.stop();
  });

  it('sse-page: a page, and the time of day for it', async () => {
    const { url, example } = await start('sse-page');
    expect(await (await fetch(`${url}/`)).text()).to.match(/new EventSource\('\/clock'\)/);
    const clock = await fetch(`${url}/clock`);
    expect(clock.headers.get('content-type')).to.equal('text/event-stream');
    const reader = clock.body!.getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value!).toString()).to.match(/^event: tick\ndata: \d\d:\d\d:\d\d\n\n$/);
    await reader.cancel();
    expect((await fetch(`${url}/nothing`)).status).to.equal(404);
    await example.stop();
  });
});
