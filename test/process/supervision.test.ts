import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { crashes } from '../support/crashes.js';
import { Load } from '../support/load.js';
import { cleanUpScripts, startScript, type Script } from '../support/process.js';
import { bodyOf, get, logged, spoken, until } from '../support/service.js';
import { exitTable, pidOf, served, webService } from '../support/services.js';

describe('supervision', function () {
  this.timeout(40_000);
  afterEach(cleanUpScripts);

  describe('the end of a worker process', () => {
    it('is logged and reported with its wait status, and another one takes the id', async () => {
      const running = await webService();
      const { script, port } = running;
      const before = await served(running);
      await get(port, '/exit?code=3').catch(() => {});
      const after = await served(running, [before]);
      expect(after.split(' ')[0]).to.equal('0');
      expect(logged(script).slice(1)).to.deep.equal([
        `Worker[${pidOf(before)}] process terminated`,
        `worker[web:${pidOf(before)}] exit with status 768`,
        `onWorkerExit web 0 768 ${pidOf(before)}`,
      ]);
    });

    it('with 0 is no less an end: no line of the master, but a replacement', async () => {
      const running = await webService();
      const before = await served(running);
      await get(running.port, '/exit?code=0').catch(() => {});
      await served(running, [before]);
      expect(logged(running.script).slice(1)).to.deep.equal([
        `Worker[${pidOf(before)}] process terminated`,
        `onWorkerExit web 0 0 ${pidOf(before)}`,
      ]);
    });

    it('by exceptions, rejections, exit codes and signals is counted by its status', async () => {
      const running = await webService();
      const { script, port } = running;
      let last = await served(running);
      const ends: (() => unknown)[] = [
        () => get(port, '/throw').catch(() => {}),
        () => get(port, '/reject').catch(() => {}),
        () => get(port, '/exit?code=255').catch(() => {}),
        () => process.kill(pidOf(last), 'SIGKILL'),
      ];
      for (const end of ends) {
        await end();
        last = await served(running, [last]);
      }
      expect(await exitTable(script)).to.deep.equal([
        ['web', '64000', '2'],
        ['web', '65280', '1'],
        ['web', '9', '1'],
      ]);
      expect(script.output.split('Error: thrown on request')).to.have.length(2);
      expect(script.output).to.match(/TypeError: rejected on request\n\s+at /);
    });

    it('that onWorkerExit throws about is logged, and nothing else', async () => {
      const running = await webService("Worker.onWorkerExit = () => { throw new Error('hook'); };");
      const before = await served(running);
      process.kill(pidOf(before), 'SIGKILL');
      await served(running, [before]);
      expect(running.script.output).to.match(/worker\[web\] onWorkerExit Error: hook\n/);
    });

    it('under load costs only the requests that it held', async function () {
      const running = await webService('worker.count = 2;');
      const { script, port } = running;
      const load = new Load(port, /^[01] \d+$/, 5);
      const held = 24;
      load.start(16, 8);
      for (let i = 0; i < 3; i++) {
        const victim = await served(running);
        const [id] = victim.split(' ');
        const from = load.result.answers;
        process.kill(pidOf(victim), 'SIGKILL');
        await until(script, async () => {
          const answer = await bodyOf(port).catch(() => '');
          return answer.startsWith(`${id} `) && answer !== victim && load.result.answers > from + 100;
        });
      }
      const { failures, answers } = await load.stop();
      expect(failures.length, failures.join('\n')).to.be.at.most(3 * held);
      expect(failures.filter((failure) => !/ECONNRESET|EPIPE|closed after/.test(failure))).to.deep.equal([]);
      expect(answers).to.be.above(300);
      expect(await exitTable(script)).to.deep.equal([['web', '9', '3']]);
      expect((await script.run(['status'])).output).to.contain('1 workers    2 processes');
    });
  });

  describe('max-requests by stopAll() in a worker process', () => {
    it('loses no request under load', async () => {
      const running = await webService(`
        let requests = 0;
        const answer = worker.onMessage;
        worker.onMessage = (connection, request) => { answer(connection, request); if (++requests === 300) Worker.stopAll(); };`);
      const load = new Load(running.port, /^0 \d+$/, 5);
      load.start(16, 8);
      await until(
        running.script,
        () => logged(running.script).filter((line) => / 0 0 \d+$/.test(line)).length >= 4,
        30_000,
      );
      const { failures } = await load.stop();
      expect(failures).to.deep.equal([]);
      expect(running.script.output).not.to.contain('exit with status');
    });
  });

  describe('crash loops', () => {
    /** Waits until two processes have ended with `status`. Each has said `words` once, be it that it is just ending. */
    async function turnsOncePerSecond(script: Script, begun: number, status: number, words: string[]): Promise<void> {
      const ends = (): number => logged(script).filter((line) => line.endsWith(`exit with status ${status}`)).length;
      const least = await until(script, () => {
        const count = ends();
        return count >= 2 && count;
      });
      const counts = words.map((word) => script.output.split(word).length - 1);
      // One at once, the others a second after each other; a timer may be a little early.
      const most = 1.1 + (performance.now() - begun) / 1000;
      for (const count of counts) expect(count).to.be.within(least, Math.min(most, ends() + 1));
    }

    it('of a script that a worker process can not load turn once a second, with one line each', async () => {
      const begun = performance.now();
      const { script } = await webService("if (process.send) throw new Error('no such module');");
      await turnsOncePerSecond(script, begun, 256, ['Error: no such module']);
    });

    it('of an onWorkerStart that throws turn once a second, log the error once, and call onWorkerStop', async () => {
      const begun = performance.now();
      const { script, port } = await webService(`
        worker.onWorkerStart = () => { throw new RangeError('no database'); };
        worker.onWorkerStop = () => Worker.log('down');`);
      await turnsOncePerSecond(script, begun, 64000, ['RangeError: no database', '\ndown\n']);
      const client = connect(port, '127.0.0.1');
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
      client.destroy();
    });
  });

  it('a process whose onWorkerStart has failed takes no client, even if it had begun to accept', async () => {
    const { port, script } = await webService(`
      worker.onWorkerStart = async () => {
        if (fs.existsSync('failed')) return;
        worker.resumeAccept();
        await Timer.sleep(0.05);
        fs.writeFileSync('failed', String(process.pid));
        throw new Error('too late');
      };`);
    await script.waitFor(/Error: too late/);
    expect(await bodyOf(port)).not.to.equal(`0 ${readFileSync(join(script.folder, 'failed'), 'utf8')}`);
  });

  it('an exception of onWorkerStart is logged in a process that stops already, too', async () => {
    const { script } = await webService(`
      worker.onWorkerStart = () => { Worker.stopAll(); throw new RangeError('after the end'); };`);
    await script.waitFor(/RangeError: after the end\n/);
  });

  describe('crash after crash', () => {
    it('leaks no descriptor, no file and no memory in the master', async () => {
      const { before, after } = await crashes(8, 24);
      expect(after.descriptors).to.equal(before.descriptors);
      expect(after.files).to.equal(before.files);
      expect(after.memory).to.be.below(before.memory + 15);
    });
  });

  describe('a master that is killed', () => {
    it('is followed by its workers, and the next start works although its files are still there', async () => {
      const running = await webService(`
        worker.count = 2;
        const path = new Worker('unix://' + new URL('./a.sock', import.meta.url).pathname);`);
      const { script } = running;
      await served(running);
      script.signal('SIGKILL');
      await script.leavesNothingBehind(10_000);
      const files = readdirSync(script.folder);
      expect(files).to.include.members(['a.sock', 'workerman.start.mjs.pid', 'workerman.start.mjs.pid.sock']);
      const source = readFileSync(script.file, 'utf8');
      const next = startScript({ source, name: 'start.mjs', launcher: [process.execPath], folder: script.folder });
      await next.started();
      expect(spoken(next.output)).to.include(`Master pid:${script.pid} is not alive`);
      await served({ script: next, port: running.port });
      await next.stop();
      expect(existsSync(join(script.folder, 'a.sock'))).to.equal(false);
    });

    it('is followed by a worker that has half a request, too', async () => {
      const running = await webService('Worker.stopTimeout = 0.2;');
      await served(running);
      const client = connect(running.port, '127.0.0.1');
      client.on('error', () => {});
      client.write('GET / HT');
      await until(running.script, async () => (await running.script.run(['connections'])).output.includes(' 8B '));
      running.script.signal('SIGKILL');
      await running.script.leavesNothingBehind(10_000);
      client.destroy();
    });
  });
});
