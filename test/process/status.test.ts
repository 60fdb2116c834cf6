import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { release } from 'node:os';
import { join } from 'node:path';
import type { ConnectionsReport, StatusReport } from '../../lib/control/messages.js';
import { cleanUpScripts, freePort, type Script } from '../support/process.js';
import { bodyOf, logged, startService, until } from '../support/service.js';

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

function said(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('data', (data: Buffer) => resolve(data.toString())));
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

async function statusOf(script: Script): Promise<StatusReport> {
  return JSON.parse((await script.run(['status', '--json'])).output) as StatusReport;
}

async function connectionsOf(script: Script): Promise<ConnectionsReport> {
  return JSON.parse((await script.run(['connections', '--json'])).output) as ConnectionsReport;
}

/** A live `status` with what it has printed. */
function live(
  script: Script,
  args: readonly string[] = ['status', '-d'],
): { child: ChildProcess; frames: () => string[]; end: Promise<object> } {
  const child = spawn(process.execPath, [script.file, ...args], {
    cwd: script.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  return {
    child,
    frames: () => text.split('\x1b[H\x1b[2J\x1b(B\x1b[m').slice(1),
    end: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
  };
}

describe('the screens', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  /** Three Workers; `web` has two processes. Ports of `web`, `chat` and `mirror`. */
  async function three(extra = ''): Promise<{ script: Script; web: number; chat: number }> {
    const [web, chat] = [await freePort(), await freePort()];
    const script = startService(`
      const web = new Worker('http://127.0.0.1:${web}');
      web.name = 'web';
      web.count = 2;
      web.onMessage = (connection, request) => {
        if (request.path() === '/block') { fs.writeFileSync('blocked', String(process.pid)); while (!fs.existsSync('go')); }
        connection.send(String(process.pid));
      };
      const chat = new Worker('text://127.0.0.1:${chat}');
      chat.name = 'chat';
      chat.onMessage = (connection, line) => connection.send(line + '!');
      const cron = new Worker();
      cron.name = 'cron';
      cron.onWorkerStart = () => { Timer.add(60, () => {}); Timer.add(60, () => {}, [], false); fs.writeFileSync('cron', ''); };
      Worker.statusFile = '/tmp/workerman-ts-status-is-not-used';
      ${extra}`);
    await script.started();
    await until(script, async () => (await statusOf(script)).processes.every((process) => process.state === 'idle'));
    return { script, web, chat };
  }

  it('status draws its tables to the blank', async () => {
    const { script, web, chat } = await three();
    const { code, output } = await script.run(['status']);
    expect(code).to.equal(0);
    const address = 'http://127.0.0.1:'.length + 5;
    const listening = address + 0;
    const plain = output
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, 'TIME')
      .replace(/load average: [\d., ]+\n/, 'load average: LOAD\n')
      .replace(/^\d+\t/gm, 'PID\t')
      .replace(/\t[\d.]+M +/g, (cell) => `\tMB${' '.repeat(cell.length - 3)}`)
      .replaceAll(String(web), 'WPORT')
      .replaceAll(String(chat), 'CPORT');
    const rule = (title: string, after: number): string => `${'-'.repeat(51)}${title}${'-'.repeat(after)}`;
    const row = (name: string, address: string, timers: number): string =>
      `PID\tMB      ${address.padEnd(listening)} ${name.padEnd(8)} 0           0         ${String(timers).padEnd(7)} 0             0      [idle]`;
    expect(plain.split('\n')).to.deep.equal([
      'Workerman[start.mjs] status',
      'Start worker in DEBUG mode.',
      rule('GLOBAL STATUS', 57),
      `Workerman/${VERSION}`.padEnd(24) + `Node/${process.versions.node}`.padEnd(30) + `Linux/${release()}`,
      'start time:TIME   run 0 days 0 hours   load average: LOAD',
      '3 workers    4 processes',
      'name         event-loop     exit_status     exit_count',
      'web          node           0               0               ',
      'chat         node           0               0               ',
      'cron         node           0               0               ',
      rule('PROCESS STATUS', 56),
      `pid\tmemory  ${'listening'.padEnd(listening)} name     connections send_fail timers  total_request qps    status`,
      row('web', 'http://127.0.0.1:WPORT', 0),
      row('web', 'http://127.0.0.1:WPORT', 0),
      row('chat', 'text://127.0.0.1:CPORT', 0),
      row('cron', 'none', 2),
      rule('PROCESS STATUS', 56),
      `Summary\tMB      ${'-'.padEnd(listening)} -        0           0         2       0             0      [Summary] `,
      '',
    ]);
    expect(logged(script), 'the tables are not logged')
      .to.include('Workerman[start.mjs] status')
      .and.not.include('3 workers    4 processes');
  });

  it('status --json is the same as one line of JSON, and its figures are those of the traffic', async () => {
    const { script, web, chat } = await three();
    const client = await opened(chat);
    for (let i = 0; i < 5; i++) {
      client.write(`line ${i}\n`);
      expect(await said(client)).to.equal(`line ${i}!\n`);
    }
    for (let i = 0; i < 7; i++) await bodyOf(web);
    const raw = (await script.run(['status', '--json'])).output;
    expect(raw.split('\n')).to.have.length(2);
    const report = JSON.parse(raw) as StatusReport;
    expect(report).to.have.all.keys(
      'script',
      'mode',
      'version',
      'node',
      'os',
      'startTime',
      'now',
      'loadavg',
      'workers',
      'processes',
    );
    expect(report).to.include({ script: 'start.mjs', mode: 'DEBUG', version: VERSION, node: process.versions.node });
    expect(report.workers).to.deep.equal([
      { name: 'web', eventLoop: 'node', socketName: `http://127.0.0.1:${web}`, exits: [] },
      { name: 'chat', eventLoop: 'node', socketName: `text://127.0.0.1:${chat}`, exits: [] },
      { name: 'cron', eventLoop: 'node', socketName: 'none', exits: [] },
    ]);
    const of = (name: string): StatusReport['processes'] => report.processes.filter((process) => process.name === name);
    expect(of('web').reduce((sum, { totalRequest }) => sum + totalRequest!, 0)).to.equal(7);
    expect(of('web').reduce((sum, { connections }) => sum + connections!, 0)).to.equal(0);
    const [talk] = of('chat');
    expect(talk).to.include({
      connections: 1,
      totalRequest: 5,
      sendFail: 0,
      timers: 0,
      qps: 0,
      state: 'idle',
      listening: `text://127.0.0.1:${chat}`,
    });
    expect(talk!.memory).to.be.within(20e6, 400e6);
    expect(of('cron')[0]).to.include({ connections: 0, timers: 2, listening: 'none' });
    client.destroy();
    await until(
      script,
      async () => (await statusOf(script)).processes.find(({ name }) => name === 'chat')!.connections === 0,
    );
  });

  it('connections has a line for each, with the bytes that it has carried', async () => {
    const { script, chat } = await three();
    const first = await opened(chat);
    const second = await opened(chat);
    first.write('hello\n');
    await said(first);
    second.write('half a li');
    const report = await until(script, async () => {
      const found = await connectionsOf(script);
      return found.connections.some(({ recvQueue }) => recvQueue === 9) && found;
    });
    const pid = (await statusOf(script)).processes.find(({ name }) => name === 'chat')!.pid;
    const shared = {
      pid,
      worker: 'chat',
      transport: 'tcp',
      protocol: 'Text',
      ipv4: true,
      ipv6: false,
      sendQueue: 0,
      status: 'ESTABLISHED',
      localAddress: `127.0.0.1:${chat}`,
    };
    expect(report).to.deep.equal({
      script: 'start.mjs',
      connections: [
        {
          ...shared,
          id: 1,
          recvQueue: 0,
          bytesRead: 6,
          bytesWritten: 7,
          remoteAddress: `127.0.0.1:${first.localPort}`,
        },
        {
          ...shared,
          id: 2,
          recvQueue: 9,
          bytesRead: 9,
          bytesWritten: 0,
          remoteAddress: `127.0.0.1:${second.localPort}`,
        },
      ],
    });
    const { output } = await script.run(['connections']);
    const column = (text: string, width: number): string => text.padEnd(width);
    const line = (id: number, recv: string, read: string, written: string, port: number): string =>
      column(String(pid), 9) +
      column('chat', 16) +
      column(String(id), 10) +
      column('tcp', 8) +
      column('Text', 16) +
      column(' 1', 7) +
      column(' 0', 7) +
      column(recv, 13) +
      column('0B', 13) +
      column(read, 13) +
      column(written, 13) +
      ' ' +
      column('ESTABLISHED', 14) +
      ' ' +
      column(`127.0.0.1:${chat}`, 22) +
      ' ' +
      column(`127.0.0.1:${port}`, 22);
    expect(output.split('\n')).to.deep.equal([
      'Workerman[start.mjs] connections',
      `${'-'.repeat(69)} WORKERMAN CONNECTION STATUS ${'-'.repeat(80)}`,
      'PID      Worker          CID       Trans   Protocol        ipv4   ipv6   Recv-Q       Send-Q       Bytes-R      Bytes-W       Status         Local Address          Foreign Address',
      line(1, '0B', '6B', '7B', first.localPort!),
      line(2, '9B', '9B', '0B', second.localPort!),
      '',
    ]);
    first.destroy();
    second.destroy();
    await until(script, async () => (await connectionsOf(script)).connections.length === 0);
  });

  it('connections shows outgoing ones under the Worker of their process', async () => {
    const { script, chat } = await three(`
      const client = new Worker();
      client.name = 'a-rather-long-name';
      client.onWorkerStart = () => {
        const remote = new AsyncTcpConnection('text://127.0.0.1:' + chat.getSocketName().split(':').pop());
        remote.onConnect = () => remote.send('out');
        remote.connect();
      };`);
    const rows = await until(script, async () => {
      const { connections } = await connectionsOf(script);
      return connections.length === 2 && connections.every(({ bytesRead }) => bytesRead > 0) && connections;
    });
    const outgoing = rows.find(({ worker }) => worker === 'a-rather-long-name');
    expect(outgoing).to.include({
      protocol: 'Text',
      remoteAddress: `127.0.0.1:${chat}`,
      bytesWritten: 4,
      bytesRead: 5,
    });
    expect((await script.run(['connections'])).output).to.contain(' a-rather-lon.. ');
  });

  it('a process that is stuck is busy, has no figures, no rows, and no part in the sums', async () => {
    const { script, web } = await three();
    void bodyOf(web, '/block').catch(() => {});
    const stuck = await until(script, () => {
      try {
        return Number(readFileSync(join(script.folder, 'blocked'), 'utf8')) || null;
      } catch {
        return null;
      }
    });
    const [text, json, connections] = await Promise.all([
      script.run(['status']),
      statusOf(script),
      connectionsOf(script),
    ]);
    expect(text.output.split('\n')).to.include(
      `${stuck}\tN/A     ${`http://127.0.0.1:${web}`.padEnd(22)} web      N/A         N/A       N/A     N/A           N/A    [busy] `,
    );
    expect(text.output.split('[idle]')).to.have.length(4);
    const busy = json.processes.find(({ pid }) => pid === stuck);
    expect(busy).to.deep.equal({
      pid: stuck,
      name: 'web',
      listening: `http://127.0.0.1:${web}`,
      memory: null,
      connections: null,
      sendFail: null,
      timers: null,
      totalRequest: null,
      qps: null,
      state: 'busy',
    });
    const sum =
      json.processes.reduce((total, { memory }) => total + Math.round(((memory ?? 0) / 1048576) * 100), 0) / 100;
    const shown = Number(/Summary\t([\d.]+)M/.exec(text.output)![1]);
    expect(Math.abs(sum - shown)).to.be.below(10);
    expect(connections.connections.filter(({ pid }) => pid === stuck)).to.deep.equal([]);
    writeFileSync(join(script.folder, 'go'), '');
  });

  it('the exit table has one row per Worker and status, in order of first occurrence', async () => {
    const port = await freePort();
    const script = startService(`
      const first = new Worker('http://127.0.0.1:${port}');
      first.name = 'first';
      first.onMessage = (connection, request) => process.exit(Number(request.get('code')));
      const second = new Worker();
      second.name = 'a longer name';`);
    await script.started();
    for (const code of [3, 255, 3]) await bodyOf(port, `/?code=${code}`).catch(() => {});
    const { output } = await until(script, async () => {
      const result = await script.run(['status']);
      return /768 +2 /.test(result.output) && result;
    });
    const lines = output.split('\n');
    const from = lines.findIndex((line) => line.startsWith('name '));
    expect(lines.slice(from, from + 4)).to.deep.equal([
      'name              event-loop     exit_status     exit_count',
      'first             node           768             2               ',
      'first             node           65280           1               ',
      'a longer name     node           0               0               ',
    ]);
  });

  it('an event loop of the user is named in lower case', async () => {
    const script = startService(`
      class MyLoop extends EventLoop {}
      Worker.eventLoopClass = MyLoop;
      new Worker();`);
    await script.started();
    expect(script.output).to.match(/\nmyloop +tcp /);
    expect((await statusOf(script)).workers[0]!.eventLoop).to.equal('myloop');
  });

  it('an event loop that the script has made lends its class to all, and the one of the package is node', async () => {
    const script = startService(`
      class Made extends EventLoop {}
      Worker.eventLoopClass = class Other extends EventLoop {};
      const made = Worker.globalEvent = new Made();
      const worker = new Worker();
      worker.onWorkerStart = () => Worker.log('runs on ' + Worker.globalEvent.constructor.name + ' ' + (Worker.globalEvent === made));
      new Worker().eventLoop = EventLoop;
      Worker.onMasterReload = () => Worker.log('master has ' + Worker.globalEvent);`);
    await script.waitFor(/runs on Made false/);
    expect(script.output).to.match(/\nmade +tcp .*\nnode +tcp /);
    await script.run(['reload']);
    await script.waitFor(/master has null/);
  });

  describe('status -d', () => {
    it('shows frame after frame with the rate of messages, until the master ends', async () => {
      const { script, web } = await three();
      for (let i = 0; i < 3; i++) await bodyOf(web);
      const { frames, end } = live(script);
      const whole = (): string[] => frames().filter((frame) => frame.endsWith('quit.\n\n'));
      const summary = (frame: string): string[] => /Summary\t.*/.exec(frame)![0].split(/\s+/).slice(-4, -2);
      await until(script, () => whole().length >= 1);
      for (let i = 0; i < 4; i++) await bodyOf(web);
      await until(script, () => whole().some((frame) => summary(frame)[0] === '7'));
      const [first, ...others] = whole();
      expect(first).to.match(/^Start worker in DEBUG mode.\n[\s\S]*\[Summary\] \n\nPress Ctrl\+C to quit.\n\n$/);
      expect(summary(first!)).to.deep.equal(['3', '0']);
      // On a slow machine the four may not all fall between the same two frames.
      let before = 3;
      for (const [total, rate] of others.map((frame) => summary(frame).map(Number)) as [number, number][]) {
        expect(rate).to.equal(total - before);
        before = total;
      }
      expect(before).to.equal(7);
      await script.stop();
      expect(await end).to.deep.equal({ code: 0, signal: null });
    });

    it('--json prints a line each time, and ends when nobody reads', async () => {
      const { script } = await three();
      const child = spawn('sh', ['-c', `"${process.execPath}" "${script.file}" status -d --json | head -n 2`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (data: Buffer) => (text += data.toString()));
      await new Promise((resolve) => child.once('close', resolve));
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as StatusReport);
      expect(lines).to.have.length(2);
      expect(lines[1]!.now).to.be.above(lines[0]!.now);
    });
  });

  it('Worker.statusFile may be set, and no such file is made', async () => {
    const { script } = await three();
    await Promise.all([script.run(['status']), script.run(['connections'])]);
    expect(() => unlinkSync('/tmp/workerman-ts-status-is-not-used')).to.throw('ENOENT');
  });
});
