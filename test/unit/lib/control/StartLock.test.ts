import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WorkermanError } from '../../../../errors.js';
import { processStart } from '../../../../lib/control/processes.js';
import { StartLock } from '../../../../lib/control/StartLock.js';
import { ask, endChildren, startChild } from '../startChild.js';

const MODULE = new URL('../../../../lib/control/StartLock.ts', import.meta.url).href;

/** A process that takes and gives back the lock on demand, all of them at the same moment. */
const RACER = (pidFile: string): string => `
  import { StartLock } from '${MODULE}';
  const lock = new StartLock(${JSON.stringify(pidFile)});
  process.on('message', ({ action, at }) => {
    while (Date.now() < at);
    if (action === 'release') lock.release();
    process.send(action === 'release' ? 'released' : lock.tryAcquire());
  });
  process.send('ready');
`;

/** A process that takes the lock some times, and at last dies with it. Nobody else may be inside meanwhile. */
const MORTAL = (pidFile: string, inside: string, times: number): string => `
  import { mkdirSync, rmdirSync } from 'node:fs';
  import { StartLock } from '${MODULE}';
  const lock = new StartLock(${JSON.stringify(pidFile)});
  process.once('message', async () => {
    for (let time = 1; time <= ${times}; time++) {
      await lock.acquire();
      mkdirSync(${JSON.stringify(inside)});
      await new Promise((wake) => setTimeout(wake, 1));
      rmdirSync(${JSON.stringify(inside)});
      if (time === ${times}) process.kill(process.pid, 'SIGKILL');
      lock.release();
    }
  });
  process.send('ready');
`;

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('StartLock', () => {
  let folder: string;
  let pidFile: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-lock-'));
    pidFile = join(folder, 'start.pid');
  });

  afterEach(async () => {
    await endChildren(children);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a file beside the pid file with the pid of its owner in it', () => {
    const lock = new StartLock(pidFile);
    expect(lock.path).to.equal(`${pidFile}.lock`);
    expect(lock.tryAcquire()).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['start.pid.lock']);
    expect(readFileSync(lock.path, 'utf8').split(' ')[0]).to.equal(String(process.pid));
    lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is held by one object at a time', () => {
    const first = new StartLock(pidFile);
    const second = new StartLock(pidFile);
    expect(first.tryAcquire()).to.equal(true);
    expect(first.tryAcquire()).to.equal(true);
    expect(second.tryAcquire()).to.equal(false);
    second.release();
    expect(existsSync(first.path)).to.equal(true);
    first.release();
    expect(second.tryAcquire()).to.equal(true);
    second.release();
  });

  it('is waited for', async () => {
    const first = new StartLock(pidFile);
    const second = new StartLock(pidFile);
    first.tryAcquire();
    expect(await second.acquire(0.03)).to.equal(false);
    const waiting = second.acquire();
    first.release();
    expect(await waiting).to.equal(true);
    second.release();
  });

  it('leaves a file alone that it no longer owns', () => {
    const lock = new StartLock(pidFile);
    lock.tryAcquire();
    writeFileSync(lock.path, `${process.ppid} - abc`);
    lock.release();
    expect(existsSync(lock.path)).to.equal(true);
  });

  it('is not disturbed by a folder that has gone', () => {
    const lock = new StartLock(pidFile);
    lock.tryAcquire();
    rmSync(folder, { recursive: true });
    expect(() => lock.release()).to.not.throw();
  });

  it('says which file it can not make', () => {
    try {
      new StartLock(join(folder, 'missing', 'start.pid')).tryAcquire();
    } catch (error) {
      expect(error).to.be.instanceOf(WorkermanError);
      expect(error).to.include({ code: 'WM_PID_FILE' });
      const pidFile = join(folder, 'missing', 'start.pid');
      expect((error as Error).message).to.equal(`can not save pid to ${pidFile}`);
      expect(((error as Error).cause as NodeJS.ErrnoException).path).to.include(`${pidFile}.lock`);
      return;
    }
    throw new Error('nothing was thrown');
  });

  const taken: [title: string, token: () => string, free: boolean][] = [
    ['a process that is dead', () => `${deadPid()} - abc`, true],
    ['a process that lives', () => `${process.ppid} - abc`, false],
    ['a process that lives, started then', () => `${process.ppid} ${processStart(process.ppid)} abc`, false],
    ['an earlier process with our pid', () => `${process.pid} - abc`, true],
  ];
  for (const [title, token, free] of taken) {
    it(`${free ? 'takes over' : 'respects'} the lock of ${title}`, () => {
      const lock = new StartLock(pidFile);
      writeFileSync(lock.path, token());
      expect(lock.tryAcquire()).to.equal(free);
      lock.release();
      expect(readdirSync(folder)).to.have.length(free ? 0 : 1);
    });
  }

  it('takes over the lock of an earlier process whose pid another one has now', function () {
    if (processStart(process.ppid) === '-') return expect(existsSync('/proc/self/stat')).to.equal(false);
    const lock = new StartLock(pidFile);
    writeFileSync(lock.path, `${process.ppid} 1 abc`);
    expect(lock.tryAcquire()).to.equal(true);
    lock.release();
  });

  it('takes over a file without an owner, but not while it may just be written', () => {
    const lock = new StartLock(pidFile);
    writeFileSync(lock.path, '');
    expect(lock.tryAcquire()).to.equal(false);
    utimesSync(lock.path, 1, 1);
    expect(lock.tryAcquire()).to.equal(true);
    lock.release();
  });

  it('takes over when one died who was about to take over, and one before that', () => {
    const lock = new StartLock(pidFile);
    const hash = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 12);
    const tokens = ['aa', 'bb', 'cc'].map((word) => `${deadPid()} - ${word}`);
    let path = lock.path;
    for (const token of tokens) {
      writeFileSync(path, token);
      path += `.${hash(token)}`;
    }
    expect(lock.tryAcquire()).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['start.pid.lock']);
    lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('waits while a living process is taking it over', () => {
    const lock = new StartLock(pidFile);
    const dead = `${deadPid()} - aa`;
    writeFileSync(lock.path, dead);
    const breaker = `${lock.path}.${createHash('sha256').update(dead).digest('hex').slice(0, 12)}`;
    writeFileSync(breaker, `${process.ppid} - bb`);
    expect(lock.tryAcquire()).to.equal(false);
    expect(readFileSync(lock.path, 'utf8')).to.equal(dead);
    rmSync(breaker);
    expect(lock.tryAcquire()).to.equal(true);
    lock.release();
  });

  it('works on a file system without links', () => {
    const noLinks = (): never => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    const first = new StartLock(pidFile, noLinks);
    const second = new StartLock(pidFile, noLinks);
    expect(first.tryAcquire()).to.equal(true);
    expect(second.tryAcquire()).to.equal(false);
    first.release();
    expect(readdirSync(folder)).to.deep.equal([]);
    writeFileSync(first.path, `${deadPid()} - abc`);
    expect(second.tryAcquire()).to.equal(true);
    second.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('goes to one of several processes, free or orphaned', async function () {
    this.timeout(20_000);
    children.push(...await Promise.all([1, 2, 3, 4].map(() => startChild(RACER(pidFile)))));
    const dead = deadPid();
    for (let round = 0; round < 40; round++) {
      if (round % 4 !== 0) writeFileSync(`${pidFile}.lock`, `${dead} - ${round}`);
      const at = Date.now() + 5;
      const winners = await Promise.all(children.map((child) => ask(child, { action: 'acquire', at })));
      expect(winners.filter((won) => won === true), `winners of round ${round}`).to.have.length(1);
      await Promise.all(children.map((child) => ask(child, { action: 'release', at })));
      expect(readdirSync(folder), `files after round ${round}`).to.deep.equal([]);
    }
  });

  it('passes from one process to the next even when they die with it', async function () {
    this.timeout(20_000);
    const inside = join(folder, 'inside');
    const code = MORTAL(pidFile, inside, 8);
    children.push(...await Promise.all([1, 2, 3, 4].map(() => startChild(code))));
    const ends = children.map((child) => once(child, 'exit'));
    for (const child of children) child.send('go');
    // A process that met another one inside would end with status 1 instead.
    for (const [status, signal] of await Promise.all(ends)) expect([status, signal]).to.deep.equal([null, 'SIGKILL']);
    const lock = new StartLock(pidFile);
    expect(await lock.acquire(5)).to.equal(true);
    lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
