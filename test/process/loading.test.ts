import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { compiledPackage } from '../support/compiled.js';
import { cleanUpScripts, freePort, startScript, waitUntil } from '../support/process.js';

/** What a process has loaded when it ends: the package's groups of classes, and Node's weighty modules. */
interface Loaded {
  process: string;
  groups: string[];
  modules: string[];
}

const GROUPS = ['commands', 'master', 'watch', 'worker', 'serving', 'http', 'websocket', 'redis'];
const MODULES = ['crypto', 'tls', 'zlib', 'http', 'https', 'http2', 'dns/promises', 'child_process'];

/** Imports everything, uses HTTP, and notes at its end what was loaded for that. */
const NOTING = (port: number): string => `
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  AsyncTcpConnection, AsyncUdpConnection, Http, RedisSessionHandler, Request, Response, ServerSentEvents, Session,
  TcpConnection, Timer, Websocket, Worker, Ws,
} from '${compiledPackage()}';

const files = () => Object.keys(createRequire(import.meta.url).cache).map((path) => path.replace(/.*\\/|-.*/g, ''));
const modules = () => process.moduleLoadList.map((name) => name.replace('NativeModule ', ''));
let name = process.argv[2];
TcpConnection.defaultMaxPackageSize = 1 << 20;
Session.name = 'SID';
const worker = new Worker('http://127.0.0.1:${port}');
worker.onWorkerStart = () => { name = 'worker process'; };
worker.onMessage = (connection) => { connection.send('x'); };
process.on('exit', () => {
  appendFileSync('loaded', JSON.stringify({ process: name, files: files(), modules: modules() }) + '\\n');
});
Worker.runAll();
`;

function loadedBy(folder: string): Map<string, Loaded> {
  const lines = readFileSync(join(folder, 'loaded'), 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const { process, files, modules } = JSON.parse(line) as { process: string; files: string[]; modules: string[] };
      const groups = GROUPS.filter((group) => files.includes(group));
      return [process, { process, groups, modules: MODULES.filter((module) => modules.includes(module)) }];
    }),
  );
}

/** Does to the classes what scripts do at their top level, and prints what has come of it. */
const TOP_LEVEL = (port: number): string => `
import { writeFileSync } from 'node:fs';
import * as door from '${compiledPackage()}';
const {
  AsyncTcpConnection, AsyncUdpConnection, Chunk, FileSessionHandler, Http, RedisClusterSessionHandler,
  RedisSessionHandler, Request, Response, ServerSentEvents, Session, TcpConnection, Text, Websocket, Worker, Ws,
} = door;

class MyRequest extends Request { who() { return 'mine'; } }
class MyResponse extends Response {}
class MyProtocol extends Text {}
Response.prototype.twice = function () { return this.rawBody() + this.rawBody(); };
Request.prototype.upper = function () { return this.path().toUpperCase(); };
const defaults = [Http.requestClass() === Request, Session.handlerClass() === FileSessionHandler];
Http.requestClass(MyRequest);
Http.requestTimeout = 5;
Session.lifetime = 77;
Websocket.permessageDeflate = true;
TcpConnection.defaultMaxPackageSize = 4321;
AsyncTcpConnection.defaultMaxSendBufferSize = 99;
Worker.registerProtocol('mine', MyProtocol);
const hello = new Response(201, { 'X-One': '1' }, 'hello');
const request = new MyRequest(Buffer.from('GET /there?a=1 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
const client = new AsyncTcpConnection('ws://127.0.0.1:1');

const thrown = (act) => { try { act(); return null; } catch (error) { return error.name + ': ' + error.message; } };
const seen = {
  defaults,
  types: Object.entries(door).map(([name, value]) => name + ' ' + typeof value + ' ' + value.name),
  response: [hello.getStatusCode(), hello.twice(), hello instanceof Response, hello.constructor === Response],
  ownResponse: [new MyResponse(200) instanceof Response, Object.getPrototypeOf(MyResponse) === Response],
  strangers: [{} instanceof Request, hello instanceof Request, request instanceof Response],
  request: [request.who(), request.upper(), request.get('a'), request instanceof Request, request.constructor.name],
  statics: [Http.requestTimeout, Http.requestClass() === MyRequest, Session.lifetime, Session.name],
  keys: [Object.keys(Websocket), 'permessageDeflate' in Ws, 'nothing' in Ws, Websocket.permessageDeflate, Ws.permessageDeflate],
  phrases: Response.PHRASES[404],
  tcp: [TcpConnection.defaultMaxPackageSize, TcpConnection.defaultMaxSendBufferSize, TcpConnection.STATUS_CLOSED],
  client: [client instanceof AsyncTcpConnection, client instanceof TcpConnection, client.protocol === Ws, client.maxPackageSize],
  parents: [Object.getPrototypeOf(AsyncTcpConnection) === TcpConnection, AsyncUdpConnection.name, RedisClusterSessionHandler.prototype instanceof RedisSessionHandler],
  made: [new Chunk('x') instanceof Chunk, new ServerSentEvents({ data: 'x' }) instanceof ServerSentEvents, FileSessionHandler.name],
  called: thrown(() => Response()),
};

const worker = new Worker('http://127.0.0.1:${port}');
worker.protocol = Websocket;
seen.protocol = worker.protocol === Websocket;
const note = (name) => writeFileSync(name, JSON.stringify(seen));
worker.onWorkerStart = () => {
  seen.resolved = worker.protocol === Http;
  note('worker');
};
worker.onMessage = (connection, message) => connection.send(message.who() + (message instanceof MyRequest) + (connection.protocol === Http));
worker.onWorkerExit = null;
Worker.onMasterStop = () => {
  seen.resolved = worker.protocol === Http;
  note('master');
};
Worker.runAll();
`;

/** Serves and asks itself, without a master. */
const PLAIN = (port: number): string => `
import { AsyncTcpConnection, Http, Response, TcpConnection, Worker } from '${compiledPackage()}';
const worker = new Worker('http://127.0.0.1:${port}');
worker.onMessage = (connection, request) => {
  connection.send(new Response(200, {}, [request.path(), connection.protocol === Http, connection.maxPackageSize].join(' ')));
};
TcpConnection.defaultMaxPackageSize = 4321;
await worker.listen();
const answer = await (await fetch('http://127.0.0.1:${port}/there')).text();
const client = new AsyncTcpConnection('tcp://127.0.0.1:${port}');
client.onConnect = () => client.send('GET /again HTTP/1.0\\r\\n\\r\\n');
client.onMessage = (_, data) => {
  console.log(answer, String(data).split('\\r\\n\\r\\n')[1]);
  process.exit();
};
client.connect();
`;

describe('what a process loads', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  it('is what it needs: neither commands nor the master load HTTP, WebSocket, TLS or crypto, whatever the script sets', async () => {
    const script = startScript({ name: 'start.mjs', source: NOTING(await freePort()), launcher: [process.execPath] });
    await script.started();
    for (const command of ['status', 'connections', 'reload', 'stop']) await script.run([command]);
    await script.exit();
    const loaded = loadedBy(script.folder);
    for (const command of ['status', 'connections', 'reload', 'stop']) {
      expect(loaded.get(command)).to.deep.equal({ process: command, groups: ['commands'], modules: [] });
    }
    const [master, worker] = [loaded.get('start'), loaded.get('worker process')];
    expect(master?.groups).to.deep.equal(['commands', 'master']);
    expect(master?.modules).to.deep.equal(['child_process']);
    expect(worker?.groups).to.deep.equal(['worker', 'serving', 'http', 'websocket']);
    expect(worker?.modules).to.deep.equal(['child_process']);
  });

  it('makes no difference to a script: its classes are the same in the master and in worker processes', async () => {
    const port = await freePort();
    const script = startScript({ name: 'start.mjs', source: TOP_LEVEL(port), launcher: [process.execPath] });
    await script.started();
    const read = (name: string): Record<string, unknown> | null => {
      try {
        return JSON.parse(readFileSync(join(script.folder, name), 'utf8')) as Record<string, unknown>;
      } catch {
        return null;
      }
    };
    const worker = await waitUntil(() => read('worker'), () => script.describe());
    expect(await (await fetch(`http://127.0.0.1:${port}/there`)).text()).to.equal('minetruetrue');
    await script.run(['stop']);
    await script.exit();
    expect(read('master')).to.deep.equal(worker);
    expect(worker).to.deep.include({
      defaults: [true, true],
      response: [201, 'hellohello', true, true],
      ownResponse: [true, true],
      strangers: [false, false, false],
      request: ['mine', '/THERE', '1', true, 'MyRequest'],
      statics: [5, true, 77, 'PHPSID'],
      tcp: [4321, 99, 16],
      client: [true, true, true, 4321],
      parents: [true, 'AsyncUdpConnection', true],
      made: [true, true, 'FileSessionHandler'],
      called: "TypeError: Class constructor Response cannot be invoked without 'new'",
      protocol: true,
      resolved: true,
    });
    expect(worker['types']).to.include.members(['Response function Response', 'Session function PHPSID', 'Ws function Ws']);
  });

  it('comes when it is used, in a program without a master too, and without a warning', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
    try {
      const file = join(folder, 'plain.mjs');
      writeFileSync(file, PLAIN(await freePort()));
      const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
      expect({ stdout, stderr }).to.deep.equal({ stdout: '/there true 4321 /again true 4321\n', stderr: '' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
