import { expect } from 'chai';
import { Client } from '../../bench/load/Client.js';
import { prepare, type Check, type Load } from '../../bench/load/probe.js';
import { cleanUp } from '../../bench/load/processes.js';
import { frame, get, HANDSHAKE } from '../../bench/load/requests.js';
import { cleanUpScripts, freePort, waitUntil } from '../support/process.js';
import { bodyOf, startService, until } from '../support/service.js';
import { trendOf } from '../support/trend.js';

/** What one worker process gets, in as many steps, each with its part of everything. `TRAFFIC=0.1` for a tenth of it. */
const PART = Number(process.env['TRAFFIC'] ?? 1);
const REQUESTS = 10_000_000 * PART;
const MESSAGES = 1_000_000 * PART;
const CONNECTIONS = 200_000 * PART;
const STEPS = 20;
/** Seconds after which a part of a step has to be done. */
const PATIENCE = '120';
/** A rise of this part of the whole is none: pages and tables of a heap come and go in steps. */
const NEGLIGIBLE = 0.02;

interface Figures {
  rss: number;
  heapUsed: number;
  arrayBuffers: number;
  connections: number;
}

const service = (port: number, webSocketPort: number): string => `
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const worker = new Worker('http://127.0.0.1:${port}');
  worker.onWorkerStart = async () => {
    const echo = new Worker('websocket://127.0.0.1:${webSocketPort}');
    echo.onMessage = (connection, data) => connection.send(data);
    await echo.listen();
    worker.echo = echo;
  };
  worker.onMessage = (connection, request) => {
    if (request.path() !== '/figures') return connection.send('hello world');
    gc();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const connections = worker.connections.size + worker.echo.connections.size;
    connection.send(JSON.stringify({ rss, heapUsed, arrayBuffers, connections }));
  };`;

const hello: Check = (answer) => answer.toString('latin1').endsWith('\r\n\r\nhello world');
const echoed: Check = (answer) => answer.toString('latin1').endsWith('y'.repeat(32));

const pipelined: Load = { mode: 'ask', connections: 64, depth: 16, request: get('/') };
const oneShot: Load = { mode: 'once', connections: 64, request: get('/', 'Connection: close\r\n') };
const messages: Load = {
  mode: 'greeted', connections: 64, depth: 8, greeting: HANDSHAKE, request: frame('y'.repeat(32)),
};

/** Lets the client work until it has so many answers; tells how many it has got. */
async function drive(load: Load, port: number, check: Check, answers: number): Promise<number> {
  const client = await Client.start(await prepare(load, port, PATIENCE, check), answers);
  try {
    return (await client.count()).answers;
  } finally {
    await client.leave();
  }
}

/** The memory of the worker process once all clients are gone. */
async function memory(port: number): Promise<Figures> {
  const figures = async (): Promise<Figures> => JSON.parse(await bodyOf(port, '/figures')) as Figures;
  await waitUntil(async () => (await figures()).connections === 1, () => 'connections stay open', 30_000);
  return figures();
}

describe('hours of traffic in fast motion', function () {
  this.timeout(20 * 60_000);
  afterEach(async () => {
    await cleanUp();
    await cleanUpScripts();
  });

  it('leave the memory of the worker process flat', async () => {
    const [port, webSocketPort] = [await freePort(), await freePort()];
    const script = startService(service(port, webSocketPort));
    await script.started();
    const [worker] = await until(script, () => script.workers().length === 1 && script.workers());
    const done = { requests: 0, messages: 0, connections: 0 };
    const samples: Figures[] = [];
    for (let step = 0; step < STEPS; step++) {
      done.requests += await drive(pipelined, port, hello, REQUESTS / STEPS);
      done.messages += await drive(messages, webSocketPort, echoed, MESSAGES / STEPS);
      done.connections += await drive(oneShot, port, hello, CONNECTIONS / STEPS);
      samples.push(await memory(port));
      const { rss, heapUsed, arrayBuffers } = samples.at(-1)!;
      const text = [rss, heapUsed, arrayBuffers].map((bytes) => (bytes / 1e6).toFixed(2)).join(', ');
      console.log(`      ${JSON.stringify(done)}: MB resident, heap, buffers: ${text}`);
    }
    expect(script.workers(), script.describe()).to.deep.equal([worker]);
    expect(done.requests).to.be.at.least(REQUESTS);
    expect(done.messages).to.be.at.least(MESSAGES);
    expect(done.connections).to.be.at.least(CONNECTIONS);
    for (const kind of ['rss', 'heapUsed', 'arrayBuffers'] as const) {
      const { mean, growth, noise } = trendOf(samples.slice(STEPS / 2).map((figures) => figures[kind]));
      console.log(`      ${kind}: mean of the last half ${(mean / 1e6).toFixed(2)} MB, rises by ${growth.toFixed(0)} bytes, noise ${noise.toFixed(0)}`);
      // The rise of a line through ten figures is as uncertain as one figure is.
      expect(growth, kind).to.be.below(Math.max(3 * noise, NEGLIGIBLE * mean));
    }
    await script.stop();
  });
});
