import { expect } from 'chai';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { cleanUpScripts, freePort, parentOf } from '../support/process.js';
import { bodyOf, get, logged, startService, until } from '../support/service.js';
import { exitTable, pidOf, served, webService } from '../support/services.js';

describe('processes', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('a worker process', () => {
    it('without a socket stays alive, and so does a service without any Worker', async () => {
      const script = startService(
        "const worker = new Worker(); worker.onWorkerStart = () => Worker.log('idle ' + worker.id);",
      );
      const none = startService('');
      await Promise.all([script.started(), none.started(), script.waitFor(/idle 0/)]);
      const [status, nobody] = await Promise.all([script.run(['status']), none.run(['status'])]);
      expect(status.output).to.match(/\[idle\]/);
      expect(nobody.output).to.contain('0 workers    0 processes');
      const stops = await Promise.all([script.run(['stop']), none.run(['stop'])]);
      expect(stops.every(({ output }) => output.includes('stop success'))).to.equal(true);
      expect(script.output).not.to.contain('onWorkerExit');
    });

    it('has the ids 0 to count - 1, its own Worker alone, and the running state in onWorkerStart', async () => {
      const { script } = await webService(`
        worker.count = 3;
        const other = new Worker();
        const about = (one) => () => {
          const names = Worker.getAllWorkers().map((each) => each.getSocketName().slice(0, 4)).join();
          Worker.log(['up', one.id, names, Worker.getStatus() === Worker.STATUS_RUNNING, Worker.getGracefulStop(), Worker.getEventLoop() === Worker.globalEvent].join(' '));
        };
        worker.onWorkerStart = about(worker);
        other.onWorkerStart = about(other);`);
      const ups = await until(script, () => {
        const lines = logged(script).filter((line) => line.startsWith('up '));
        return lines.length === 4 && lines.sort();
      });
      expect(ups).to.deep.equal([
        'up 0 http true false true',
        'up 0 none true false true',
        'up 1 http true false true',
        'up 2 http true false true',
      ]);
    });

    it('sees the user, the count and the transport that its Worker has got by the start', async () => {
      const script = startService(`
        const worker = new Worker('udp://127.0.0.1:${await freePort()}');
        worker.count = 0;
        worker.onWorkerStart = () => Worker.log(['seen', worker.user, worker.count, worker.transport].join(' '));
        Worker.onMasterReload = () => Worker.log(['master', worker.user, worker.count].join(' '));`);
      const user = userInfo().username;
      await script.waitFor(new RegExp(`seen ${user} 1 udp\\n`));
      await script.run(['reload']);
      await script.waitFor(new RegExp(`master ${user} 1\\n`));
    });

    it('whose script constructs another Worker than the master serves nothing and says which one is missing', async () => {
      const { script, port } = await webService('if (process.send) Worker.getAllWorkers();', {});
      await script.stop();
      const different = startService(
        `if (process.send) new Worker('text://127.0.0.1:1'); else new Worker('http://127.0.0.1:${port}');`,
      );
      await different.waitForLog(new RegExp(`constructs no Worker http://127.0.0.1:${port} as number 1`));
      await different.waitForLog(/exit with status 64000/);
    });

    it('passes nothing of its role on to the programs that it starts', async () => {
      const { script } = await webService(`
        worker.onWorkerStart = () => {
          const env = childProcess.execFileSync('env').toString();
          const child = childProcess.fork(new URL(import.meta.url), ['status'], { stdio: 'inherit' });
          Worker.log('env ' + /WORKERMAN_TS_ROLE/.test(env));
          return new Promise((resolve) => child.on('exit', (code) => { Worker.log('child ' + code); resolve(); }));
        };`);
      await script.waitFor(/env false[\s\S]*child 0/);
      expect(script.output, 'a script forked by a worker is a command like any other').to.contain(
        '1 workers    1 processes',
      );
    });

    it('is a child of the master itself, with a title that says what it is', async () => {
      const running = await webService();
      const worker = pidOf(await served(running));
      expect(parentOf(worker)).to.equal(running.script.pid);
      const title = readFileSync(`/proc/${worker}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      expect(title).to.equal(`WorkerMan: worker process  web http://127.0.0.1:${running.port}`);
      expect(readFileSync(`/proc/${running.script.pid}/cmdline`, 'utf8')).to.match(/^WorkerMan: master process/);
    });

    it('gets the arguments, options and working directory of the start, its inspector not', async () => {
      const { script } = await webService(
        "process.chdir('/'); worker.onWorkerStart = () => Worker.log('has ' + JSON.stringify([process.argv.slice(2), process.execArgv, process.env.NODE_OPTIONS])); if (process.send) Worker.log('cwd ' + process.env.PWD_AT_START); ",
        {
          args: ['start', 'a b'],
          nodeArgs: ['--inspect=0', '--no-warnings'],
          env: { NODE_OPTIONS: '--stack-trace-limit=7' },
        },
      );
      await script.waitFor(/has .*\n/);
      expect(script.output).to.contain('has [["start","a b"],["--no-warnings"],"--stack-trace-limit=7"]');
      expect(script.output.split('Debugger listening')).to.have.length(2);
      expect((await script.run(['status'])).output).to.contain('1 workers    1 processes');
    });

    it('accepts when an asynchronous onWorkerStart has ended, and clients wait for that', async () => {
      const { script, port } = await webService(`
        worker.onWorkerStart = async () => {
          while (!fs.existsSync('go')) await Timer.sleep(0.01);
          Worker.log('ready');
        };`);
      const answer = bodyOf(port);
      const first = await Promise.race([answer, script.waitForLog(/start in/).then(() => 'waiting')]);
      expect(first).to.equal('waiting');
      writeFileSync(join(script.folder, 'go'), '');
      expect(await answer).to.match(/^0 \d+$/);
      expect(script.output).to.contain('ready');
    });

    it('that accepts nothing because onWorkerStart has paused it answers when it resumes', async () => {
      const { script, port } = await webService(`
        worker.onWorkerStart = () => {
          worker.pauseAccept();
          const timer = Timer.add(0.01, () => { if (fs.existsSync('go')) { Timer.del(timer); worker.resumeAccept(); } });
          Worker.log('paused');
        };`);
      await script.waitFor(/paused/);
      const answer = bodyOf(port);
      expect((await script.run(['connections'])).output).not.to.contain('ESTABLISHED');
      writeFileSync(join(script.folder, 'go'), '');
      expect(await answer).to.match(/^0 \d+$/);
    });

    it('ends with 250 over exceptions and rejections that nobody has caught', async () => {
      const running = await webService(`
        worker.onMessage = (connection, request) => {
          if (request.path() === '/later') setTimeout(() => { throw new Error('uncaught'); }, 1);
          if (request.path() === '/rejected') Promise.reject(new Error('unhandled'));
          connection.send('0 ' + process.pid);
        };`);
      let last = await served(running);
      for (const path of ['/later', '/rejected']) {
        await get(running.port, path);
        last = await served(running, [last]);
      }
      expect(await exitTable(running.script)).to.deep.equal([['web', '64000', '2']]);
      expect(running.script.output)
        .to.match(/Error: uncaught\n\s+at /)
        .and.match(/Error: unhandled\n\s+at /);
    });

    it('lives on over them when the script listens itself', async () => {
      const { script, port } = await webService(`
        process.on('unhandledRejection', (error) => Worker.log('mine: ' + error.message));
        worker.onMessage = (connection) => { Promise.reject(new Error('unhandled')); connection.send('x'); };`);
      await bodyOf(port);
      await script.waitFor(/mine: unhandled/);
      expect(await bodyOf(port)).to.equal('x');
      expect(script.output).not.to.contain('exit with status');
    });
  });

  describe('user and group', () => {
    const isRoot = process.getuid?.() === 0;

    it('are switched in the worker process, and unix sockets given to them', async function () {
      if (!isRoot) throw new Error('these tests need root');
      const { script } = await webService(`
        worker.user = 'nobody';
        worker.onWorkerStart = () => Worker.log('runs as ' + process.getuid() + ':' + process.getgid() + ' groups ' + process.getgroups());
        const forNobody = (name) => {
          const path = new Worker('unix://' + new URL(name, import.meta.url).pathname);
          path.user = 'nobody';
          path.group = 'nogroup';
          return path;
        };
        forNobody('./user.sock');
        new Worker().onWorkerStart = () => forNobody('./inner.sock').listen();`);
      await script.waitFor(/runs as 65534:65534 groups 65534/);
      const owner = (name: string): string => {
        const { uid, gid } = statSync(join(script.folder, name));
        return `${uid}:${gid}`;
      };
      expect(owner('user.sock')).to.equal('65534:65534');
      await until(script, () => existsSync(join(script.folder, 'inner.sock')) && owner('inner.sock') === '65534:65534');
      expect(script.output).to.match(/node +tcp +nobody/);
    });

    it('that do not exist are warned about, and the process goes on as it is', async () => {
      const running = await webService(
        "worker.user = 'nobody-of-this-name'; worker.count = 1; const other = new Worker(); other.group = 'no-such-group';",
      );
      await served(running);
      await running.script.waitFor(/Warning: Group no-such-group not exists/);
      expect(running.script.output).to.contain('Warning: User nobody-of-this-name not exists');
    });

    it('get no port through the master that they could not bind themselves', async () => {
      const { script } = await webService(`
        worker.user = 'nobody';
        worker.onWorkerStart = async () => {
          const inner = new Worker('tcp://127.0.0.1:81');
          await inner.listen().then(() => Worker.log('bound'), (error) => Worker.log('refused ' + error.code));
        };`);
      await script.waitFor(/refused EACCES|bound/);
      expect(script.output).to.contain('refused EACCES');
    });
  });
});
