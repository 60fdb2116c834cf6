import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { cleanUpScripts, freePort, parentOf, startScript, waitUntil } from '../../support/process.js';

/** A script that leaves a child in a session of its own, as a daemon would. */
const DAEMON = `
import { spawn } from 'node:child_process';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
child.unref();
console.log('child', child.pid);
`;

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it did not fail');
}

describe('the harness for real scripts', () => {
  afterEach(cleanUpScripts);

  it('collects the output of a TypeScript file and its exit code', async () => {
    const script = startScript({
      source: 'const n: number = 3; console.log("out", process.argv.slice(2)); console.error("err"); process.exit(n);',
      args: ['a', 'b'],
    });
    expect(await script.exit()).to.deep.equal({ code: 3, signal: null });
    expect(script.output)
      .to.match(/out \[ 'a', 'b' \]/)
      .and.match(/err/);
  });

  it('gives the script a folder, a name and an environment of its own, and removes the folder', async () => {
    const script = startScript({
      source: 'console.log(process.cwd(), process.argv[1], process.env.COLOUR)',
      name: 'my.ts',
      env: { COLOUR: 'red' },
    });
    await script.waitFor(/ red/);
    expect(script.output).to.contain(`${script.folder} ${script.folder}/my.ts red`);
    await cleanUpScripts();
    expect(existsSync(script.folder)).to.equal(false);
  });

  it('fails at once when the script ends without the awaited output, and shows what there was', async () => {
    const script = startScript({ source: 'console.log("something else")' });
    const message = await failureOf(script.waitFor(/never said/));
    expect(message)
      .to.match(/never came/)
      .and.match(/something else/)
      .and.match(/"code":0/);
  });

  it('fails after the deadline when the output does not come, and shows what there was', async () => {
    const script = startScript({ source: 'console.log("waiting"); setInterval(() => {}, 1000)' });
    await script.waitFor(/waiting/);
    expect(await failureOf(script.waitFor(/never said/, { deadline: 50 })))
      .to.match(/in vain/)
      .and.match(/waiting/);
  });

  it('tells a signal from an exit code', async () => {
    const script = startScript({ source: 'console.log("up"); setInterval(() => {}, 1000)' });
    await script.waitFor(/up/);
    script.signal('SIGKILL');
    expect(await script.exit()).to.deep.equal({ code: null, signal: 'SIGKILL' });
  });

  it('finds a process that left for a session of its own, and kills it in the end', async () => {
    const script = startScript({ source: DAEMON });
    const pid = Number((await script.waitFor(/child (\d+)/))[1]);
    await script.exit();
    await waitUntil(
      () => parentOf(pid) !== script.pid,
      () => 'the child to be adopted',
    );
    expect([...script.processes().keys()]).to.deep.equal([pid]);
    expect(await failureOf(script.leavesNothingBehind(50))).to.match(new RegExp(`left behind[^]*${pid}`));
    await cleanUpScripts();
    expect(script.processes().size).to.equal(0);
  });

  it('names the children of the process', async () => {
    const source = `${DAEMON}; setInterval(() => {}, 1000)`;
    const script = startScript({ source });
    const pid = Number((await script.waitFor(/child (\d+)/))[1]);
    expect(script.workers()).to.deep.equal([pid]);
  });

  it('runs another command of the same script to its end', async () => {
    const script = startScript({
      source: 'console.log("ran", process.argv[2]); if (process.argv[2] === "start") setInterval(() => {}, 1000)',
    });
    await script.waitFor(/ran start/);
    expect(await script.run(['status'])).to.deep.equal({ code: 0, signal: null, output: 'ran status\n' });
    expect(script.output).to.equal('ran start\n');
  });

  it('finds ports that can be listened on', async () => {
    const port = await freePort();
    const source = `
      import { createServer } from 'node:net';
      createServer().listen(${port}, '127.0.0.1', () => { console.log('bound'); process.exit(); });
    `;
    await startScript({ source }).waitFor(/bound/);
  });
});
