import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { cleanUpScripts, freePort, waitUntil, type Script } from '../support/process.js';
import { orderReload, reloadUnderLoad, ups } from '../support/reloads.js';
import { bodyOf, logged, startService, until } from '../support/service.js';
import { frame, OPCODES, openingRequest } from '../support/websocket.js';

interface Service {
  script: Script;
  port: number;
}

/** A service that logs what happens to its processes. The text of the file `version` is its answer. */
async function service(extra = '', processes = 1): Promise<Service> {
  const port = await freePort();
  const script = startService(
    `const version = fs.existsSync('version') ? fs.readFileSync('version', 'utf8') : 'old';
     const worker = new Worker('http://127.0.0.1:${port}');
     worker.name = 'web';
     worker.count = ${processes};
     worker.onWorkerStart = () => Worker.log('up ' + worker.id + ' ' + process.pid);
     worker.onWorkerReload = () => Worker.log('told ' + worker.id + ' ' + Worker.getStatus());
     worker.onWorkerStop = () => Worker.log('down ' + worker.id);
     worker.onMessage = (connection) => connection.send(version);
     Worker.onWorkerExit = (worker, status) => Worker.log('exit ' + status);
     ${extra}`,
  );
  await until(script, () => ups(script).length >= processes);
  return { script, port };
}

const setVersion = (script: Script, text: string): void => writeFileSync(join(script.folder, 'version'), text);

/** Waits for a line of the log. */
const saw = (script: Script, pattern: RegExp): Promise<string> =>
  waitUntil(
    () => logged(script).find((line) => pattern.test(line)),
    () => `${pattern} of ${script.describe()}`,
  );

/** Replaces some text of the script, as a deploy does. */
function deploy(script: Script, from: string, to: string): void {
  const text = readFileSync(script.file, 'utf8');
  if (!text.includes(from)) throw new Error(`the script has no ${from}`);
  writeFileSync(script.file, text.replace(from, to));
}

/** A client with one connection that it keeps, and all that came over it. */
class Client {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data: Buffer) => (this.text += data.toString()));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
  }

  async ask(pattern: RegExp, path = '/'): Promise<string> {
    this.text = '';
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await this.sees(pattern);
    return this.text;
  }

  async sees(pattern: RegExp): Promise<void> {
    await waitUntil(
      () => pattern.test(this.text),
      () => `${pattern} in ${this.text}`,
    );
  }

  async seesTheEnd(): Promise<void> {
    await waitUntil(
      () => this.closed,
      () => 'the end of a connection',
    );
  }
}

describe('reload', function () {
  this.timeout(40_000);
  afterEach(cleanUpScripts);

  describe('plain', () => {
    it('replaces one process after the other, in order, each under its id', async () => {
      const { script } = await service('', 3);
      const first = logged(script).length;
      const order = ups(script);
      await orderReload(script, false);
      await until(script, () => ups(script).length === 6);
      const lines = logged(script)
        .slice(first)
        .map((line) => line.replace(/ \d+$/, (end) => (line.startsWith('up') ? '' : end)));
      const steps = ['0', '1', '2'].flatMap((id) => [`told ${id} 2`, `down ${id}`, 'exit 0', `up ${id}`]);
      expect(lines).to.deep.equal(['Workerman[start.mjs] reloading', ...steps]);
      expect(new Set([...order, ...ups(script)]).size, 'all of them are new').to.equal(6);
    });

    it('brings new code', async () => {
      const { script, port } = await service();
      expect(await bodyOf(port)).to.equal('old');
      deploy(script, 'connection.send(version)', "connection.send('deployed')");
      await orderReload(script, false);
      await until(script, async () => (await bodyOf(port)) === 'deployed');
    });

    it('closes connections that are idle, and answers what is under way before', async () => {
      const { script, port } = await service(`
        worker.onMessage = async (connection, request) => {
          if (request.path() === '/slow') while (!fs.existsSync('go')) await Timer.sleep(0.01);
          connection.send(version);
        };`);
      const idle = new Client(port);
      const slow = new Client(port);
      await Promise.all([idle.ask(/old/), slow.ask(/old/)]);
      const answer = slow.ask(/old$/, '/slow');
      await until(script, async () => (await script.run(['connections'])).output.split('ESTABLISHED').length === 3);
      await orderReload(script, false);
      await idle.seesTheEnd();
      expect(slow.closed).to.equal(false);
      writeFileSync(join(script.folder, 'go'), '');
      expect(await answer).to.match(/\r\nConnection: close\r\n/i);
      await slow.seesTheEnd();
      await until(script, () => ups(script).length === 2);
      expect(logged(script)).to.include('exit 0');
    });

    it('kills a process that has not gone after stopTimeout', async () => {
      const { script, port } = await service(
        'Worker.stopTimeout = 0.2; worker.onMessage = () => new Promise(() => {});',
      );
      const client = new Client(port);
      client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(script, async () => (await script.run(['status'])).output.includes('  1             0      [idle]'));
      await orderReload(script, false);
      await until(script, () => ups(script).length === 2);
      expect(logged(script).filter((line) => /exit with status 9$/.test(line))).to.have.length(1);
      expect(logged(script)).to.include('exit 9');
      client.socket.destroy();
    });

    it('replaces a process whose onWorkerReload throws, and says so', async () => {
      const { script, port } = await service("worker.onWorkerReload = async () => { throw new Error('in reload'); };");
      setVersion(script, 'new');
      await orderReload(script, false);
      await until(script, async () => (await bodyOf(port)) === 'new');
      expect(logged(script)).to.include('Error: in reload').and.include('exit 64000').and.include('down 0');
    });
  });

  describe('of a Worker that is not reloadable', () => {
    for (const graceful of [false, true]) {
      it(`only tells its processes, all at once and first${graceful ? ', gracefully too' : ''}`, async () => {
        const { script, port } = await service(`
          const fixed = new Worker();
          fixed.name = 'fixed';
          fixed.count = 2;
          fixed.reloadable = false;
          fixed.onWorkerReload = () => Worker.log('fixed told');
          fixed.onWorkerStart = () => Worker.log('fixed up');`);
        await until(script, () => logged(script).filter((line) => line === 'fixed up').length === 2);
        setVersion(script, 'new');
        await orderReload(script, graceful);
        await until(script, async () => (await bodyOf(port)) === 'new');
        expect(logged(script).filter((line) => line === 'fixed told')).to.have.length(2);
        expect(logged(script).filter((line) => line === 'fixed up')).to.have.length(2);
      });
    }
  });

  describe('onMasterReload', () => {
    it('runs once, in the master, before any process is told, and may change the number of processes', async () => {
      const { script } = await service(`
        Worker.onMasterReload = () => {
          Worker.log('master told ' + process.pid + ' ' + (Worker.getStatus() === Worker.STATUS_RELOADING));
          worker.count = Number(fs.readFileSync('count', 'utf8'));
          // Comes too late to be part of the service.
          new Worker().count = 2;
        };`);
      const processes = async (): Promise<string> => /\d+ processes/.exec((await script.run(['status'])).output)![0];
      writeFileSync(join(script.folder, 'count'), '3');
      await orderReload(script, false);
      await until(script, () => ups(script).length === 4);
      expect(
        ups(script)
          .slice(1)
          .map((line) => line.split(' ')[1])
          .sort(),
      ).to.deep.equal(['0', '1', '2']);
      expect(await processes()).to.equal('3 processes');
      const lines = logged(script);
      expect(lines).to.include(`master told ${script.pid} true`);
      expect(lines.indexOf(`master told ${script.pid} true`)).to.be.below(lines.indexOf('told 0 2'));
      writeFileSync(join(script.folder, 'count'), '1');
      await orderReload(script, true);
      const exits = (): string[] => logged(script).filter((line) => line.startsWith('exit '));
      await until(script, () => ups(script).length === 5 && exits().length === 4);
      expect(await processes()).to.equal('1 processes');
      expect(exits()).to.deep.equal(Array(4).fill('exit 0'));
    });

    it('that throws stops the service', async () => {
      const { script } = await service("Worker.onMasterReload = () => { throw new Error('no reload'); };");
      await orderReload(script, false);
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(logged(script))
        .to.include('Workerman[start.mjs] Error: no reload')
        .and.include('Workerman[start.mjs] stopping, code [250]');
    });
  });

  describe('that fails', () => {
    for (const graceful of [false, true]) {
      const mode = graceful ? 'graceful' : 'plain';

      it(`${mode}: a script that does not load changes nothing, and the next one does`, async () => {
        const { script, port } = await service('', 2);
        deploy(
          script,
          "worker.name = 'web'",
          "worker.name = 'web'; if (process.send) throw new Error('broken deploy')",
        );
        await orderReload(script, graceful);
        await saw(script, /^Workerman\[start.mjs\] reload aborted: worker\[web\] failed to start$/);
        const { output } = await script.run(['status']);
        expect(output)
          .to.contain('1 workers    2 processes')
          .and.match(/web +node +256 +1 /);
        expect(await bodyOf(port)).to.equal('old');
        expect(logged(script).filter((line) => line.startsWith('told'))).to.deep.equal([]);
        deploy(script, "if (process.send) throw new Error('broken deploy')", '');
        setVersion(script, 'repaired');
        await orderReload(script, graceful);
        await until(script, () => ups(script).length === 4);
        await until(script, async () => (await bodyOf(port)) === 'repaired');
      });
    }

    it('plain: an onWorkerStart that throws costs the first process, the others go on', async () => {
      const { script, port } = await service('', 2);
      deploy(
        script,
        'worker.onWorkerStart = () =>',
        "worker.onWorkerStart = () => { throw new Error('no database'); }; worker.onBufferFull = () =>",
      );
      await orderReload(script, false);
      await saw(script, /reload aborted: worker\[web\] failed to start$/);
      expect(await bodyOf(port)).to.equal('old');
      expect(logged(script).filter((line) => line.startsWith('told'))).to.deep.equal(['told 0 2']);
    });

    it('graceful: an onWorkerStart that throws costs nothing, inner Workers included', async () => {
      const inner = await freePort();
      const { script, port } = await service(`
        worker.onWorkerStart = async () => {
          const inside = new Worker('http://127.0.0.1:${inner}');
          inside.onMessage = (connection) => connection.send('inside');
          await inside.listen();
          Worker.log('up ' + worker.id + ' ' + process.pid);
          if (fs.existsSync('version')) throw new Error('no database');
        };`);
      const client = new Client(port);
      await client.ask(/old/);
      setVersion(script, 'new');
      await orderReload(script, true);
      await saw(script, /reload aborted: worker\[web\] failed to start$/);
      expect(await client.ask(/old$/), 'kept connections').to.not.match(/connection: close/i);
      expect(await bodyOf(port), 'new connections').to.equal('old');
      await until(script, async () => (await bodyOf(inner).catch(() => '')) === 'inside');
      client.socket.destroy();
    });

    it('plain: of a service that crashes in a loop, cures it', async () => {
      const port = await freePort();
      const script = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.onWorkerStart = () => { throw new Error('no database'); };
        worker.onMessage = (connection) => connection.send('cured');`);
      await script.waitFor(/exit with status 64000/);
      deploy(script, "throw new Error('no database');", '');
      await orderReload(script, false);
      expect(await bodyOf(port)).to.equal('cured');
    });
  });

  describe('graceful', () => {
    it('leaves streams, WebSockets and kept connections with the old process, shown as draining, and new ones get the new code', async () => {
      const chat = await freePort();
      const { script, port } = await service(`
        const chat = new Worker('websocket://127.0.0.1:${chat}');
        chat.onMessage = (connection, text) => connection.send(version + ' ' + text);
        chat.onWorkerStart = () => Worker.log('chat up');
        worker.onMessage = (connection, request) => {
          if (request.path() !== '/stream') return connection.send(version);
          connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
          const timer = Timer.add(0.02, () => {
            if (connection.getStatus() === TcpConnection.STATUS_ESTABLISHED) connection.send(new ServerSentEvents({ data: version }));
            else Timer.del(timer);
          });
        };`);
      const stream = new Client(port);
      const kept = new Client(port);
      const talk = new Client(chat);
      const talks = async (text: string, answer: string): Promise<void> => {
        talk.text = '';
        talk.socket.write(frame({ opcode: OPCODES.text, payload: text }));
        await talk.sees(new RegExp(answer));
      };
      talk.socket.write(openingRequest());
      await talk.sees(/^HTTP\/1.1 101 [\s\S]*\r\n\r\n/);
      await Promise.all([stream.ask(/data: old/, '/stream'), kept.ask(/old$/), talks('hello', 'old hello')]);
      setVersion(script, 'new');
      await orderReload(script, true);
      await until(script, async () => (await bodyOf(port)) === 'new');
      await until(script, () => logged(script).filter((line) => line === 'chat up').length === 2);
      stream.text = '';
      await stream.sees(/data: old/);
      const { output } = await until(script, async () => {
        const status = await script.run(['status']);
        return status.output.split('[draining]').length === 3 && status;
      });
      expect(output)
        .to.contain('2 workers    4 processes')
        .and.match(/ \[draining\]\n/)
        .and.match(/ \[idle\]\n/);
      await talks('again', 'old again');
      expect(await kept.ask(/old$/)).to.match(/\r\nConnection: close\r\n/i);
      await kept.seesTheEnd();
      stream.text = '';
      await stream.sees(/data: old/);

      // Later reloads do not wait for it either.
      setVersion(script, 'newer');
      await orderReload(script, true);
      await until(script, async () => (await bodyOf(port)) === 'newer');
      stream.text = '';
      await stream.sees(/data: old/);
      await talks('still', 'old still');
      stream.socket.destroy();
      talk.socket.destroy();
      const exits = (): string[] => logged(script).filter((line) => line.startsWith('exit '));
      await until(script, () => exits().length === 4);
      expect(exits()).to.deep.equal(Array(4).fill('exit 0'));
      expect((await script.run(['status'])).output).to.contain('2 workers    2 processes');
    });

    it('ends with a draining process when drainTimeout is over: connections closed, exit code 0', async () => {
      const { script, port } = await service(`
        Worker.drainTimeout = 0.3;
        Worker.stopTimeout = 0.2;
        worker.onMessage = (connection, request) => {
          connection.send(version);
          if (request.path() === '/pending') return new Promise(() => {});
        };`);
      const idle = new Client(port);
      const pending = new Client(port);
      const half = new Client(port);
      await Promise.all([idle.ask(/old$/), pending.ask(/old$/, '/pending'), half.ask(/old$/)]);
      half.socket.write('GET /');
      setVersion(script, 'new');
      await orderReload(script, true);
      await Promise.all([idle.seesTheEnd(), pending.seesTheEnd(), half.seesTheEnd()]);
      await saw(script, /^exit /);
      expect(logged(script).filter((line) => /^exit|exit with/.test(line))).to.deep.equal(['exit 0']);
      expect(await bodyOf(port)).to.equal('new');
    });

    it('is no way round a stop, which reaches draining processes as well', async () => {
      const { script, port } = await service();
      const client = new Client(port);
      await client.ask(/old$/);
      await orderReload(script, true);
      await until(script, () => ups(script).length === 2 && logged(script).includes('down 0'));
      expect(client.closed).to.equal(false);
      await script.stop();
      await client.seesTheEnd();
      expect(script.output).not.to.contain('exit with status');
    });

    it('replaces a process that is too busy to hear of it', async () => {
      const { script, port } = await service(
        "Worker.stopTimeout = 0.2; worker.onMessage = (connection) => { if (version === 'old') for (;;); connection.send(version); };",
      );
      const client = new Client(port);
      client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(script, async () => (await script.run(['status'])).output.includes('[busy]'));
      setVersion(script, 'new');
      await orderReload(script, true);
      expect(await bodyOf(port)).to.equal('new');
      client.socket.destroy();
    });
  });

  describe('under load', () => {
    for (const graceful of [false, true]) {
      for (const count of [1, 2]) {
        it(`loses no request, ${graceful ? 'graceful' : 'plain'}, count ${count}`, async () => {
          const { result } = await reloadUnderLoad(count, graceful, 4, 10);
          expect(result.failures).to.deep.equal([]);
          expect(result.answers).to.be.above(800);
        });
      }
    }
  });
});
