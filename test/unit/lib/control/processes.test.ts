import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { isProcessAlive, processStart } from '../../../../lib/control/processes.js';

describe('isProcessAlive', () => {
  it('is true for a process that runs', () => {
    expect(isProcessAlive(process.pid)).to.equal(true);
    expect(isProcessAlive(process.ppid)).to.equal(true);
  });

  it('is true for a process that may belong to somebody else', () => {
    expect(isProcessAlive(1)).to.equal(true);
  });

  it('is false for a process that has ended', () => {
    expect(isProcessAlive(spawnSync(process.execPath, ['--version']).pid)).to.equal(false);
  });

  it('is false for what is no process id', () => {
    for (const pid of [0, -1, 1.5, NaN, Infinity]) expect(isProcessAlive(pid)).to.equal(false);
  });

  it('tells a process from an earlier one with its pid', () => {
    expect(isProcessAlive(process.pid, processStart(process.pid))).to.equal(true);
    expect(isProcessAlive(process.pid, '1')).to.equal(!existsSync('/proc/self/stat'));
  });

  it('is false for a process that only waits to be collected by its parent', async () => {
    // The shell starts a child that ends at once, says its pid, and becomes a program that never collects it.
    const shell = spawn('sh', ['-c', '(exit 0) & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(shell, 'exit');
    try {
      const pid = Number(String((await once(shell.stdout, 'data'))[0]));
      expect(pid).to.be.above(1);
      while (existsSync('/proc/self/stat') && isProcessAlive(pid)) await new Promise((wake) => setTimeout(wake, 5));
      expect(isProcessAlive(pid)).to.equal(false);
    } finally {
      shell.kill('SIGKILL');
      await ended;
    }
  });
});

describe('processStart', () => {
  it('is the same whenever it is asked', () => {
    expect(processStart(process.pid)).to.equal(processStart(process.pid));
    expect(processStart(process.pid)).to.match(/^(\d+|-)$/);
  });

  it('is unknown for a process that does not exist', () => {
    expect(processStart(spawnSync(process.execPath, ['--version']).pid)).to.equal('-');
  });
});
