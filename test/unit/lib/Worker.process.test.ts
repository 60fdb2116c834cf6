import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { Worker } from '../../../lib/Worker.js';
import { make, withWorkers } from './madeWorkers.js';

describe('Worker, about the process it runs in', () => {
  const printed = withWorkers();

  it('tells the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(Worker.VERSION).to.equal(version);
  });

  it('names the columns of the banner in order', () => {
    expect(Object.entries(Worker.getUiColumns())).to.deep.equal([
      ['event-loop', 'eventLoopName'],
      ['proto', 'transport'],
      ['user', 'user'],
      ['worker', 'name'],
      ['socket', 'statusSocket'],
      ['count', 'count'],
      ['state', 'statusState'],
    ]);
  });

  it('makes the banner as wide as the widest name needs', () => {
    const named = (length: number): number => {
      make('tcp://127.0.0.1:0').name = 'n'.repeat(length);
      return Worker.getSingleLineTotalLength();
    };
    const width = named(1000);
    expect(named(1001)).to.equal(width + 1);
    expect(named(10)).to.equal(width + 1);
  });

  it('makes the banner wide enough for a long version of the system', () => {
    const { release } = os;
    try {
      os.release = () => 'r'.repeat(2000);
      syncBuiltinESMExports();
      expect(Worker.getSingleLineTotalLength()).to.equal(24 + 30 + `${os.type()}/`.length + 2000 + 1);
    } finally {
      os.release = release;
      syncBuiltinESMExports();
    }
  });

  describe('safeEcho', () => {
    it('writes the text as it is, without a line end of its own', () => {
      Worker.safeEcho('one ');
      Worker.safeEcho('two');
      expect(printed.output).to.equal('one two');
    });

    it('takes the tags of colours out where there are no colours', () => {
      Worker.safeEcho('<n><g>ok</g> <w>white</w> <b>bold</b>', true);
      expect(printed.output).to.equal('ok white <b>bold</b>');
    });

    it('never throws', () => {
      const { outputStream } = Worker;
      Worker.outputStream = new Writable();
      Worker.outputStream.write = () => {
        throw new Error('the terminal is gone');
      };
      try {
        expect(() => Worker.safeEcho('lost')).not.to.throw();
      } finally {
        Worker.outputStream = outputStream;
      }
    });
  });

  it('leaves the standard streams alone on resetStd when it is no daemon', () => {
    const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-std-'));
    const { stdoutFile } = Worker;
    const fd = (): number | undefined => (process.stdout as { fd?: number }).fd;
    const before = fd();
    Worker.stdoutFile = join(folder, 'out');
    try {
      Worker.resetStd();
      expect(fd()).to.equal(before);
      expect(existsSync(Worker.stdoutFile)).to.equal(false);
    } finally {
      Worker.stdoutFile = stdoutFile;
      rmSync(folder, { recursive: true });
    }
  });

  describe('setUserAndGroup', () => {
    it('does nothing when neither is named', () => {
      make().setUserAndGroup();
      expect(printed.output).to.equal('');
    });

    it('warns of a user that does not exist, and goes on', () => {
      const worker = make();
      worker.user = 'no-such-user';
      worker.setUserAndGroup();
      expect(printed.output).to.equal('Warning: User no-such-user not exists\n');
    });

    it('warns of a group that does not exist, and goes on', () => {
      const worker = make();
      worker.user = userInfo().username;
      worker.group = 'no-such-group';
      worker.setUserAndGroup();
      expect(printed.output).to.equal('Warning: Group no-such-group not exists\n');
    });
  });
});
