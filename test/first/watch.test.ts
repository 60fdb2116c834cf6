import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { installed } from './packed.js';

/** What `start --watch` does when files are saved in the ways in which editors and compilers save them. */

const SCRIPT = (port: number): string => `
import { createRequire } from 'node:module';
import { Worker } from 'workerman-ts';
import { text } from './lib/text.js';
const common = createRequire(import.meta.url)('./common.cjs');
const worker = new Worker('http://127.0.0.1:${port}');
worker.name = 'web';
worker.onMessage = async (connection) => {
  const { late } = await import('./late.js');
  connection.send([text, common, late].join(' '));
};
Worker.runAll();
`;

describe('start --watch', function () {
  this.timeout(60_000);
  let script: Script;
  let folder: string;
  let port: number;
  let number = 0;

  const path = (name: string): string => join(folder, name);
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  const write = (name: string, text: string): void => writeFileSync(path(name), text);
  /** The script with this as `onWorkerStart`. */
  const starting = (what: string): string =>
    SCRIPT(port).replace('Worker.runAll', `worker.onWorkerStart = () => ${what};\nWorker.runAll`);
  const from = (): { from: number } => ({ from: script.output.length });
  const lines = (): string[] => script.output.split('\n').filter((line) => line.startsWith('[watch]'));

  async function answers(wanted: string): Promise<void> {
    let last = '';
    const ask = async (): Promise<boolean> => {
      last = await fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text(), String);
      return last === wanted;
    };
    await waitUntil(ask, () => `the answer ${wanted}, not ${last}: ${script.describe()}`);
  }

  /** Does something and waits for the line that tells what came of it. */
  async function after(what: () => void, line: RegExp): Promise<string> {
    const mark = from();
    what();
    const [found] = await script.waitFor(new RegExp(`^\\[watch\\] .*${line.source}.*$`, 'm'), mark);
    return found;
  }

  beforeEach(async () => {
    port = await freePort();
    folder = installed().project(`watch${number++}`, {
      'start.js': SCRIPT(port),
      'common.cjs': "module.exports = 'c1';",
      'late.js': "export const late = 'l1';",
    });
    mkdirSync(path('lib'));
    write('lib/text.js', "export const text = 't1';");
    const launcher = [process.execPath];
    script = await startScript({ folder, name: 'start.js', launcher, args: ['start', '--watch'] }).started();
    await answers('t1 c1 l1');
  });
  afterEach(cleanUpScripts);

  it('reloads for every file that was loaded, however it was saved, and only when its content is another', async () => {
    expect(lines()).to.deep.equal(['[watch] start.js and what it loads: saved changes are reloaded']);
    await after(() => write('late.js', "export const late = 'l2';"), /late\.js changed: reloaded in \d+ ms$/);
    await answers('t1 c1 l2');
    // As editors do: a new file takes the place of the old one.
    write('common.new', "module.exports = 'c2';");
    await after(() => renameSync(path('common.new'), path('common.cjs')), /common\.cjs changed: reloaded in \d+ ms$/);
    await answers('t1 c2 l2');

    const before = lines().length;
    const later = new Date(Date.now() + 5000);
    utimesSync(path('lib/text.js'), later, later);
    write('late.js', read('late.js'));
    write('other.js', "export const nobody = 'asked';");
    // As compilers do: the folder goes and comes back, with everything in it.
    const removeAndMake = (): void => {
      rmSync(path('lib'), { recursive: true });
      mkdirSync(path('lib'));
      write('lib/text.js', "export const text = 't2';");
      write('common.cjs', "module.exports = 'c3';");
    };
    // The master looks when all of it is done, also where this process has to wait for its turn meanwhile.
    const atOnce = (): void => {
      script.signal('SIGSTOP');
      removeAndMake();
      script.signal('SIGCONT');
    };
    const line = await after(atOnce, /changed: reloaded in \d+ ms$/);
    expect(line).to.match(/ (lib\/text\.js, common\.cjs|common\.cjs, lib\/text\.js) changed/);
    await answers('t2 c3 l2');
    expect(lines().length, 'one reload for both files and none for those that only look new').to.equal(before + 1);
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('says where the new code is broken, serves the old, and takes what mends it', async () => {
    const failed = 'the new code fails to start, the old goes on serving:';
    const broken = "export const text = 't2'\nexport const = 1;";
    const first = await after(() => write('lib/text.js', broken), /changed: .+$/);
    expect(first).to.match(
      new RegExp(`^\\[watch\\] lib/text\\.js changed: ${failed} SyntaxError: .+ at lib/text\\.js:2:14$`),
    );
    await answers('t1 c1 l1');
    const second = await after(
      () => write('lib/text.js', "export { text } from './text/made.js';"),
      /changed: .+ Cannot find module .+$/,
    );
    expect(second).to.contain(failed).and.match(/at lib\/text\.js:1:\d+$/);
    const make = (): void => {
      mkdirSync(path('lib/text'));
      write('lib/text/made.js', "export const text = 't3';");
    };
    await after(make, /lib\/text\/made\.js changed: reloaded in \d+ ms$/);
    await answers('t3 c1 l1');
    const third = await after(() => write('start.js', starting('Worker.nothing()')), /start\.js changed: .+$/);
    expect(third).to.contain(failed).and.match(/TypeError: Worker\.nothing is not a function at start\.js:12:\d+$/);
    await answers('t3 c1 l1');
    await script.stop();
  });

  it('does not wait for a start that never ends, and says what takes a restart', async () => {
    const mark = from();
    write('start.js', starting('new Promise(() => {})'));
    await script.waitFor(/reloading/, mark);
    await waitUntil(() => script.workers().length === 2, () => script.describe());
    write('late.js', "export const late = 'l2';");
    const counted = SCRIPT(port).replace('worker.name', 'worker.count = 3;\nworker.name');
    const line = await after(() => write('start.js', counted), /changed: reloaded .+$/);
    expect(line).to.match(/ in \d+ ms; to take over after a restart: count of web is 3, in the service 1$/);
    await answers('t1 c1 l2');
    const other = await freePort();
    const moved = await after(() => write('start.js', SCRIPT(other)), /changed: restart .+$/);
    expect(moved).to.contain(`the address of web is http://127.0.0.1:${other}, in the service http://`);
    await answers('t1 c1 l2');
    await script.stop();
  });

  it('is refused in the background, and leaves no trace where it is not asked for', async () => {
    await script.stop();
    const refused = await script.run(['start', '-d', '--watch']);
    expect(refused.code).to.equal(1);
    expect(refused.output).to.contain('--watch is for the foreground');
    const plain = await startScript({ folder, name: 'start.js', launcher: [process.execPath] }).started();
    await answers('t1 c1 l1');
    const [worker] = plain.workers();
    expect(readFileSync(`/proc/${worker}/environ`, 'latin1')).to.not.contain('WATCH_REPORT');
    expect(plain.output).to.not.contain('[watch]');
    await plain.stop();
  });
});
