import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUpScripts, freePort } from '../support/process.js';
import { bodyOf, logged, spoken, startService, until } from '../support/service.js';
import { exitTable, served, webService } from '../support/services.js';

describe('processes', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('the master', () => {
    it('outlives what code above runAll() does there later, and so do the commands', async () => {
      const running = await webService(`
        if (!process.send) {
          Promise.reject(new Error('at once'));
          setTimeout(() => Promise.reject(new Error('stray')), 400);
          setTimeout(() => { throw new Error('late'); }, 500);
        }`);
      await running.script.waitFor(/Error: at once[\s\S]*Error: late/);
      await served(running);
      const { code, output } = await running.script.run(['stop']);
      expect(output).to.match(/Error: at once[\s\S]*stop success/);
      expect(code).to.equal(0);
      await running.script.exit();
    });

    it('has the timers above runAll(), alone', async () => {
      const { script } = await webService(`
        Timer.add(0.02, () => fs.appendFileSync('ticks', process.pid + '\\n'));
        const gone = Timer.add(0.02, () => fs.appendFileSync('ticks', 'deleted\\n'));
        Worker.log('del ' + Timer.del(gone));`);
      const ticks = (): string[] =>
        existsSync(join(script.folder, 'ticks'))
          ? readFileSync(join(script.folder, 'ticks'), 'utf8').trim().split('\n')
          : [];
      await until(script, () => ticks().length > 5);
      await script.run(['status']);
      expect(new Set(ticks())).to.deep.equal(new Set([String(script.pid)]));
      expect(script.output).to.contain('del true');
    });

    it('prints the exception of its timer and goes on', async () => {
      const running = await webService("Timer.add(0.02, () => { throw new Error('tick'); }, [], false);");
      await running.script.waitFor(/Error: tick/);
      await served(running);
    });

    it('and all others end when an output stream of the script has written their last words', async () => {
      const script = startService(`
        Worker.outputStream = fs.createWriteStream(new URL('./said', import.meta.url), { flags: 'a' });
        new Worker().onWorkerStart = () => Worker.stopAll(1, 'of a worker process');
        Worker.onMasterStop = () => Worker.log('of the master');`);
      const said = (): string => {
        const file = join(script.folder, 'said');
        return existsSync(file) ? readFileSync(file, 'utf8') : '';
      };
      await until(script, () => said().includes('of a worker process'));
      await script.run(['stop']);
      await script.exit();
      expect(said()).to.match(/has been stopped\nof the master\n/).and.match(/stop success\n/);
    });

    it('waits for onMasterStop, its last act', async () => {
      const running = await webService(`
        Worker.onMasterStop = async () => {
          const left = fs.readdirSync('.').filter((name) => /pid/.test(name)).length;
          await new Promise((resolve) => setTimeout(resolve, 50));
          Worker.log('master stops, files: ' + left);
        };`);
      await served(running);
      await running.script.stop();
      expect(running.script.output).to.match(/has been stopped\nmaster stops, files: 0\n$/);
    });

    it('logs the exception of onMasterStop, and exits with 0', async () => {
      const running = await webService("Worker.onMasterStop = () => Promise.reject(new Error('at the end'));");
      expect((await running.script.stop()).code).to.equal(0);
      expect(running.script.output).to.contain('Error: at the end');
    });

    it('stops everything by stopAll(), which says why and with which code, and exits with 0', async () => {
      const { script } = await webService("Timer.add(0.05, () => Worker.stopAll(7, 'enough'), [], false);");
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(spoken(script.output).slice(1)).to.deep.equal([
        'Workerman[start.mjs] enough',
        'Workerman[start.mjs] stopping, code [7]',
        'Workerman[start.mjs] has been stopped',
      ]);
    });

    it('tries again once a second when a process can not be started, and stops all the same', async () => {
      const { script } = await webService("if (!process.send) process.execPath = '/no/such/node'; worker.count = 2;");
      await until(script, () => logged(script).filter((line) => line.endsWith('exit with status 256')).length >= 4);
      expect(script.output).to.contain('spawn /no/such/node ENOENT');
      expect((await exitTable(script))[0]!.slice(0, 2)).to.deep.equal(['web', '256']);
      expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
    });

    it('outlives the reader of its output, and so do its processes', async () => {
      const port = await freePort();
      const script = startService(
        `const worker = new Worker('http://127.0.0.1:${port}');
         worker.onMessage = (connection) => { process.stdout.write('out'); console.error('error'); Worker.log('noted'); connection.send(String(process.pid)); };`,
        { before: ['sh', '-c', '"$0" "$@" 2>&1 | head -n 1'] },
      );
      await script.waitForLog(/start in DEBUG mode/);
      await until(script, () => bodyOf(port).catch(() => null));
      const first = await bodyOf(port);
      expect(await bodyOf(port)).to.equal(first);
      await script.waitForLog(/noted[\s\S]*noted/);
      expect((await script.run(['stop'])).output).to.equal('Workerman[start.mjs] stop\n');
      await script.leavesNothingBehind();
      expect(logged(script).at(-1)).to.equal('Workerman[start.mjs] stop success');
    });

    it('is idle when nothing happens', async () => {
      const running = await webService();
      await served(running);
      // How often its main thread has gone to sleep, which no other load of the machine changes.
      const wakeUps = (): number => {
        const status = readFileSync(`/proc/${running.script.pid}/status`, 'utf8');
        return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1]);
      };
      await until(running.script, async () => {
        const before = wakeUps();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        // A timer of 10 ms in the master would make a hundred, each time; the end of its start may make some, once.
        return wakeUps() - before <= 10;
      });
    });
  });
});
