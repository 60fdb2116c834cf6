import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Generator } from '../fuzz/generate.js';
import { cutAt } from '../support/feed.js';
import { Load } from '../support/load.js';
import { cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { BigFile, SlowReader } from '../support/slowReaders.js';
import { VisitedPlace, visits } from '../support/visits.js';
import { catchReports, until } from '../unit/connection/peers.js';
import { make, portOf, withWorkers } from '../unit/lib/madeWorkers.js';

/** Answers every request in one of several ways, and says what it costs. */
const script = (port: number, more = ''): string => `
import { Http, Response, Worker } from 'workerman-ts';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const worker = new Worker('http://127.0.0.1:${port}');
let handled = 0;
const answers = [
  (c, r) => c.send(JSON.stringify([r.get(), r.header(), r.cookie()])),
  (c, r) => c.send(new Response(200, { 'X-A': 'b' }, r.rawBody()).cookie('a', 'b')),
  (c, r) => c.send(JSON.stringify(r.post()) + Object.keys(r.file())),
  (c, r) => c.send(new Response(200, {}, (async function* () { yield 'a'; yield r.rawBodyBytes(); })())),
  async (c, r) => { const web = r.toWeb(); c.send(new globalThis.Response(await web.text(), { headers: { 'x-url': encodeURI(web.url) } })); },
  (c, r) => new Promise((resolve) => setImmediate(() => resolve(c.send(r.rawHead())))),
  (c, r) => c.send(new Response().withFile(process.argv[1])),
];
worker.onMessage = async (connection, request) => {
  if (request.path() === '/figures') {
    gc();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return connection.send(JSON.stringify({ rss, heapUsed, arrayBuffers, handled, connections: worker.connections.size }));
  }
  ${more}
  await answers[handled++ % answers.length](connection, request);
};
Worker.runAll();
`;

interface Figures {
  rss: number;
  heapUsed: number;
  arrayBuffers: number;
  handled: number;
  connections: number;
}

const figures = async (port: number): Promise<Figures> =>
  (await fetch(`http://127.0.0.1:${port}/figures`, { headers: { connection: 'close' } })).json() as Promise<Figures>;

const mb = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MB`;

const show = (name: string, { rss, heapUsed, arrayBuffers, handled, connections }: Figures): void =>
  console.log(`      ${name}: rss ${mb(rss)}, heap ${mb(heapUsed)}, buffers ${mb(arrayBuffers)}, ${handled} handled, ${connections} open`);

let lastAddress = 0;

/** Sends an input, cut where it says, then FIN, and reads until the end. */
function ask(port: number, bytes: string, cuts: readonly number[]): Promise<void> {
  return new Promise((resolve) => {
    // Of one address, the kernel would run out of ports that wait to be free again.
    lastAddress = (lastAddress + 1) % 250;
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.1.${lastAddress + 1}` });
    socket.setNoDelay();
    socket.on('error', () => {}).on('close', () => resolve()).resume();
    const pieces = cutAt(Buffer.from(bytes, 'latin1'), cuts.length > 6 ? [] : cuts);
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

describe('HTTP for a long time', function () {
  this.timeout(40 * 60_000);
  afterEach(cleanUpScripts);

  async function start(more?: string): Promise<{ port: number; service: Script }> {
    const port = await freePort();
    const service = startScript({ source: script(port, more) });
    await service.started();
    // The banner is there before the worker process is.
    await waitUntil(() => service.workers().length === 1, () => service.describe());
    return { port, service };
  }

  it('takes a million random and changed requests in one process, with flat memory', async () => {
    const { port, service } = await start();
    const [worker] = service.workers();
    const generator = new Generator(Number(process.env['TEST_SEED'] ?? 1));
    const wanted = Number(process.env['REQUESTS'] ?? 1_000_000);
    const samples: Figures[] = [];
    let requests = 0;
    for (let step = 1; step <= 10; step++) {
      const goal = (wanted * step) / 10;
      const clients = Array.from({ length: 48 }, async () => {
        while (requests < goal) {
          const { bytes, cuts } = generator.next();
          requests += bytes.match(/ HTTP\/1\./g)?.length ?? 1;
          await ask(port, bytes, cuts);
        }
      });
      await Promise.all(clients);
      await waitUntil(async () => (await figures(port)).connections <= 1, () => 'connections stay open', 30_000);
      samples.push(await figures(port));
      show(`${requests} requests`, samples.at(-1)!);
    }
    expect(service.workers(), service.describe()).to.deep.equal([worker]);
    const [, early] = samples;
    const late = samples.at(-1)!;
    expect(late.heapUsed).to.be.below(early!.heapUsed * 1.2 + (5 << 20));
    expect(late.rss).to.be.below(early!.rss * 1.2 + (20 << 20));
    await service.stop();
  });

  it('goes on answering while 2,000 clients are as slow as they can be', async () => {
    const file = new BigFile(50 << 20);
    const { port, service } = await start(`
      Object.assign(Http, { headersTimeout: 20, requestTimeout: 30, sendTimeout: 25 });
      if (request.path() === '/file') return connection.send(new Response().withFile(${JSON.stringify(file.path)}));
      if (request.path() === '/') return connection.send('hello');
    `);
    const load = new Load(port, /^hello$/);
    load.start(20, 5);
    const before = await figures(port);
    show('before', before);
    const sockets: Socket[] = [];
    const drip: (() => void)[] = [];
    for (let i = 0; i < 2000; i++) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      if (i % 5 === 0) {
        const reader = new SlowReader(port, 'GET /file HTTP/1.1\r\nHost: h\r\n\r\n');
        sockets.push(reader.socket);
        socket.destroy();
        continue;
      }
      socket.resume();
      socket.write(i % 2 === 0 ? 'GET / HTTP/1.1\r\nHost: h\r\nX: ' : 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n');
      drip.push(() => void (socket.writable && socket.write('x')));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const dripping = setInterval(() => drip.forEach((one) => one()), 1000);
    await waitUntil(async () => (await figures(port)).connections > 2000, () => 'not all have come', 30_000);
    const during = await figures(port);
    show('with 2,000 slow clients', during);
    const answered = load.result.answers;
    load.mark();
    await waitUntil(async () => (await figures(port)).connections < 60, () => 'slow clients stay', 120_000);
    const gap = load.mark();
    clearInterval(dripping);
    show('after', await figures(port));
    const { answers, failures } = await load.stop();
    console.log(`      ${answers} answers to other clients, ${answers - answered} while the slow ones were there; longest gap ${gap.toFixed(0)} ms`);
    expect(failures).to.deep.equal([]);
    expect(answers - answered).to.be.above(1000);
    expect(during.rss - before.rss).to.be.below(2000 * 256 * 1024);
    for (const socket of sockets) socket.destroy();
    await service.stop();
    file.remove();
  });

  it('gives 1,000 clients that read a file of 50 MB slowly no more than their send buffers', async () => {
    const file = new BigFile(50 << 20);
    const { port, service } = await start(`
      if (request.path() === '/file') return connection.send(new Response().withFile(${JSON.stringify(file.path)}));
    `);
    const before = await figures(port);
    show('before', before);
    const readers = Array.from({ length: 1000 }, () => new SlowReader(port, 'GET /file HTTP/1.1\r\nHost: h\r\n\r\n'));
    await waitUntil(async () => (await figures(port)).connections > 1000, () => 'not all have come', 60_000);
    for (let round = 0; round < 20; round++) {
      for (const reader of readers) reader.take(20_000);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const during = await figures(port);
    show('with 1,000 readers', during);
    expect(during.rss - before.rss).to.be.below(1000 * (1 << 20));
    expect(during.arrayBuffers).to.be.below(1000 * 256 * 1024);
    for (const { socket } of readers) socket.destroy();
    await waitUntil(async () => (await figures(port)).connections <= 1, () => 'connections stay', 60_000);
    show('after', await figures(port));
    const descriptors = `/proc/${service.workers()[0]!}/fd`;
    const isOpen = (): boolean => readdirSync(descriptors).some((fd) => readlinkSync(`${descriptors}/${fd}`) === file.path);
    await waitUntil(() => !isOpen(), () => 'files stay open');
    await service.stop();
    file.remove();
  });

  describe('10,000 visits of clients that leave at any byte', () => {
    const reports = catchReports();
    withWorkers();
    for (const streamBodies of [false, true]) {
      it(`leave nothing behind${streamBodies ? ' with streamed bodies' : ''}`, async () => {
        const place = new VisitedPlace();
        const worker = make('http://127.0.0.1:0');
        place.serveWith(worker, streamBodies);
        await worker.listen();
        const allGone = (): Promise<void> => until(() => worker.connections.size === 0 && place.pending === 0);
        await visits(portOf(worker), 100, 20, 1e6);
        await allGone();
        const before = await place.kept();
        await visits(portOf(worker), 10_000, 40, 1);
        await allGone();
        await until(() => place.holdings().descriptors <= before.descriptors && place.holdings().timers <= before.timers);
        const after = await place.kept();
        console.log(`      before ${JSON.stringify(before)}\n      after  ${JSON.stringify(after)}, ${place.handled} handled`);
        expect({ ...after, descriptors: before.descriptors }).to.deep.equal(before);
        expect(reports.failures).to.deep.equal([]);
        place.close();
      });
    }
  });
});
