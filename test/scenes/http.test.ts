import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cleanUpExamples, startExample, type Example, type ExampleOptions } from '../support/examples.js';
import { installPackage } from '../support/packed.js';
import { waitUntil } from '../support/process.js';
import { until } from '../unit/connection/peers.js';

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

/** Starts an example, and says where it is. */
async function start(path: string, options: ExampleOptions = {}): Promise<{ url: string; port: number; example: Example }> {
  const example = await startExample(path, { replacePorts: [8080], ...options });
  const port = example.port(8080);
  return { url: `http://127.0.0.1:${port}`, port, example };
}

describe('the examples that answer HTTP', function () {
  this.timeout(40_000);
  before(function () {
    this.timeout(150_000);
    installPackage();
  });
  afterEach(cleanUpExamples);

  it('hono: a fetch-style application behind three lines', async () => {
    const { url, example } = await start('hono.ts', { dependencies: ['hono'] });
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

  it('static: the files of a folder with ranges and conditions, and nothing else', async () => {
    const { url, port, example } = await start('static.ts');
    const site = join(example.folder, 'public');
    cpSync(fileURLToPath(new URL('../../examples/public', import.meta.url)), site, { recursive: true });
    const css = readFileSync(join(site, 'style.css'), 'utf8');
    mkdirSync(join(site, 'sub'));
    writeFileSync(join(site, 'sub', 'index.html'), '<h1>sub</h1>');
    writeFileSync(join(site, '.env'), 'SECRET=1');
    symlinkSync('/etc/passwd', join(site, 'passwd'));

    const home = await fetch(`${url}/`);
    expect([home.status, await home.text()]).to.deep.equal([200, readFileSync(join(site, 'index.html'), 'utf8')]);
    expect(await (await fetch(`${url}/sub/`)).text()).to.equal('<h1>sub</h1>');
    const style = await fetch(`${url}/style.css`);
    expect([style.headers.get('content-type'), await style.text()]).to.deep.equal(['text/css', css]);

    const lastModified = style.headers.get('last-modified')!;
    const again = await fetch(`${url}/style.css`, { headers: { 'If-Modified-Since': lastModified } });
    expect([again.status, await again.text()]).to.deep.equal([304, '']);
    const part = await fetch(`${url}/style.css`, { headers: { Range: 'bytes=5-9' } });
    expect([part.status, await part.text()]).to.deep.equal([206, css.slice(5, 10)]);
    expect(part.headers.get('content-range')).to.equal(`bytes 5-9/${css.length}`);
    expect((await fetch(`${url}/style.css`, { headers: { Range: 'bytes=100000-' } })).status).to.equal(416);
    const head = await fetch(`${url}/style.css`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).to.deep.equal([200, String(css.length)]);

    for (const target of [
      '/.env', '/%2eenv', '/passwd', '/../static.ts', '/%2e%2e/static.ts', '/..%2fstatic.ts', '/sub/../../static.ts',
      '/sub/..%5c..%5cstatic.ts', '//etc/passwd', '/../../../../etc/passwd', '/static.ts', '/nothing', '/style.css/',
    ]) {
      const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      expect(answer, target).to.match(/^HTTP\/1.1 404 Not Found\r\n/).and.not.match(/SECRET|root:|Worker/);
    }
    expect((await fetch(`${url}/`, { method: 'POST', body: 'x' })).status).to.equal(405);
    await example.stop();
  });

  it('upload: more than maxPackageSize, and nothing is left of clients that leave', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'workerman-ts-uploads-'));
    try {
      const { url, port, example } = await start('upload.ts', { env: { TMPDIR: temporary } });
      const { script } = example;
      const put = (body: Buffer): Promise<Response> => fetch(`${url}/file`, { method: 'PUT', body });
      const large = Buffer.alloc(25 << 20, 'z');
      const answer = await put(large);
      const folder = /stored in (.+)\n/.exec(script.output)![1]!;
      expect(answer.status).to.equal(201);
      const { size, storedAs } = (await answer.json()) as { size: number; storedAs: string };
      expect(size).to.equal(large.length);
      expect(readFileSync(join(folder, storedAs)).equals(large)).to.equal(true);

      const workers = script.workers();
      for (let i = 0; i < 5; i++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc');
        await waitUntil(
          () => readdirSync(folder).length === 2,
          () => script.describe(),
        );
        socket.destroy();
        await waitUntil(
          () => readdirSync(folder).length === 1,
          () => script.describe(),
        );
      }
      for (const [length, status] of [['Content-Length: 99999999999', 413], ['Transfer-Encoding: chunked', 411]]) {
        expect(await raw(port, `PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${length}\r\n\r\n0\r\n\r\n`))
          .to.match(new RegExp(`^HTTP/1.1 ${status} `));
      }
      expect((await put(Buffer.from('abc'))).status).to.equal(201);
      expect((await fetch(`${url}/nothing`)).status).to.equal(404);
      expect(script.workers()).to.deep.equal(workers);
      await example.stop();
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });

  it('sse-page: a page, and the time of day for it', async () => {
    const { url, example } = await start('sse-page.ts');
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
