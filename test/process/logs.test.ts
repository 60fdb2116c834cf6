import { expect } from 'chai';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUpScripts, freePort } from '../support/process.js';
import { bodyOf, startService, until } from '../support/service.js';

describe('the log file', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  it('has a line with local time and pid for each message, of every process', async () => {
    const port = await freePort();
    const script = startService(
      `const worker = new Worker('http://127.0.0.1:${port}');
       worker.onMessage = (connection) => {
         Worker.log('  trimmed, and\\n  with a second line \\n');
         Worker.log({ an: 'object' });
         connection.send(String(process.pid));
       };`,
      { env: { TZ: 'Asia/Kolkata' } },
    );
    await script.started();
    const worker = await bodyOf(port);
    await script.run(['status']);
    await script.stop();
    const lines = script.log().split('\n');
    const heads = lines.filter((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d pid:\d+ \S/.test(line));
    expect(lines.filter((line) => !heads.includes(line))).to.deep.equal(['  with a second line', '']);
    const pids = heads.map((line) => Number(/pid:(\d+)/.exec(line)![1]));
    expect(pids).to.include(script.pid).and.include(Number(worker));
    expect(new Set(pids).size).to.equal(3);
    expect(script.log())
      .to.contain(`pid:${worker} trimmed, and\n  with a second line\n`)
      .and.contain("{ an: 'object' }");
    const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kolkata', hour: '2-digit', hourCycle: 'h23' });
    const near = [0, 60_000].map((ago) => hour.format(Date.now() - ago));
    expect(near).to.include(heads.at(-1)!.slice(11, 13));
  });

  it('is in the folder of the script, or where Worker.logFile says, in folders that are made', async () => {
    const script = startService(
      "Worker.logFile = new URL('./logs/deep/my.log', import.meta.url).pathname; new Worker();",
    );
    await script.started();
    expect(script.log()).to.equal('');
    expect(script.log('logs/deep/my.log')).to.contain('Workerman[start.mjs] start in DEBUG mode\n');
    expect(statSync(join(script.folder, 'logs/deep/my.log')).mode & 0o777).to.equal(0o644);
  });

  it('keeps its place when the working directory changes', async () => {
    const script = startService(
      "Worker.logFile = 'here.log'; const worker = new Worker(); worker.onWorkerStart = () => { process.chdir('/'); Worker.log('elsewhere'); };",
    );
    await script.started();
    await until(script, () => script.log('here.log').includes('elsewhere'));
  });

  it('is none with /dev/null', async () => {
    const script = startService("Worker.logFile = '/dev/null'; new Worker();");
    await script.started();
    await script.stop();
    expect(readdirSync(script.folder).filter((name) => name.endsWith('.log'))).to.deep.equal([]);
  });

  it('is cut to its second half while several processes write, and no line is lost in the middle or torn', async () => {
    const script = startService(`
      Worker.logFileMaxSize = 20000;
      const worker = new Worker();
      worker.count = 4;
      worker.onWorkerStart = () => {
        let n = 0;
        Timer.add(0.001, () => {
          for (let i = 0; i < 20 && n < 600; i++) Worker.log('line ' + worker.id + ' ' + n++ + ' ' + 'x'.repeat(n % 50));
          if (n === 600) fs.writeFileSync('done' + worker.id, '');
        });
      };`);
    await script.started();
    let largest = 0;
    await until(script, () => {
      largest = Math.max(largest, statSync(join(script.folder, 'workerman.log')).size);
      return readdirSync(script.folder).filter((name) => name.startsWith('done')).length === 4;
    });
    await script.stop();
    const text = readFileSync(join(script.folder, 'workerman.log'), 'utf8');
    expect(text.length).to.be.at.most(20_000);
    expect(largest).to.be.at.most(25_000);
    const lines = text.split('\n').filter((line) => line !== '');
    expect(
      lines.filter((line) => !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d pid:\d+ (line \d \d+( x+)?|Workerman\[.*)$/.test(line)),
    ).to.deep.equal([]);
    for (const id of ['0', '1', '2', '3']) {
      const numbers = lines.flatMap((line) => new RegExp(` line ${id} (\\d+)`).exec(line)?.[1] ?? []).map(Number);
      for (let i = 1; i < numbers.length; i++)
        expect(numbers[i]! - numbers[i - 1]!, `after line ${id} ${numbers[i - 1]}`).to.equal(1);
    }
    expect(readdirSync(script.folder).filter((name) => /\.tmp|\.log\./.test(name))).to.deep.equal([]);
  });
});
