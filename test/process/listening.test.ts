import { expect } from 'chai';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { cleanUpScripts, freePort, waitUntil, type Script } from '../support/process.js';
import { bodyOf, get, logged, startService, until } from '../support/service.js';
import { spreading } from '../support/spreading.js';

/** Opens a connection; resolves when the kernel has taken it, accepted or not. */
function opened(place: number | string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place);
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

const said = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('data', (data: Buffer) => resolve(data.toString()));
    socket.once('close', () => reject(new Error('closed')));
  });

/** A UDP client that has been answered. Until somebody reads, a datagram may be lost, so it is sent again and again. */
async function greeted(script: Script, port: number, greeting: string): Promise<{ socket: UdpSocket; answers: string[] }> {
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (data) => answers.push(data.toString()));
  await until(script, () => {
    socket.send(greeting, port, '127.0.0.1');
    return answers.length > 0;
  });
  return { socket, answers };
}

async function endOf(script: Script): Promise<string> {
  expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
  return script.output;
}

/** A line of the script that goes on when the test has made a file. */
const untilFile = (file: string): string => `while (!fs.existsSync('${file}')) await Timer.sleep(0.01);`;

describe('listening', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('while no process accepts', () => {
    it('clients are queued from the banner on: tcp and unix', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('tcp://127.0.0.1:${port}');
        const path = new Worker('unix://' + new URL('./a.sock', import.meta.url).pathname);
        for (const each of [worker, path]) {
          each.onWorkerStart = async () => { ${untilFile('go')} };
          each.onConnect = (connection) => connection.send('hello');
        }`);
      await script.started();
      const clients = await Promise.all([
        ...Array.from({ length: 20 }, () => opened(port)),
        opened(join(script.folder, 'a.sock')),
      ]);
      const greetings = Promise.all(clients.map(said));
      expect((await script.run(['connections'])).output).not.to.contain('ESTABLISHED');
      writeFileSync(join(script.folder, 'go'), '');
      expect(new Set(await greetings)).to.deep.equal(new Set(['hello']));
      for (const client of clients) client.destroy();
    });

    it('clients are queued while the only process is replaced after a crash', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.onMessage = (connection, request) => {
          if (request.path() === '/crash') process.kill(process.pid, 'SIGKILL');
          connection.send('x');
        };`);
      await script.started();
      await get(port, '/crash').catch(() => {});
      expect(await Promise.all(Array.from({ length: 20 }, () => bodyOf(port)))).to.deep.equal(Array(20).fill('x'));
    });
  });

  describe('pauseAccept()', () => {
    it('in one process leaves the clients to the others, in all of them to the kernel, until resumeAccept()', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.count = 2;
        worker.onWorkerStart = () => {
          let state = 'accepts';
          Timer.add(0.01, () => {
            const wanted = fs.existsSync('pause' + worker.id) ? 'paused' : 'accepts';
            if (wanted === state) return;
            state = wanted;
            if (wanted === 'paused') worker.pauseAccept(); else worker.resumeAccept();
            Worker.log(worker.id + ' ' + wanted);
          });
          Worker.log('up');
        };
        worker.onMessage = (connection) => connection.close(String(worker.id));`);
      await until(script, () => logged(script).filter((line) => line === 'up').length === 2);
      writeFileSync(join(script.folder, 'pause0'), '');
      await script.waitForLog(/ 0 paused/);
      const some = await Promise.all(Array.from({ length: 30 }, () => bodyOf(port)));
      expect(new Set(some)).to.deep.equal(new Set(['1']));
      writeFileSync(join(script.folder, 'pause1'), '');
      await script.waitForLog(/ 1 paused/);
      const late = bodyOf(port);
      await opened(port).then((socket) => socket.destroy());
      expect((await script.run(['connections'])).output).not.to.contain('ESTABLISHED');
      const { unlinkSync } = await import('node:fs');
      unlinkSync(join(script.folder, 'pause0'));
      expect(await late).to.equal('0');
    });
  });

  it('begins again in a process that is busy while the service stops, without a word', async () => {
    const port = await freePort();
    const script = startService(`
      Worker.stopTimeout = 60;
      const worker = new Worker('text://127.0.0.1:${port}');
      worker.onConnect = () => worker.pauseAccept();
      worker.onClose = () => worker.resumeAccept();
      worker.onMessage = (connection) => {
        Worker.log('busy');
        while (!fs.existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        connection.close('done');
      };`);
    await script.started();
    const client = await opened(port);
    const answer = said(client);
    client.write('x\n');
    await script.waitForLog(/busy/);
    const stop = script.run(['stop']);
    await script.waitForLog(/is stopping/);
    writeFileSync(join(script.folder, 'go'), '');
    expect(await answer).to.equal('done\n');
    expect((await stop).code).to.equal(0);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    expect(script.output + logged(script).join('\n')).to.not.match(/Error|status/);
  });

  describe('a busy process', () => {
    it('keeps no connection from the others', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.count = 2;
        worker.onWorkerStart = () => Worker.log('up');
        worker.onMessage = (connection, request) => {
          if (request.path() === '/block') { Worker.log('blocked'); while (!fs.existsSync('go')); }
          connection.send(String(worker.id));
        };`);
      await until(script, () => logged(script).filter((line) => line === 'up').length === 2);
      const blocked = bodyOf(port, '/block');
      await script.waitForLog(/blocked/);
      const others = new Set(await Promise.all(Array.from({ length: 30 }, () => bodyOf(port))));
      expect(others.size).to.equal(1);
      writeFileSync(join(script.folder, 'go'), '');
      expect([...others]).not.to.include(await blocked);
    });
  });

  describe('spreading', () => {
    for (const processes of [2, 4]) {
      for (const reusePort of [false, true]) {
        it(`of 400 connections over ${processes} processes${reusePort ? ' with reusePort' : ''} leaves none idle and none with nearly all`, async () => {
          const held = await spreading(processes, 400, { reusePort, atOnce: 40 });
          console.log(`      ${held.join(' ')}`);
          expect(Math.min(...held)).to.be.above(0);
          expect(Math.max(...held)).to.be.at.most(280 + (processes === 2 ? 40 : 0));
        });
      }
    }
  });

  describe('an address that can not be had', () => {
    it('stops the start with its name and the reason: taken by others', async () => {
      const server = createServer();
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
      });
      const scripts = [
        startService(`new Worker('http://127.0.0.1:${port}');`),
        startService(`const worker = new Worker('http://127.0.0.1:${port}'); worker.reusePort = true;`),
      ];
      for (const script of scripts) {
        expect(await endOf(script)).to.contain(`Unable to listen on http://127.0.0.1:${port}: Address already in use`);
      }
      server.close();
    });

    it('stops the start: twice in one script, udp taken, an address of another machine, a bad one', async () => {
      const port = await freePort();
      const taken = createSocket('udp4');
      const udp = await new Promise<number>((resolve) =>
        taken.bind(0, '127.0.0.1', () => resolve(taken.address().port)),
      );
      const outputs = await Promise.all([
        endOf(startService(`new Worker('tcp://127.0.0.1:${port}'); new Worker('http://127.0.0.1:${port}');`)),
        endOf(startService(`new Worker('udp://127.0.0.1:${udp}');`)),
        endOf(startService("new Worker('tcp://203.0.113.1:8080');")),
        endOf(startService("new Worker('tcp://127.0.0.1');")),
        endOf(startService("new Worker('tcp://127.0.0.1:65536');")),
        endOf(startService("new Worker('foo://127.0.0.1:80');")),
      ]);
      taken.close();
      expect(outputs[0]).to.contain('Address already in use');
      expect(outputs[1]).to.contain('Address already in use');
      expect(outputs[2]).to.contain('Cannot assign requested address');
      expect(outputs[3]).to.contain('Failed to parse address "127.0.0.1"');
      expect(outputs[4]).to.match(/65536/);
      expect(outputs[5]).to.contain("Unknown protocol scheme 'foo'");
    });
  });

  describe('unix sockets', () => {
    it('take the place of a path that nobody listens on, refuse one that is in use or no socket, and are removed', async () => {
      const first = startService(
        "const worker = new Worker('http://' + new URL('./a.sock', import.meta.url).pathname); worker.transport = 'unix'; worker.onMessage = (connection) => connection.send('first');",
      );
      await first.started();
      const path = join(first.folder, 'a.sock');
      const source = `const worker = new Worker('http://${path}'); worker.transport = 'unix'; worker.onMessage = (connection) => connection.send('second');`;
      expect(await bodyOf(path)).to.equal('first');
      expect(await endOf(startService(source))).to.contain('Address already in use');
      expect(await bodyOf(path)).to.equal('first');
      first.signal('SIGKILL');
      await first.leavesNothingBehind(10_000);
      expect(existsSync(path)).to.equal(true);
      const second = startService(source);
      await second.started();
      expect(await bodyOf(path)).to.equal('second');
      await second.stop();
      expect(existsSync(path)).to.equal(false);
      writeFileSync(path, 'a file');
      expect(await endOf(startService(source))).to.contain('Address already in use');
      expect(existsSync(path)).to.equal(true);
    });

    it('whose path is too long are refused', async () => {
      const output = await endOf(startService(`new Worker('unix:///tmp/${'x'.repeat(110)}');`));
      expect(output).to.match(/107/);
    });
  });

  describe('[::]', () => {
    it('takes clients of both kinds, with ipv6_v6only those of IPv6 alone', async () => {
      const [both, six] = [await freePort(), await freePort()];
      const script = startService(`
        for (const [name, context] of [['http://[::]:${both}', {}], ['http://[::]:${six}', { socket: { ipv6_v6only: true } }]]) {
          new Worker(name, context).onMessage = (connection) => connection.send(String(connection.isIpV6()));
        }`);
      await script.started();
      expect(await bodyOf(both)).to.match(/true|false/);
      const overSix = await new Promise<string>((resolve, reject) => {
        const socket = connect(six, '::1');
        socket.once('error', reject);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        socket.once('data', (data) => {
          socket.destroy();
          resolve(data.toString());
        });
      });
      expect(overSix).to.match(/true$/);
      expect(await get(six).catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ECONNREFUSED');
    });
  });

  describe('udp', () => {
    it('is read by all count processes', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('udp://127.0.0.1:${port}');
        worker.count = 2;
        worker.onWorkerStart = () => Worker.log('up');
        worker.onMessage = (connection, data) => {
          if (String(data) === 'block') { Worker.log('blocked'); while (!fs.existsSync('go')); }
          connection.send(worker.id + ' ' + data);
        };`);
      await until(script, () => logged(script).filter((line) => line === 'up').length === 2);
      const { socket, answers } = await greeted(script, port, 'hello');
      socket.send('block', port, '127.0.0.1');
      await script.waitForLog(/blocked/);
      answers.length = 0;
      await waitUntil(
        () => {
          socket.send('free', port, '127.0.0.1');
          return answers.includes('0 free') || answers.includes('1 free');
        },
        () => `the other process: ${script.describe()}`,
      );
      writeFileSync(join(script.folder, 'go'), '');
      socket.close();
    });

    it('sends an answer also when the process ends right behind it', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('udp://127.0.0.1:${port}');
        worker.onWorkerStart = () => Worker.log('up');
        worker.onMessage = (connection, data) => { connection.send('last of ' + data); process.exit(); };`);
      await script.waitForLog(/up/);
      const { socket, answers } = await greeted(script, port, 'one');
      expect(answers[0]).to.equal('last of one');
      socket.close();
    });
  });

  describe('reusePort', () => {
    it('serves from every process, and goes on when one has crashed', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.count = 2;
        worker.reusePort = true;
        worker.onWorkerStart = () => Worker.log('up');
        worker.onMessage = (connection) => connection.send(worker.id + ' ' + process.pid);`);
      const bothServe = (): Promise<string[]> =>
        until(script, async () => {
          const answers = new Set(await Promise.all(Array.from({ length: 20 }, () => bodyOf(port).catch(() => ''))));
          const seen = [...answers].filter((answer) => answer !== '').sort();
          return seen.length === 2 && seen;
        });
      await script.started();
      const before = await bothServe();
      process.kill(Number(before[0]!.split(' ')[1]), 'SIGKILL');
      const after = await until(script, async () => {
        const seen = await bothServe();
        return seen[0] !== before[0] && seen;
      });
      expect(after[1]).to.equal(before[1]);
      expect(after.map((answer) => answer[0])).to.deep.equal(['0', '1']);
    });

    it('keeps its port through reloads', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.reusePort = true;
        worker.onMessage = (connection) => connection.send(String(process.pid));`);
      await script.started();
      const answer = (not = ''): Promise<string> =>
        until(script, async () => {
          const pid = await bodyOf(port).catch(() => not);
          return pid !== not && pid;
        });
      const first = await answer();
      script.signal('SIGUSR1');
      const second = await answer(first);
      script.signal('SIGUSR2');
      await answer(second);
    });
  });
});
