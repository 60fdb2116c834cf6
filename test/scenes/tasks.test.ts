import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StatusReport } from '../../lib/control/messages.js';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { installPackage } from '../support/packed.js';
import { waitUntil, type Script } from '../support/process.js';

interface Result {
  below: number;
  primes: number;
  process: number;
}

describe('examples/tasks.ts', function () {
  this.timeout(40_000);
  let example: Example;
  let script: Script;
  let url: string;
  before(async function () {
    this.timeout(150_000);
    installPackage();
    example = await startExample('tasks.ts', { replacePorts: [8080, 8081], count: 2, edit: halting });
    script = example.script;
    url = `http://127.0.0.1:${example.port(8080)}`;
  });
  after(cleanUpExamples);

  /** Who begins a task and finds the file `halt` takes that away and halts. */
  const halting = (source: string): string =>
    source
      .replace("import { AsyncTcp", "import { existsSync, rmSync } from 'node:fs';\nimport { AsyncTcp")
      .replace(
        'let primes = 0;',
        "let primes = 0;\n  if (existsSync('halt')) { rmSync('halt'); process.kill(process.pid, 'SIGSTOP'); }",
      );

  const task = (below: number): Promise<Response> => fetch(`${url}/primes?below=${below}`);
  const result = async (below: number): Promise<Result> => (await (await task(below)).json()) as Result;
  const home = async (): Promise<string> => (await fetch(url)).text();

  /** The processes that calculate: all but the one that has the front. */
  async function poolProcesses(): Promise<number[]> {
    const { output } = await script.run(['status', '--json']);
    const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as StatusReport;
    return report.processes.filter(({ name }) => name === 'task-pool').map(({ pid }) => pid);
  }

  /** Processor time that each of the processes has used, in the kernel's hundredths of a second. */
  const used = (pids: readonly number[]): number[] =>
    pids.map((pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
      return Number(fields[11]) + Number(fields[12]);
    });

  const isHalted = (pid: number): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));

  /** Waits until one of the processes is at work, and says which. */
  function atWork(pids: readonly number[], before: readonly number[]): Promise<number> {
    return waitUntil(
      () => {
        const now = used(pids);
        return pids.find((_, i) => now[i]! >= before[i]! + 5);
      },
      () => `work: ${script.describe()}`,
    );
  }

  it('answers with what another process has found out', async () => {
    const answer = await task(1000);
    expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([200, 'application/json']);
    const { below, primes, process: pid } = (await answer.json()) as Result;
    expect([below, primes]).to.deep.equal([1000, 168]);
    expect(script.workers()).to.have.length(3).and.include(pid);
    for (const wrong of [-1, 1e9, 1.5]) expect((await task(wrong)).status).to.equal(400);
  });

  it('answers others while the pool is busy, and leaves the next task to a process that is free', async () => {
    const pool = await poolProcesses();
    const [first, second] = pool as [number, number];
    for (const pid of pool) script.signal('SIGSTOP', pid);
    const finished: number[] = [];
    const tasks = [1, 2].map(async () => {
      const { process: pid, primes } = await result(2_000_000);
      finished.push(pid);
      return primes;
    });
    for (let i = 0; i < 20; i++) expect(await home()).to.equal('The front has time for you.\n');
    expect(finished).to.deep.equal([]);

    // One begins, and halts in the middle of its task. The other task must not be waiting behind that.
    writeFileSync(join(example.folder, 'halt'), '');
    script.signal('SIGCONT', first);
    await waitUntil(() => !existsSync(join(example.folder, 'halt')) && isHalted(first), () => script.describe());
    script.signal('SIGCONT', second);
    await Promise.race(tasks);
    expect(finished).to.deep.equal([second]);
    script.signal('SIGCONT', first);
    expect(await Promise.all(tasks)).to.deep.equal([148933, 148933]);
    expect(finished).to.deep.equal([second, first]);
  });

  it('says so when the process at work dies, and has another one soon', async () => {
    const pool = await poolProcesses();
    const before = used(pool);
    const lost = task(10_000_000);
    const victim = await atWork(pool, before);
    script.signal('SIGKILL', victim);
    const answer = await lost;
    expect([answer.status, await answer.text()]).to.deep.equal([503, 'The task was not finished.\n']);
    await waitUntil(
      () => script.workers().length === 3,
      () => `three workers: ${script.describe()}`,
    );
    expect(await result(10)).to.include({ primes: 4 });
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
