import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { cleanUpScripts, freePort, waitUntil, type Script } from '../support/process.js';
import { bodyOf, logged, serviceText, spoken, startService, until, type ServiceOptions } from '../support/service.js';

interface Service {
  script: Script;
  port: number;
}

async function service(extra = '', options: ServiceOptions = {}): Promise<Service> {
  const port = await freePort();
  const script = startService(
    `const worker = new Worker('http://127.0.0.1:${port}');
     worker.onMessage = (connection) => connection.send(String(process.pid));
     ${extra}`,
    options,
  );
  await script.started();
  return { script, port };
}

/** Waits until the service is served by a process other than those. */
function served(port: number, script: Script, not: string[] = []): Promise<string> {
  return waitUntil(
    async () => {
      const pid = await bodyOf(port).catch(() => '');
      return pid !== '' && !not.includes(pid) ? pid : null;
    },
    () => `another process: ${script.describe()}`,
  );
}

/** True when somebody listens on the loopback interface. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe('signals', function () {
  this.timeout(30_000);

  describe('to the master', () => {
    afterEach(cleanUpScripts);

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const) {
      it(`${signal} stops the service`, async () => {
        const { script, port } = await service();
        await served(port, script);
        script.signal(signal);
        expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
        expect(spoken(script.output).slice(1)).to.deep.equal([
          `Workerman[start.mjs] received signal ${signal}`,
          'Workerman[start.mjs] stopping',
          'Workerman[start.mjs] has been stopped',
        ]);
        await script.leavesNothingBehind();
      });
    }

    it('SIGQUIT stops it gracefully', async () => {
      const { script, port } = await service();
      const client = connect(port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => client.once('data', resolve));
      script.signal('SIGQUIT');
      await script.waitFor(/received signal SIGQUIT\n[\s\S]*stopping\n[\s\S]*remains 1 connection\(s\)/);
      client.end();
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.match(/remains 0 connection\(s\)\n[\s\S]*has been stopped\n$/);
    });

    for (const [signal, graceful] of [
      ['SIGUSR1', false],
      ['SIGUSR2', true],
    ] as const) {
      it(`${signal} reloads${graceful ? ' gracefully' : ''}`, async () => {
        const { script, port } = await service(
          'worker.onWorkerStop = () => Worker.log(`graceful ${Worker.getGracefulStop()}`);',
        );
        const before = await served(port, script);
        script.signal(signal);
        await served(port, script, [before]);
        await script.waitFor(new RegExp(`graceful ${graceful}`));
        expect(spoken(script.output)).to.include('Workerman[start.mjs] reloading');
        expect(script.output).not.to.contain('received signal');
      });
    }

    it('SIGPIPE, SIGIOT, SIGABRT and SIGIO do nothing', async () => {
      const { script, port } = await service();
      const worker = await served(port, script);
      for (const signal of ['SIGPIPE', 'SIGIOT', 'SIGABRT', 'SIGIO'] as const) script.signal(signal);
      expect(await bodyOf(port)).to.equal(worker);
      expect((await script.run(['status'])).output).to.contain('1 workers    1 processes');
    });

    it('SIGINT during a graceful stop takes over', async () => {
      const { script, port } = await service();
      const client = connect(port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => client.once('data', resolve));
      script.signal('SIGQUIT');
      await script.waitFor(/remains 1 connection\(s\)/);
      script.signal('SIGINT');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      client.destroy();
    });

    it('an order comes first: a listener that the script has added takes no effect', async () => {
      const { script, port } = await service("process.on('SIGTERM', () => process.exit(7));");
      await served(port, script);
      script.signal('SIGTERM');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.contain('has been stopped');
    });
  });

  describe('to a worker process that may be replaced', () => {
    let running: Service;
    let worker: string;

    before(async () => {
      running = await service(
        "for (const name of ['onWorkerReload', 'onWorkerStop']) worker[name] = () => Worker.log(`${name} ${Worker.getGracefulStop()}`);",
      );
      worker = await served(running.port, running.script);
    });

    after(cleanUpScripts);

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) {
      it(`${signal} ends it, and another takes its place`, async () => {
        const { script, port } = running;
        const from = script.output.length;
        script.signal(signal, Number(worker));
        worker = await served(port, script, [worker]);
        const said = script.output.slice(from);
        const graceful = signal === 'SIGQUIT' || signal === 'SIGUSR2';
        expect(said).to.contain(`onWorkerStop ${graceful}`);
        expect(said.includes(`onWorkerReload ${graceful}`)).to.equal(signal.startsWith('SIGUSR'));
        expect(said).not.to.contain('exit with status');
      });
    }

    it('each of these ends counts with status 0', async () => {
      expect((await running.script.run(['status'])).output).to.match(/none +node +0 +7 +\n/);
    });
  });

  describe('to a worker process', () => {
    afterEach(cleanUpScripts);

    it('SIGUSR1 and SIGUSR2 leave one that is not reloadable where it is', async () => {
      const { script, port } = await service(
        'worker.reloadable = false; worker.onWorkerReload = () => Worker.log("told");',
      );
      const before = await served(port, script);
      for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
        const from = script.output.length;
        script.signal(signal, Number(before));
        await script.waitFor(/told/, { from });
      }
      expect(await bodyOf(port)).to.equal(before);
    });

    it('SIGPIPE, SIGIOT, SIGABRT and SIGIO do nothing', async () => {
      const { script, port } = await service();
      const before = await served(port, script);
      for (const signal of ['SIGPIPE', 'SIGIOT', 'SIGABRT', 'SIGIO'] as const) script.signal(signal, Number(before));
      expect(await bodyOf(port)).to.equal(before);
    });

    it('its own handler on the event loop replaces ours', async () => {
      const { script, port } = await service(
        "worker.onWorkerStart = () => Worker.getEventLoop().onSignal('SIGTERM', () => Worker.log('mine'));",
      );
      const before = await served(port, script);
      script.signal('SIGTERM', Number(before));
      await script.waitFor(/mine/);
      expect(await bodyOf(port)).to.equal(before);
    });

    it('it may stop the whole service by a signal to its parent', async () => {
      const { script, port } = await service(
        "worker.onMessage = (connection) => { connection.close('bye'); process.kill(process.ppid, 'SIGINT'); };",
      );
      expect(await bodyOf(port)).to.equal('bye');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.match(/received signal SIGINT\n.*stopping\n.*has been stopped\n$/);
    });
  });

  describe('SIGUSR1 opens no inspector', () => {
    afterEach(cleanUpScripts);

    it('in master and worker process, whose listeners user code has removed', async () => {
      const { script, port } = await service(
        "worker.onWorkerStart = () => process.removeAllListeners('SIGUSR1'); worker.reloadable = false;",
      );
      const before = await served(port, script);
      script.signal('SIGUSR1', Number(before));
      script.signal('SIGUSR1');
      await script.waitFor(/reloading/);
      expect(await bodyOf(port)).to.equal(before);
      expect(await listens(9229)).to.equal(false);
      expect(script.output).not.to.contain('Debugger');
    });

    it('in a process that has only just imported the package, nor is it the end of it', async () => {
      const { startScript } = await import('../support/process.js');
      const script = startScript({
        name: 'start.mjs',
        launcher: [process.execPath],
        source: serviceText(
          "process.kill(process.pid, 'SIGUSR1'); setTimeout(() => { console.log('alive'); Worker.runAll(); }, 50);",
        ),
        args: ['status'],
      });
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.contain('alive').and.not.contain('Debugger');
    });
  });

  describe('Ctrl+C, which everybody in the foreground hears', () => {
    afterEach(cleanUpScripts);

    it('ends the service in order, says each line once and starts no replacement', async () => {
      const port = await freePort();
      const script = startService(
        `const worker = new Worker('http://127.0.0.1:${port}');
         worker.count = 3;
         worker.onMessage = (connection) => connection.send('x');
         worker.onWorkerStart = () => Worker.log('worker up');
         worker.onWorkerStop = () => Worker.log('worker down');`,
        { before: ['setsid', '--fork', '--wait'] },
      );
      await until(script, () => script.output.split('worker up').length === 4);
      const master = Number(readFileSync(join(script.folder, 'workerman.start.mjs.pid'), 'utf8'));
      process.kill(-master, 'SIGINT');
      process.kill(-master, 'SIGINT');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      await script.leavesNothingBehind();
      const lines = logged(script);
      expect(lines.filter((line) => line === 'worker down')).to.have.length(3);
      expect(lines.filter((line) => line === 'worker up')).to.have.length(3);
      expect(lines.filter((line) => line.startsWith('Workerman['))).to.deep.equal([
        'Workerman[start.mjs] start in DEBUG mode',
        'Workerman[start.mjs] received signal SIGINT',
        'Workerman[start.mjs] stopping',
        'Workerman[start.mjs] has been stopped',
      ]);
      expect(script.output).not.to.contain('exit with status');
    });

    it('ends the live status with exit code 0', async () => {
      const { script } = await service();
      const live = spawn(process.execPath, [script.file, 'status', '-d'], {
        cwd: script.folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => live.stdout.once('data', () => live.stdout.once('data', resolve)));
      const ended = new Promise((resolve) => live.once('exit', (code, signal) => resolve({ code, signal })));
      live.kill('SIGINT');
      expect(await ended).to.deep.equal({ code: 0, signal: null });
    });
  });
});
