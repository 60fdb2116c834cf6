import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpScripts, startScript } from '../support/process.js';
import { bodyOf, get, logged, spoken, until } from '../support/service.js';
import { echo, pidFile, serviceFiles } from '../support/services.js';

const USAGE = `Usage: node yourfile <command> [mode]
Commands: 
start\t\tStart worker in DEBUG mode.
\t\tUse mode -d to start in DAEMON mode.
stop\t\tStop worker.
\t\tUse mode -g to stop gracefully.
restart\t\tRestart workers.
\t\tUse mode -d to start in DAEMON mode.
\t\tUse mode -g to stop gracefully.
reload\t\tReload codes.
\t\tUse mode -g to reload gracefully.
status\t\tGet worker status.
\t\tUse mode -d to show live status.
connections\tGet worker connections.
`;

/** Texts compared without their white space, which the usage has much of. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

describe('commands', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('an order to nobody', () => {
    it('is answered with "not run" by stop, reload, status and connections, and with the usage where it is none', async () => {
      const { script } = await echo({ args: ['-h'] });
      const [stop, gracefulStop, reload, status, connections, json, help, unknown] = await Promise.all([
        script.run(['stop']),
        script.run(['stop', '-g']),
        script.run(['reload', '-g']),
        script.run(['status', '-d']),
        script.run(['connections']),
        script.run(['status', '--json']),
        script.run(['start', '--help']),
        script.run(['strat', '-d']),
      ]);
      const notRun = (command: string): object => ({
        code: 0,
        signal: null,
        output: `Workerman[start.mjs] ${command}\nWorkerman[start.mjs] not run\n`,
      });
      expect(stop).to.deep.equal(notRun('stop'));
      expect(gracefulStop).to.deep.equal(notRun('stop'));
      expect(reload).to.deep.equal(notRun('reload'));
      expect(status).to.deep.equal(notRun('status'));
      expect(connections).to.deep.equal(notRun('connections'));
      expect(json.output).to.equal('Workerman[start.mjs] not run\n');
      expect(help.code).to.equal(0);
      expect(words(help.output)).to.deep.equal(words(USAGE));
      expect(unknown.code).to.equal(1);
      expect(words(unknown.output)).to.deep.equal(words(USAGE));
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(logged(script), 'not run is logged as well').to.include('Workerman[start.mjs] not run');
    });

    it('names the dead master of the pid file', async () => {
      const { script } = await echo({ args: ['-h'] });
      await script.exit();
      writeFileSync(pidFile(script), '4194300');
      const [reload, stop] = await Promise.all([script.run(['reload']), script.run(['stop'])]);
      expect(reload.output).to.equal(
        'Workerman[start.mjs] reload\nMaster pid:4194300 is not alive\nWorkerman[start.mjs] not run\n',
      );
      expect(stop.output).to.equal(
        'Workerman[start.mjs] stop\nMaster pid:4194300 is not alive\nWorkerman[start.mjs] not run\n',
      );
    });
  });

  describe('stop', () => {
    it('waits for the end and says so', async () => {
      const { script } = await echo();
      await script.started();
      const stop = await script.run(['stop']);
      expect(stop).to.deep.equal({
        code: 0,
        signal: null,
        output: 'Workerman[start.mjs] stop\nWorkerman[start.mjs] is stopping ...\nWorkerman[start.mjs] stop success\n',
      });
      expect(script.processes().size).to.equal(0);
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(logged(script)).to.include.members([
        'Workerman[start.mjs] stop',
        'Workerman[start.mjs] is stopping ...',
        'Workerman[start.mjs] received signal SIGINT',
        'Workerman[start.mjs] stopping',
        'Workerman[start.mjs] has been stopped',
        'Workerman[start.mjs] stop success',
      ]);
    });

    it('with -g waits for the last connection, and a plain stop meanwhile takes over', async () => {
      const { script, port } = await echo();
      await script.started();
      const client = connect(port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => client.once('data', resolve));
      const graceful = script.run(['stop', '-g']);
      await script.waitFor(/remains 1 connection\(s\)/);
      const plain = await script.run(['stop']);
      expect(plain.output).to.equal(
        'Workerman[start.mjs] stop\nWorkerman[start.mjs] is stopping ...\nWorkerman[start.mjs] stop success\n',
      );
      expect((await graceful).output).to.equal(
        'Workerman[start.mjs] stop\nWorkerman[start.mjs] is gracefully stopping ...\nWorkerman[start.mjs] stop success\n',
      );
      client.destroy();
      expect(spoken(script.output).filter((line) => !line.startsWith('worker['))).to.deep.equal([
        'Workerman[start.mjs] start in DEBUG mode',
        'Workerman[start.mjs] received signal SIGQUIT',
        'Workerman[start.mjs] stopping',
        'Workerman[start.mjs] has been stopped',
      ]);
    });

    it('kills a stuck worker process after stopTimeout', async () => {
      const { script, port } = await echo(
        {},
        `
        Worker.stopTimeout = 0.3;
        worker.onMessage = () => { fs.writeFileSync('stuck', ''); for (;;); };`,
      );
      await script.started();
      void get(port).catch(() => {});
      await until(script, () => existsSync(join(script.folder, 'stuck')));
      const stop = await script.run(['stop']);
      expect(stop.code).to.equal(0);
      expect(stop.output).to.contain('stop success');
      expect(script.output).to.match(/worker\[none:\d+\] exit with status 9\n/);
    });

    it('fails with exit code 1 when the master is still there three seconds after that', async () => {
      const { script } = await echo({}, 'Worker.stopTimeout = 0; Worker.onMasterStop = () => new Promise(() => {});');
      await script.started();
      const stop = await script.run(['stop']);
      expect(stop).to.deep.equal({
        code: 1,
        signal: null,
        output: 'Workerman[start.mjs] stop\nWorkerman[start.mjs] is stopping ...\nWorkerman[start.mjs] stop fail\n',
      });
    });

    it('that comes while the service is starting stops it', async () => {
      const { script } = await echo(
        { args: ['start', '-d'] },
        "if (process.argv.includes('start')) await new Promise((r) => setTimeout(r, 300));",
      );
      await until(script, () => existsSync(`${pidFile(script)}.lock`));
      const stop = await script.run(['stop']);
      expect(stop.output).to.contain('stop success');
      await script.exit();
      await script.leavesNothingBehind();
      expect(serviceFiles(script.folder)).to.deep.equal([]);
    });

    it('while worker processes still read the script ends them in order', async () => {
      const { script } = await echo({}, 'if (process.send) await new Promise((r) => setTimeout(r, 700));');
      await script.started();
      const stop = await script.run(['stop']);
      expect(stop.output).to.contain('stop success');
      expect(script.output).not.to.contain('exit with status');
      expect(script.output).to.match(/has been stopped\n$/);
    });
  });

  describe('restart', () => {
    it('of a running service stops it and starts in the foreground', async () => {
      const { script, port } = await echo();
      await script.started();
      const source = readFileSync(script.file, 'utf8');
      const next = startScript({
        source,
        launcher: [process.execPath],
        name: 'start.mjs',
        folder: script.folder,
        args: ['restart'],
      });
      await next.started();
      expect(spoken(next.output)).to.deep.equal([
        'Workerman[start.mjs] restart',
        'Workerman[start.mjs] is stopping ...',
        'Workerman[start.mjs] stop success',
      ]);
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(await bodyOf(port)).to.match(/^\d+$/);
      await next.stop();
    });

    it('of nothing starts, with the same lines', async () => {
      const { script } = await echo({ args: ['restart'] });
      await script.started();
      expect(spoken(script.output)).to.deep.equal([
        'Workerman[start.mjs] restart',
        'Workerman[start.mjs] is stopping ...',
        'Workerman[start.mjs] stop success',
      ]);
      expect(script.output).to.contain('Press Ctrl+C to stop. Start success.');
    });

    it('with -g and -d in any order stops gracefully and starts a daemon', async () => {
      const { script, port } = await echo();
      await script.started();
      const restart = await script.run(['restart', '-d', '-g']);
      expect(restart.code).to.equal(0);
      expect(spoken(restart.output)).to.deep.equal([
        'Workerman[start.mjs] restart',
        'Workerman[start.mjs] is gracefully stopping ...',
        'Workerman[start.mjs] stop success',
      ]);
      expect(restart.output).to.contain('Input "node start.mjs stop" to stop. Start success.');
      expect(script.output).to.contain('received signal SIGQUIT');
      expect(await bodyOf(port)).to.match(/^\d+$/);
      const again = await script.run(['-q', '-d', 'restart']);
      expect(again.output).to.equal(
        'Workerman[start.mjs] restart\nWorkerman[start.mjs] is stopping ...\nWorkerman[start.mjs] stop success\n',
      );
      expect(await bodyOf(port)).to.match(/^\d+$/);
    });
  });

  describe('reload', () => {
    it('does not wait, and one that comes during another is dropped', async () => {
      const { script, port } = await echo(
        {},
        `
        worker.onWorkerReload = () => new Promise((resolve) => {
          const timer = setInterval(() => { if (fs.existsSync('go')) { clearInterval(timer); resolve(); } }, 10);
        });
        Worker.stopTimeout = 20;`,
      );
      await script.started();
      const before = await bodyOf(port);
      const first = await script.run(['reload']);
      expect(first).to.deep.equal({ code: 0, signal: null, output: 'Workerman[start.mjs] reload\n' });
      await script.run(['reload', '-g']);
      writeFileSync(join(script.folder, 'go'), '');
      await until(script, async () => (await bodyOf(port)) !== before);
      expect(logged(script).filter((line) => line === 'Workerman[start.mjs] reloading')).to.have.length(1);
    });
  });

  describe('the way to the master', () => {
    it('is a socket in a private folder when the path is too long for one', async () => {
      const top = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
      const folder = join(top, 'a'.repeat(60), 'b'.repeat(60));
      mkdirSync(folder, { recursive: true });
      try {
        const { script, port } = await echo({ folder, args: ['start', '-d'] });
        await script.exit();
        expect(await bodyOf(port)).to.match(/^\d+$/);
        expect(serviceFiles(folder)).to.deep.equal(['workerman.start.mjs.pid']);
        expect((await script.run(['status'])).output).to.contain('1 workers    1 processes');
        const place = join(tmpdir(), `workerman-${process.getuid?.()}`);
        expect(statSync(place).mode & 0o777).to.equal(0o700);
        expect((await script.run(['stop'])).output).to.contain('stop success');
      } finally {
        rmSync(top, { recursive: true, force: true });
      }
    });

    it('is a signal when the socket file is gone', async () => {
      const { script, port } = await echo();
      await script.started();
      const before = await bodyOf(port);
      unlinkSync(`${pidFile(script)}.sock`);
      expect((await script.run(['start'])).output).to.contain('already running');
      expect((await script.run(['reload'])).output).to.equal('Workerman[start.mjs] reload\n');
      await until(script, async () => (await bodyOf(port)) !== before);
      expect((await script.run(['stop', '-g'])).output).to.contain('stop success');
      expect(script.output).to.contain('received signal SIGQUIT');
    });

    it('is there although a stopped master gives no answer: it counts as running', async () => {
      const { script } = await echo();
      await script.started();
      script.signal('SIGSTOP');
      expect((await script.run(['start'])).output).to.contain('already running');
      script.signal('SIGCONT');
    });
  });
});
