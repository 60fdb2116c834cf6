import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compiledPackage } from '../support/compiled.js';
import { cleanUpScripts, freePort, waitUntil } from '../support/process.js';
import { logged, startService, until } from '../support/service.js';
import { frame, openingRequest } from '../support/websocket.js';

/** Text of a handler that goes on until some time after its process was told to stop, and what it does then. */
const untilStopped = (then: string): string => `
  Worker.log('begun ' + worker.name);
  while (Worker.getStatus() !== Worker.STATUS_SHUTDOWN) await pause(5);
  await pause(100);
  ${then}
  Worker.log('finished ' + worker.name);`;

const PAUSE = 'const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));';

/** A client and all that came over its connection. */
class Client {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number, hello: string | Buffer) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(hello));
    this.socket.on('data', (data: Buffer) => (this.text += data.toString('latin1')));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
  }
}

describe('what was begun when a stop comes', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  it('is finished and answered, whatever the protocol of the connection', async () => {
    const names = ['http', 'text', 'frame', 'tcp', 'websocket', 'udp'];
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()] as const)));
    const script = startService(`
      ${PAUSE}
      Worker.stopTimeout = 20;
      for (const [name, port] of Object.entries(${JSON.stringify(ports)})) {
        const worker = new Worker(name + '://127.0.0.1:' + port);
        worker.name = name;
        worker.onMessage = async (connection) => { ${untilStopped("connection.send('the answer');")} };
      }`);
    await script.started();
    const ask = 'ask';
    const hellos: Record<string, string | Buffer> = {
      http: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      text: `${ask}\n`,
      frame: Buffer.from([0, 0, 0, 7, ...Buffer.from(ask)]),
      tcp: ask,
      websocket: Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: 1, payload: ask, mask: true })]),
    };
    const clients = Object.entries(hellos).map(([name, hello]) => new Client(ports[name]!, hello));
    const datagrams = createSocket('udp4');
    try {
      datagrams.send(ask, ports['udp']!, '127.0.0.1');
      await until(script, () => logged(script).filter((line) => line.startsWith('begun ')).length === names.length);
      script.signal('SIGTERM');
      await script.exit();
      await waitUntil(() => clients.every(({ closed }) => closed), () => script.describe());
      for (const client of clients) expect(client.text).to.contain('the answer');
      // The handler of a datagram is waited for as well, but the socket that could answer is closed when the stop begins.
      expect(logged(script).filter((line) => /finished|status/.test(line)).sort()).to.deep.equal(
        names.map((name) => `finished ${name}`).sort(),
      );
    } finally {
      datagrams.close();
    }
  });

  it('is finished also when its client has left, and what onClose and onConnect have begun', async () => {
    const ports = [await freePort(), await freePort()];
    const script = startService(`
      ${PAUSE}
      Worker.stopTimeout = 20;
      for (const [name, port] of [['http', ${ports[0]}], ['text', ${ports[1]}]]) {
        const worker = new Worker(name + '://127.0.0.1:' + port);
        worker.name = name;
        worker.onConnect = async () => { ${untilStopped("Worker.log('onConnect');")} };
        worker.onMessage = async () => { ${untilStopped("Worker.log('onMessage');")} };
        worker.onClose = async () => { ${untilStopped("Worker.log('onClose');")} };
      }`);
    await script.started();
    const clients = [new Client(ports[0]!, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), new Client(ports[1]!, 'ask\n')];
    await until(script, () => logged(script).filter((line) => line.startsWith('begun ')).length === 4);
    for (const { socket } of clients) socket.destroy();
    await until(script, () => logged(script).filter((line) => line.startsWith('begun ')).length === 6);
    script.signal('SIGTERM');
    await script.exit();
    const lines = logged(script);
    expect(lines.filter((line) => /^on/.test(line)).sort()).to.deep.equal(
      ['onClose', 'onClose', 'onConnect', 'onConnect', 'onMessage', 'onMessage'],
    );
    expect(lines.join('\n')).not.to.match(/status/);
  });

  it('does not hold the process when it never ends and its client has left', async () => {
    const port = await freePort();
    const script = startService(`
      const worker = new Worker('text://127.0.0.1:${port}');
      Worker.stopTimeout = 10;
      worker.onMessage = () => { Worker.log('begun'); return new Promise(() => {}); };
      worker.onClose = () => Worker.log('gone');
      Worker.onWorkerExit = (worker, status) => Worker.log('exit ' + status);`);
    await script.started();
    const client = new Client(port, 'ask\n');
    await script.waitForLog(/begun/);
    client.socket.destroy();
    await script.waitForLog(/gone/);
    script.signal('SIGTERM');
    await script.exit();
    expect(logged(script)).to.include('exit 0');
  });

  it('stores a session that was changed after the answer', async () => {
    const port = await freePort();
    const script = startService(`
      import { FileSessionHandler, Session } from '${compiledPackage()}';
      ${PAUSE}
      class Slow extends FileSessionHandler {
        async write(id, data) { await pause(100); fs.writeFileSync('stored', data); return true; }
      }
      Session.handlerClass(Slow, { save_path: 'sessions' });
      Worker.stopTimeout = 20;
      const worker = new Worker('http://127.0.0.1:${port}');
      worker.onMessage = async (connection, request) => {
        const session = await request.session();
        connection.close('answered');
        session.set('late', 'change');
        process.kill(process.ppid, 'SIGTERM');
      };`);
    await script.started();
    const client = new Client(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await script.exit();
    await waitUntil(() => client.closed, () => script.describe());
    expect(client.text).to.match(/answered$/);
    expect(existsSync(join(script.folder, 'stored'))).to.equal(true, script.describe());
  });
});
