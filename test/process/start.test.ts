import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpScripts, freePort, startScript } from '../support/process.js';
import { bodyOf, logged, spoken, startService, until } from '../support/service.js';
import { echo, pidFile, serviceFiles } from '../support/services.js';

describe('commands', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('start', () => {
    it('says so, shows the banner, serves, and on Ctrl+C says in order how it ends', async () => {
      const { script, port } = await echo();
      await script.started();
      expect(await bodyOf(port)).to.match(/^\d+$/);
      const lines = script.output.split('\n');
      expect(lines[0]).to.equal('Workerman[start.mjs] start in DEBUG mode');
      expect(lines[1]).to.match(/^-+ WORKERMAN -+$/);
      expect(script.output).to.match(new RegExp(`node +tcp +\\w+ +none +http://127.0.0.1:${port} +1 +\\[OK\\] `));
      expect(lines.slice(-2)).to.deep.equal(['Press Ctrl+C to stop. Start success.', '']);
      const from = script.output.length;
      expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
      expect(script.output.slice(from)).to.equal(
        'Workerman[start.mjs] received signal SIGINT\nWorkerman[start.mjs] stopping\nWorkerman[start.mjs] has been stopped\n',
      );
      expect(logged(script)).to.deep.equal([
        'Workerman[start.mjs] start in DEBUG mode',
        'Workerman[start.mjs] received signal SIGINT',
        'Workerman[start.mjs] stopping',
        'Workerman[start.mjs] has been stopped',
      ]);
    });

    it('has a pid file without a line feed and a private control socket, and leaves nothing of it behind', async () => {
      const { script } = await echo();
      await script.started();
      expect(serviceFiles(script.folder)).to.deep.equal(['workerman.start.mjs.pid', 'workerman.start.mjs.pid.sock']);
      expect(readFileSync(pidFile(script), 'utf8')).to.equal(String(script.pid));
      expect(statSync(pidFile(script)).mode & 0o777).to.equal(0o644);
      expect(statSync(`${pidFile(script)}.sock`).mode & 0o777).to.equal(0o600);
      await script.stop();
      expect(serviceFiles(script.folder)).to.deep.equal([]);
    });

    it('shows no banner with -q, but its line', async () => {
      const { script, port } = await echo({ args: ['-q', 'start'] });
      await until(script, () => bodyOf(port).catch(() => null));
      expect(script.output).to.equal('Workerman[start.mjs] start in DEBUG mode\n');
    });

    it('is the default command', async () => {
      const { script } = await echo({ args: [] });
      await script.started();
      expect(script.output).to.match(/^Workerman\[start.mjs\] start in DEBUG mode\n/);
    });

    it('is the default command with modes alone', async () => {
      const { script, port } = await echo({ args: ['-q', '-d'] });
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.equal('Workerman[start.mjs] start in DAEMON mode\n');
      expect(await bodyOf(port)).to.match(/^\d+$/);
    });

    it('leaves the other words to the program, in worker processes too', async () => {
      const { script, port } = await echo({ args: ['--name', 'blue', 'start', 'stop', '-q'] });
      await until(script, () => bodyOf(port).catch(() => null));
      expect(await bodyOf(port, '/args')).to.equal('--name blue start stop -q');
    });

    for (const [mode, words] of [['DEBUG', ['start']], ['DAEMON', ['start', '-d']]] as const) {
      it(`gives its processes the words that were typed, although the script has put others in their place: ${mode}`, async () => {
        const { script, port } = await echo(
          { args: ['artisan', 'serve'] },
          `const words = process.argv.slice(2).join(' ');
           process.argv.splice(2, 9, ...${JSON.stringify(words)});
           worker.onMessage = (connection) => { connection.send(words); };`,
        );
        if (mode === 'DEBUG') await script.started();
        else expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
        expect(await bodyOf(port)).to.equal('artisan serve');
      });
    }

    it('runs by Worker.command, with a shorter last line', async () => {
      const { script, port } = await echo({ args: [] }, "Worker.command = 'start';");
      await script.started();
      expect(await bodyOf(port)).to.match(/^\d+$/);
      expect(script.output.split('\n').slice(-2)).to.deep.equal(['Start success.', '']);
      const status = await script.run(['stop']);
      expect(status.output, 'a word of the command line comes first').to.contain('stop success');
    });

    it('is a daemon when the script says Worker.daemonize, and the command says so all the same', async () => {
      const { script, port } = await echo({}, 'Worker.daemonize = true;');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.match(/^Workerman\[start.mjs\] start in DAEMON mode\n/);
      expect(script.output).to.match(/Input "node start.mjs stop" to stop. Start success.\n\n$/);
      expect(await bodyOf(port)).to.match(/^\d+$/);
      const stop = await script.run(['stop']);
      expect(stop.output).to.equal(
        'Workerman[start.mjs] stop\nWorkerman[start.mjs] is stopping ...\nWorkerman[start.mjs] stop success\n',
      );
    });

    it('is a daemon by Worker.command with -d', async () => {
      const { script, port } = await echo({ args: [] }, "Worker.command = 'start -d';");
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(await bodyOf(port)).to.match(/^\d+$/);
    });

    it('of a running service says that it is running, in both modes', async () => {
      const { script } = await echo();
      await script.started();
      const [plain, daemon] = await Promise.all([script.run(['start']), script.run(['start', '-d'])]);
      expect(plain).to.deep.equal({
        code: 0,
        signal: null,
        output: 'Workerman[start.mjs] start in DEBUG mode\nWorkerman[start.mjs] already running\n',
      });
      expect(daemon.output).to.equal(
        'Workerman[start.mjs] start in DAEMON mode\nWorkerman[start.mjs] already running\n',
      );
    });

    it('of a running service by another name of the same file says so too: its folder, a link', async () => {
      const { script, port } = await echo({ name: 'index.js' });
      await script.started();
      symlinkSync('index.js', join(script.folder, 'link.js'));
      const folder = join(script.folder, 'elsewhere');
      mkdirSync(folder);
      symlinkSync('..', join(folder, 'release'));
      for (const name of ['.', 'link.js', 'elsewhere/release/index.js', 'elsewhere/release']) {
        const again = startScript({ folder: script.folder, name, launcher: [process.execPath] });
        await again.exit();
        expect(again.output, name).to.equal(
          'Workerman[index.js] start in DEBUG mode\nWorkerman[index.js] already running\n',
        );
      }
      expect(await bodyOf(port)).to.match(/^\d+$/);
    });

    for (const mode of ['in the foreground', 'as a daemon']) {
      it(`twice at the same moment ${mode} makes one service and one "already running"`, async () => {
        const args = mode === 'as a daemon' ? ['start', '-d'] : ['start'];
        const { script, port } = await echo({ args });
        const other = script.run(args).catch(() => null);
        await until(script, () =>
          bodyOf(port).then(
            (body) => body,
            () => null,
          ),
        );
        await until(
          script,
          async () => script.output.includes('already running') || (await other)?.output.includes('already running'),
        );
        const masters = [...script.processes().values()].filter((line) => line.startsWith('WorkerMan: master'));
        expect(masters).to.have.length(1);
        expect(await bodyOf(port)).to.match(/^\d+$/);
        await script.run(['stop']);
        await script.leavesNothingBehind();
        await other;
      });
    }

    it('fails with the reason and exit code 1 when the port is taken, and leaves nothing behind', async () => {
      const server = createServer();
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
      });
      try {
        for (const args of [['start'], ['start', '-d']]) {
          const script = startService(`new Worker('tcp://127.0.0.1:${port}');`, { args });
          expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
          expect(script.output).to.match(/Address already in use[\s\S]*at /);
          expect(script.output).not.to.contain('Start success');
          expect(script.log()).to.contain('Address already in use');
          expect(serviceFiles(script.folder)).to.deep.equal([]);
          await script.leavesNothingBehind();
        }
      } finally {
        server.close();
      }
    });

    it('fails when the pid file can not be written, and gives its address back', async () => {
      const port = await freePort();
      const script = startService(`
        Worker.pidFile = new URL('./pids', import.meta.url).pathname;
        fs.mkdirSync(Worker.pidFile, { recursive: true });
        new Worker('tcp://127.0.0.1:${port}');`);
      expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
      expect(script.output).to.contain(`can not save pid to ${join(script.folder, 'pids')}`);
      expect(readdirSync(script.folder).filter((name) => /sock|lock/.test(name))).to.deep.equal([]);
    });

    it('fails when the pid file would be in a folder that is not there', async () => {
      const script = startService("Worker.pidFile = '/no/such/folder/x.pid'; new Worker();");
      expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
      expect(script.output).to.contain('can not save pid to /no/such/folder/x.pid');
    });

    it('fails when the script is no file that others could run again', async () => {
      const { script } = await echo();
      await script.started();
      const input = readFileSync(join(script.folder, 'start.mjs'), 'utf8');
      const piped = spawnSync(process.execPath, ['--input-type=module', '-', 'start'], {
        cwd: script.folder, input, encoding: 'utf8', timeout: 8000,
      });
      expect(piped.status).to.equal(1);
      expect(piped.stdout).to.contain('WorkermanError: The start script must be a file, and came on standard input');
    });

    it('fails on an event loop class that is none', async () => {
      const script = startService('Worker.eventLoopClass = class {}; new Worker();');
      expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
      expect(script.output).to.contain('Worker.eventLoopClass must implement EventInterface');
    });

    it('fails on an output stream that is none', async () => {
      const script = startService("Worker.outputStream = 'screen'; new Worker();");
      expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
      expect(script.log()).to.contain('The $outputStream must to be a stream, string given');
      expect(script.output).to.contain('The $outputStream must to be a stream, string given');
    });

    it('after a crash says that the master of the pid file is not alive, and starts', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
      try {
        // This process is alive, and no master.
        writeFileSync(join(folder, 'workerman.start.mjs.pid'), String(process.pid));
        const { script } = await echo({ folder });
        await script.started();
        expect(spoken(script.output)).to.deep.equal([
          'Workerman[start.mjs] start in DEBUG mode',
          `Master pid:${process.pid} is not alive`,
        ]);
        expect(readFileSync(pidFile(script), 'utf8')).to.equal(String(script.pid));
        await script.stop();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  describe('start as the process that the pid file names', () => {
    it('happens in a container that is started again, and works', async () => {
      const before = ['sh', '-c', 'printf %s $$ > workerman.start.mjs.pid; exec "$0" "$@"'];
      const { script, port } = await echo({ before });
      await script.started();
      expect(readFileSync(pidFile(script), 'utf8')).to.equal(String(script.pid));
      expect(await bodyOf(port)).to.match(/^\d+$/);
      expect((await script.stop()).code).to.equal(0);
    });
  });
});
