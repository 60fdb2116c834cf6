import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import WebSocket from 'ws';
import { accepting, cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { installed, root, type Installation } from './packed.js';

/** What a newcomer types first. Everything is what npm would have installed. */

const TEMPLATES = ['http', 'websocket', 'sse', 'tcp'];

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const change = (file: string, from: string, to: string): void => {
  const text = readFileSync(file, 'utf8');
  expect(text).to.contain(from);
  writeFileSync(file, text.replace(from, to));
};

/** All that a peer sends after `ask` was sent to it, until it contains `wanted`. */
async function overTcp(port: number, ask: string, wanted: string): Promise<string> {
  let text = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(ask)).on('data', (data) => (text += data.toString()));
  socket.on('error', () => {});
  await waitUntil(() => text.includes(wanted), () => `${wanted} in ${text}`).finally(() => socket.destroy());
  return text;
}

async function overWebSocket(port: number, ask: string, wanted: string, meet?: () => void): Promise<string> {
  let text = '';
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  socket.on('open', () => socket.send(ask)).on('message', (data) => (text += (data as Buffer).toString()));
  socket.on('error', () => {});
  socket.once('message', () => meet?.());
  await waitUntil(() => text.includes(wanted), () => `${wanted} in ${text}`).finally(() => socket.terminate());
  return text;
}

async function overHttp(port: number, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

/** The first piece of a stream. */
async function firstEvent(port: number): Promise<string> {
  const abort = new AbortController();
  const { body } = await fetch(`http://127.0.0.1:${port}/clock`, { signal: abort.signal });
  let text = '';
  for await (const piece of body!) {
    text += Buffer.from(piece).toString();
    if (text.includes('\n\n')) break;
  }
  abort.abort();
  return text;
}

/** A connection that was kept may still go to the old code, or be closed under way. */
async function becomes(ask: () => Promise<string>, wanted: string): Promise<void> {
  let last = '';
  await waitUntil(
    async () => (last = await ask().catch(String)) === wanted,
    () => `${wanted}, not ${last}`,
  );
}

interface Project {
  script: Script;
  port: number;
  /** Its start script. */
  file: string;
}

describe('workerman init', function () {
  this.timeout(60_000);
  let place: Installation;

  const running = new Map<string, Project>();

  before(async () => {
    place = installed();
    for (const template of TEMPLATES) {
      const { status, output } = place.workerman(['init', `my-${template}`, '--template', template]);
      expect(status, output).to.equal(0);
      expect(output).to.contain(`cd my-${template}\n  npm install\n  npm run dev`);
    }
    await Promise.all(TEMPLATES.map(async (template) => running.set(template, await start(template))));
  });
  after(cleanUpScripts);

  /** Starts a project with `--watch`, on a port of its own. */
  async function start(template: string): Promise<Project> {
    const folder = join(place.folder, `my-${template}`);
    const file = join(folder, 'start.ts');
    const port = await freePort();
    change(file, '0.0.0.0:8080', `127.0.0.1:${port}`);
    const launcher = [process.execPath, place.bin];
    const script = await startScript({ folder, launcher, args: ['start', '--watch'] }).started();
    await accepting({ port });
    return { script, port, file };
  }

  /** Saves a change and waits until it is served. */
  async function reloaded(script: Script, file: string, from: string, to: string): Promise<void> {
    change(file, from, to);
    await script.waitFor(/\[watch\] start\.ts changed: reloaded in \d+ ms\n/);
  }

  async function stop(script: Script): Promise<void> {
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  }

  it('writes projects that compile under their own strict settings', () => {
    const settings = TEMPLATES.map((template) => read(place.folder, `my-${template}`, 'tsconfig.json'));
    expect(new Set(settings).size).to.equal(1);
    const folder = join(place.folder, 'my-http');
    const { options, errors } = ts.parseJsonConfigFileContent(JSON.parse(settings[0]!), ts.sys, folder);
    expect(options).to.include({ strict: true, module: ts.ModuleKind.NodeNext });
    const scripts = TEMPLATES.map((template) => join(place.folder, `my-${template}`, 'start.ts'));
    const program = ts.createProgram(scripts, { ...options, rootDir: place.folder, noEmit: true, skipLibCheck: true });
    const problems = [...errors, ...ts.getPreEmitDiagnostics(program)];
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).to.deep.equal([]);
  });

  it('http: answers, and gives the changed answer after a save', async () => {
    const { script, port, file } = running.get('http')!;
    expect(await overHttp(port, '/')).to.equal('hello world\n');
    expect(await overHttp(port, '/search?a=1')).to.equal('{"a":"1"}');
    await reloaded(script, file, 'hello world', 'hello moon');
    await becomes(() => overHttp(port, '/'), 'hello moon\n');
    await stop(script);
  });

  it('websocket: talks, and to others as well, and says something else after a save', async () => {
    const { script, port, file } = running.get('websocket')!;
    let other: Promise<string> | undefined;
    await new Promise<void>((meet) => {
      other = overWebSocket(port, 'hello', ' said hi', meet);
    });
    expect(await overWebSocket(port, 'hi', 'you said hi')).to.match(/^welcome, you are number \d+/);
    expect(await other).to.contain('you said hello');
    await reloaded(script, file, 'you said', 'I heard');
    expect(await overWebSocket(port, 'hi', 'I heard')).to.contain('I heard hi');
    await stop(script);
  });

  it('sse: shows a page, sends events, and those of the new code after a save', async () => {
    const { script, port, file } = running.get('sse')!;
    expect(await overHttp(port, '/')).to.contain('<title>my-sse</title>\n').and.contain("new EventSource('/clock')");
    expect(await firstEvent(port)).to.match(/^event: tick\nretry: 500\ndata: \d\d:\d\d:\d\d\n\n$/);
    await reloaded(script, file, 'new Date().toTimeString().slice(0, 8)', "'tea time'");
    await becomes(() => firstEvent(port), 'event: tick\nretry: 500\ndata: tea time\n\n');
    await stop(script);
  });

  it('tcp: talks, and says something else after a save', async () => {
    const { script, port, file } = running.get('tcp')!;
    expect(await overTcp(port, 'hi\n', 'you said')).to.equal('hello 127.0.0.1\nyou said hi\n');
    await reloaded(script, file, 'you said', 'I heard');
    expect(await overTcp(port, 'hi\n', 'I heard')).to.contain('I heard hi\n');
    await stop(script);
  });

  it('depends on this version of the package and on the tools that it is tested with', () => {
    const own = JSON.parse(read(root, 'package.json')) as { version: string; devDependencies: Record<string, string> };
    const { dependencies, devDependencies, type, scripts } = JSON.parse(
      read(place.folder, 'my-http', 'package.json'),
    ) as Record<string, Record<string, string>>;
    expect(type).to.equal('module');
    expect(dependencies).to.deep.equal({ 'workerman-ts': `^${own.version}` });
    const tools = ['@types/node', 'tsx', 'typescript'];
    expect(devDependencies).to.deep.equal(Object.fromEntries(tools.map((name) => [name, own.devDependencies[name]])));
    expect(scripts).to.include.keys('start', 'dev', 'build', 'reload', 'status', 'stop');
    expect(scripts?.['dev']).to.equal('workerman start.ts start --watch');
    expect(read(place.folder, 'my-http', '.gitignore')).to.contain('node_modules/\n');
  });

  it('adds a Dockerfile and a unit for systemd that run the compiled script in the foreground', () => {
    expect(place.workerman(['init', 'Shop 2', '--docker', '--systemd']).status).to.equal(0);
    const folder = join(place.folder, 'Shop 2');
    expect(read(folder, 'Dockerfile')).to.contain('CMD ["node", "dist/start.js", "start", "-q"]');
    expect(read(folder, '.dockerignore')).to.contain('node_modules/\n');
    expect(read(folder, 'shop-2.service')).to.contain('ExecStart=/usr/bin/node /srv/shop-2/dist/start.js start -q\n');
    expect(read(folder, 'package.json')).to.contain('"name": "shop-2"');
  });

  it('uses the current folder when none is named, and keeps what npm has written there', () => {
    const folder = join(place.folder, 'here');
    mkdirSync(join(folder, '.git'), { recursive: true });
    const existing = {
      name: 'mine', main: 'index.js', type: 'commonjs', scripts: { test: 'echo "Error: no test specified" && exit 1' },
      dependencies: { 'workerman-ts': 'file:x.tgz' },
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(existing));
    writeFileSync(join(folder, '.gitignore'), 'mine\n');
    const { status, output } = place.workerman(['init'], folder);
    expect(status, output).to.equal(0);
    expect(output).to.contain('Next:\n  npm install\n');
    const written = JSON.parse(read(folder, 'package.json')) as Record<string, unknown>;
    const { name, type, main, scripts, dependencies } = written;
    expect({ name, type, main, dependencies }).to.deep.equal({
      name: 'mine', type: 'module', main: undefined, dependencies: { 'workerman-ts': 'file:x.tgz' },
    });
    expect(scripts).to.not.have.property('test');
    expect(read(folder, '.gitignore')).to.equal('mine\n');
    expect(read(folder, 'start.ts')).to.contain("worker.name = 'here'");
  });

  it('refuses a folder that holds something, and touches nothing in it', () => {
    const folder = place.project('full', { 'precious.txt': 'mine' });
    const { status, output } = place.workerman(['init', 'full']);
    expect(status).to.equal(1);
    expect(output).to.match(/^workerman init: \/.*\/full is not empty \(precious\.txt\), and nothing is overwritten/);
    expect(read(folder, 'package.json')).to.equal('{"type":"module"}');
    expect(existsSync(join(folder, 'start.ts'))).to.equal(false);
  });

  it('says what it expected and what came', () => {
    const bad = place.workerman(['init', 'other', '--template', 'htp']);
    expect(bad.status).to.equal(1);
    expect(bad.output).to.match(/^workerman init: expected --template http, websocket, sse, tcp; got 'htp'\n/);
    expect(existsSync(join(place.folder, 'other'))).to.equal(false);
    expect(place.workerman(['init', '--dokcer']).output).to.match(/^workerman init: Unknown option '--dokcer'/);
    expect(place.workerman(['init', 'a', 'b']).output).to.match(/^workerman init: expected one folder, got a b\n/);
    const help = place.workerman(['init', '--help']);
    expect(help.status).to.equal(0);
    expect(help.output).to.match(/^Usage: workerman init \[folder\]/).and.contain('websocket  a chat over WebSocket\n');
  });
});
