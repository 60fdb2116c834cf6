import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  appendFileSync, chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync,
  symlinkSync, unlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Log } from '../../../lib/Log.js';
import { endChildren, startChild } from './startChild.js';

const MODULE = new URL('../../../lib/Log.ts', import.meta.url).href;
const NOW = new Date(2026, 0, 2, 3, 4, 5);
const PREFIX = '2026-01-02 03:04:05 pid:7 ';

/** A message whose line has so many bytes, the line feed included. */
const filling = (bytes: number, letter: string): string => letter.repeat(bytes - PREFIX.length - 1);

/** Writes so many lines as fast as it can; reports the largest size of the file that it saw. */
const WRITER = (file: string, maxSize: number, name: string, lines: number): string => `
  import { statSync } from 'node:fs';
  import { Log } from '${MODULE}';
  const log = new Log(${JSON.stringify(file)}, ${maxSize});
  process.once('message', () => {
    let largest = 0;
    for (let line = 0; line < ${lines}; line++) {
      if (!log.append('${name} ' + line + ' ' + 'x'.repeat(line % 97) + ' end')) throw new Error('not written');
      largest = Math.max(largest, statSync(${JSON.stringify(file)}).size);
    }
    process.send({ largest });
    process.disconnect();
  });
  process.send('ready');
`;

/** Replaces functions of node:fs, for everybody who imported them, while something runs. */
function withFs(changes: Partial<Record<'readSync' | 'renameSync' | 'writeSync', unknown>>, run: () => void): void {
  const { readSync: read, renameSync: rename, writeSync: write } = fs;
  Object.assign(fs, changes);
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    Object.assign(fs, { readSync: read, renameSync: rename, writeSync: write });
    syncBuiltinESMExports();
  }
}

describe('Log', () => {
  let folder: string;
  let file: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-log-'));
    file = join(folder, 'workerman.log');
  });

  afterEach(async () => {
    await endChildren(children);
    rmSync(folder, { recursive: true, force: true });
  });

  const content = (): string => readFileSync(file, 'utf8');

  /** Appends lines of the given sizes, the first of letters `a`, the second of `b` and so on. */
  const fill = (log: Log, sizes: number[]): void => {
    sizes.forEach((size, index) => log.append(filling(size, String.fromCharCode(97 + index)), 7, NOW));
  };

  describe('append', () => {
    it('writes date, time, pid and message', () => {
      expect(new Log(file, 0).append('hello', 7, NOW)).to.equal(true);
      expect(content()).to.equal(`${PREFIX}hello\n`);
    });

    it('takes the own pid and the present time unless told otherwise', () => {
      const before = Math.floor(Date.now() / 1000);
      new Log(file, 0).append('hello');
      const [, time = '', pid] = /^(\S+ \S+) pid:(\d+) hello\n$/.exec(content()) ?? [];
      expect(Number(pid)).to.equal(process.pid);
      expect(new Date(time.replace(' ', 'T')).getTime() / 1000).to.be.within(before, Date.now() / 1000);
    });

    it('trims the message at both ends and keeps line feeds inside', () => {
      new Log(file, 0).append(' \n a\n  b \n\n', 7, NOW);
      expect(content()).to.equal(`${PREFIX}a\n  b\n`);
    });

    it('appends to what is there', () => {
      writeFileSync(file, 'before\n');
      new Log(file, 0).append('after', 7, NOW);
      expect(content()).to.equal(`before\n${PREFIX}after\n`);
    });

    it('makes the file again when somebody removed or moved it', () => {
      const log = new Log(file, 100);
      log.append('one', 7, NOW);
      renameSync(file, `${file}.1`);
      log.append('two', 7, NOW);
      expect(content()).to.equal(`${PREFIX}two\n`);
      expect(readFileSync(`${file}.1`, 'utf8')).to.equal(`${PREFIX}one\n`);
    });

    it('says false and does not throw when the line can not be written', () => {
      writeFileSync(join(folder, 'file'), '');
      expect(new Log(folder, 0).append('x')).to.equal(false);
      expect(new Log(join(folder, 'file', 'log'), 0).append('x')).to.equal(false);
    });

    it('writes on where it was after the working directory changed', () => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        const log = new Log('relative.log', 0);
        process.chdir(tmpdir());
        log.append('x');
      } finally {
        process.chdir(before);
      }
      expect(readdirSync(folder)).to.deep.equal(['relative.log']);
    });
  });

  describe('create', () => {
    it('makes missing folders and a file of mode 0644, whatever the umask', () => {
      const deep = join(folder, 'a', 'b', 'workerman.log');
      const before = process.umask(0o027);
      try {
        expect(new Log(deep, 0).create()).to.equal(true);
      } finally {
        process.umask(before);
      }
      expect(statSync(deep).mode & 0o777).to.equal(0o644);
      expect(statSync(join(folder, 'a')).mode & 0o777).to.equal(0o750);
      expect(statSync(join(folder, 'a', 'b')).mode & 0o777).to.equal(0o750);
    });

    it('leaves a file that exists as it is', () => {
      writeFileSync(file, 'x');
      chmodSync(file, 0o600);
      expect(new Log(file, 0).create()).to.equal(true);
      expect(content()).to.equal('x');
      expect(statSync(file).mode & 0o777).to.equal(0o600);
    });

    it('says false when it can not be made', () => {
      writeFileSync(file, '');
      expect(new Log(join(file, 'workerman.log'), 0).create()).to.equal(false);
    });

    for (const name of ['/dev/null', 'php://stdout', 'http://host/log']) {
      it(`makes nothing for ${name}, nor does append`, () => {
        const before = process.cwd();
        process.chdir(folder);
        try {
          const log = new Log(name, 1);
          expect(log.create()).to.equal(true);
          expect(log.append('x')).to.equal(true);
        } finally {
          process.chdir(before);
        }
        expect(readdirSync(folder)).to.deep.equal([]);
      });
    }
  });

  describe('the cut', () => {
    it('keeps the full lines after the middle byte once the file is larger than its limit', () => {
      const log = new Log(file, 500);
      fill(log, [100, 100, 100, 100]);
      expect(statSync(file).size).to.equal(400);
      log.append(filling(132, 'e'), 7, NOW);
      expect(content()).to.equal(`${PREFIX}${filling(100, 'd')}\n${PREFIX}${filling(132, 'e')}\n`);
      log.append(filling(268, 'f'), 7, NOW);
      expect(statSync(file).size).to.equal(500);
      expect(readdirSync(folder)).to.deep.equal(['workerman.log']);
    });

    it('does not happen at the limit itself, nor with a limit of 0', () => {
      fill(new Log(file, 300), [100, 100, 100]);
      fill(new Log(file, 0), [100, 100]);
      expect(statSync(file).size).to.equal(500);
    });

    it('goes by bytes', () => {
      const log = new Log(file, 300);
      fill(log, [100, 100]);
      log.append('ä'.repeat(50), 7, NOW);
      expect(content()).to.equal(`${PREFIX}${'ä'.repeat(50)}\n`);
    });

    it('empties a file that has no full line in its second half', () => {
      const log = new Log(file, 300);
      fill(log, [100, 300]);
      expect(content()).to.equal('');
      log.append('next', 7, NOW);
      expect(content()).to.equal(`${PREFIX}next\n`);
    });

    it('drops the line that begins with the middle byte only when bytes before it are cut as well', () => {
      const log = new Log(file, 399);
      fill(log, [100, 99, 101, 100]);
      expect(content()).to.equal(`${PREFIX}${filling(100, 'd')}\n`);
    });

    it('copies more than fits into one piece', () => {
      const line = `${'z'.repeat(1023)}\n`;
      writeFileSync(file, line.repeat(6000));
      new Log(file, 5_000_000).append('last', 7, NOW);
      expect(content()).to.equal(`${line.repeat(2999)}${PREFIX}last\n`);
    });

    it('finds a line feed that is far away', () => {
      writeFileSync(file, `${'y'.repeat(6_000_000)}\n${'z'.repeat(10)}\n`);
      new Log(file, 5_000_000).append('last', 7, NOW);
      expect(content()).to.equal(`${'z'.repeat(10)}\n${PREFIX}last\n`);
    });

    it('keeps the mode of the file', () => {
      const log = new Log(file, 300);
      fill(log, [100, 100]);
      chmodSync(file, 0o622);
      fill(log, [150]);
      expect(statSync(file)).to.have.property('size', 150);
      expect(statSync(file).mode & 0o777).to.equal(0o622);
    });

    it('replaces the file behind a symbolic link, not the link', () => {
      const link = join(folder, 'link.log');
      symlinkSync(file, link);
      fill(new Log(link, 300), [100, 100, 150]);
      expect(fs.lstatSync(link).isSymbolicLink()).to.equal(true);
      expect(statSync(file).size).to.equal(150);
      expect(readdirSync(folder).sort()).to.deep.equal(['link.log', 'workerman.log']);
    });

    it('is left to another process that is at it', () => {
      writeFileSync(`${file}.tmp`, 'half a copy');
      fill(new Log(file, 300), [100, 100, 150]);
      expect(statSync(file).size).to.equal(350);
      expect(readFileSync(`${file}.tmp`, 'utf8')).to.equal('half a copy');
    });

    it('goes on after a process that died at it', () => {
      writeFileSync(`${file}.tmp`, 'half a copy');
      utimesSync(`${file}.tmp`, 1, 1);
      const log = new Log(file, 300);
      fill(log, [100, 100, 150]);
      expect(existsSync(`${file}.tmp`)).to.equal(false);
      fill(log, [100]);
      expect(statSync(file).size).to.equal(100);
      expect(readdirSync(folder)).to.deep.equal(['workerman.log']);
    });

    it('goes on after a process that died when it removed what a dead one had left', () => {
      writeFileSync(`${file}.tmp`, 'half a copy');
      utimesSync(`${file}.tmp`, 1, 1);
      const { ino, mtimeMs } = statSync(`${file}.tmp`);
      const claim = `${file}.tmp.${ino}-${mtimeMs}`;
      writeFileSync(claim, '');
      const log = new Log(file, 300);
      fill(log, [100, 100, 150]);
      expect(existsSync(`${file}.tmp`)).to.equal(true);
      utimesSync(claim, 1, 1);
      fill(log, [100]);
      fill(log, [100]);
      fill(log, [100]);
      expect(readdirSync(folder)).to.deep.equal(['workerman.log']);
      expect(statSync(file).size).to.be.at.most(300);
    });

    it('is given up when somebody took us for dead meanwhile', () => {
      const log = new Log(file, 300);
      fill(log, [100, 100]);
      const write = fs.writeSync;
      let calls = 0;
      const writeSync = (...args: Parameters<typeof write>): number => {
        if (++calls === 2) {
          unlinkSync(`${file}.tmp`);
          writeFileSync(`${file}.tmp`, 'of another process');
        }
        return write(...args);
      };
      withFs({ writeSync }, () => fill(log, [150]));
      expect(calls).to.equal(2);
      expect(statSync(file).size).to.equal(350);
      expect(readFileSync(`${file}.tmp`, 'utf8')).to.equal('of another process');
    });

    it('moves lines that others wrote into the old file around the rename', () => {
      const log = new Log(file, 300);
      fill(log, [100, 100]);
      const rename = fs.renameSync;
      const renameCut = (from: string, to: string): void => {
        const open = fs.openSync(to, 'a');
        appendFileSync(to, 'just before\nin two lines\n');
        rename(from, to);
        fs.writeSync(open, 'just after\n');
        appendFileSync(to, 'into the new file\n');
        fs.closeSync(open);
      };
      withFs({ renameSync: renameCut }, () => fill(log, [150]));
      expect(content()).to.equal(
        `${PREFIX}${filling(150, 'a')}\ninto the new file\njust before\nin two lines\njust after\n`,
      );
    });

    describe('done by a process that stands still between the seal and the end', () => {
      const SEAL = '\0this file was cut, a new one takes its place\n';

      /** Appends a line, in front of which the file is replaced; `pause` is called in place of each wait. */
      function appendLate(log: Log, pause: (old: number) => void): void {
        const { writeSync } = fs;
        const { wait } = Atomics;
        let old: number | null = null;
        const replace = (...args: Parameters<typeof writeSync>): number => {
          if (old === null) {
            old = fs.openSync(file, 'a');
            renameSync(file, `${file}.old`);
            writeFileSync(file, 'copied\n');
            const written = writeSync(...args);
            writeSync(old, SEAL);
            return written;
          }
          return writeSync(...args);
        };
        Atomics.wait = ((...args: Parameters<typeof wait>) => {
          pause(old!);
          return wait(...args);
        }) as typeof wait;
        try {
          withFs({ writeSync: replace }, () => log.append('late', 7, NOW));
        } finally {
          Atomics.wait = wait;
          fs.closeSync(old!);
        }
      }

      it('moves a line before its process goes on', () => {
        const log = new Log(file, 300);
        fill(log, [100]);
        appendLate(log, (old) => {
          appendFileSync(file, 'moved\n');
          appendFileSync(old, '\0moved\n');
        });
        log.append('next', 7, NOW);
        expect(content()).to.equal(`copied\nmoved\n${PREFIX}next\n`);
      });

      it('does not have the whole file read again and again by who waits for it', () => {
        const size = 4 << 20;
        const log = new Log(file, size * 2);
        writeFileSync(file, Buffer.alloc(size, 'x'));
        const { readSync } = fs;
        let read = 0;
        const counted = (...args: Parameters<typeof readSync>): number => {
          const count = readSync(...args);
          read += count;
          return count;
        };
        withFs({ readSync: counted }, () => appendLate(log, () => {}));
        // For the end of the move, and for the line.
        expect(read).to.be.below(3 * size);
      });
    });

    it('does not lose a line that came too late even for that', () => {
      const late = new Log(file, 300);
      const other = new Log(file, 300);
      fill(other, [100, 100]);
      const write = fs.writeSync;
      let first = true;
      const writeSync = (...args: Parameters<typeof write>): number => {
        if (first) {
          first = false;
          fill(other, [150]);
        }
        return write(...args);
      };
      withFs({ writeSync }, () => late.append('too late', 7, NOW));
      expect(content()).to.equal(`${PREFIX}${filling(150, 'a')}\n${PREFIX}too late\n`);
    });
  });

  describe('with four processes', () => {
    /** Lets four processes write; gives the lines in the end, and the largest size that any of them saw. */
    async function race(maxSize: number, lines: number): Promise<{ lines: string[]; largest: number }> {
      const names = ['a', 'b', 'c', 'd'];
      children.push(...await Promise.all(names.map((name) => startChild(WRITER(file, maxSize, name, lines)))));
      const results = children.map((child) => once(child, 'message'));
      const ends = children.map((child) => once(child, 'exit'));
      for (const child of children) child.send('go');
      const sizes = (await Promise.all(results)).map(([result]) => (result as { largest: number }).largest);
      expect((await Promise.all(ends)).map(([status]) => status as unknown)).to.deep.equal([0, 0, 0, 0]);
      return { lines: content().split('\n').slice(0, -1), largest: Math.max(...sizes) };
    }

    const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d pid:\d+ ([abcd]) (\d+) (x*) end$/;

    it('tears no line, doubles no line and stays near the limit across many cuts', async function () {
      this.timeout(20_000);
      writeFileSync(`${file}.tmp`, 'left by a dead process');
      utimesSync(`${file}.tmp`, 1, 1);
      const { lines, largest } = await race(20_000, 2_000);
      expect(lines).to.have.length.above(20);
      for (const line of lines) {
        const [, , number, filler = ''] = LINE.exec(line) ?? [];
        expect(filler, `the line ${JSON.stringify(line)}`).to.have.length(Number(number) % 97);
      }
      expect(new Set(lines).size).to.equal(lines.length);
      // A cutter may have to wait for a processor while the others write on; all lines together have 650,000 bytes.
      expect(largest).to.be.within(20_000, 300_000);
      expect(readdirSync(folder)).to.deep.equal(['workerman.log']);
    });

    it('loses no line behind the oldest that it keeps', async function () {
      this.timeout(20_000);
      const count = 3_000;
      const { lines } = await race(400_000, count);
      const parsed = lines.map((line) => LINE.exec(line) ?? []);
      let checked = 0;
      for (const name of ['a', 'b', 'c', 'd']) {
        const kept = new Set(parsed.filter((parts) => parts[1] === name).map((parts) => Number(parts[2])));
        // Where the cut went through, lines of one process may stand in another order than they were written in.
        for (let number = Math.min(...kept) + 200; number < count; number++, checked++) {
          expect(kept.has(number), `line ${number} of ${name}`).to.equal(true);
        }
      }
      expect(checked).to.be.above(500);
    });
  });
});
