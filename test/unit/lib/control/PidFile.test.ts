import {
  chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { WorkermanError } from '../../../../errors.js';
import { controlSocketPath, PidFile } from '../../../../lib/control/PidFile.js';
import { MAX_UNIX_PATH } from '../../../../lib/SocketName.js';

/** The WorkermanError that something throws. */
function failure(action: () => unknown): WorkermanError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(WorkermanError);
    return error as WorkermanError;
  }
  throw new Error('nothing was thrown');
}

describe('PidFile', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-pid-'));
    path = join(folder, 'start.pid');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('writes the pid in decimal without a line feed', () => {
    new PidFile(path).write(12345);
    expect(readFileSync(path, 'utf8')).to.equal('12345');
    expect(new PidFile(path).read()).to.equal(12345);
  });

  it('writes its own pid unless told otherwise', () => {
    const file = new PidFile(path);
    file.write();
    expect(file.read()).to.equal(process.pid);
  });

  it('makes a file of mode 0644 less the umask', () => {
    new PidFile(path).write(1);
    expect(statSync(path).mode & 0o777).to.equal(0o644 & ~process.umask());
  });

  it('replaces a longer pid wholly', () => {
    new PidFile(path).write(4194303);
    new PidFile(path).write(7);
    expect(readFileSync(path, 'utf8')).to.equal('7');
  });

  it('says which file it can not write, and why', () => {
    const missing = join(folder, 'missing', 'start.pid');
    const error = failure(() => new PidFile(missing).write(1));
    expect(error.code).to.equal('WM_PID_FILE');
    expect(error.message).to.equal(`can not save pid to ${missing}`);
    expect(error.cause).to.have.property('code', 'ENOENT');
  });

  it('reads 0 when there is no file', () => {
    expect(new PidFile(path).read()).to.equal(0);
    expect(new PidFile(folder).read()).to.equal(0);
  });

  it('reads past white space', () => {
    writeFileSync(path, ' 42\n');
    expect(new PidFile(path).read()).to.equal(42);
  });

  for (const content of ['', '0', '-1', '-42', '+1', '12a', '1 2', '0x10', '1e3', '1.0', '99999999999', 'pid']) {
    it(`reads 0 from a file with ${JSON.stringify(content)}`, () => {
      writeFileSync(path, content);
      expect(new PidFile(path).read()).to.equal(0);
    });
  }

  it('removes the file that holds our pid', () => {
    const file = new PidFile(path);
    file.write();
    expect(file.remove()).to.equal(true);
    expect(existsSync(path)).to.equal(false);
    expect(file.remove()).to.equal(false);
  });

  it('leaves the file of another process alone', () => {
    const file = new PidFile(path);
    file.write(process.pid + 1);
    expect(file.remove()).to.equal(false);
    expect(file.read()).to.equal(process.pid + 1);
    expect(file.remove(process.pid + 1)).to.equal(true);
  });

  it('stays with its file when the working directory changes', () => {
    const before = process.cwd();
    const file = new PidFile(relative(before, path));
    try {
      process.chdir(tmpdir());
      expect(file.path).to.equal(path);
    } finally {
      process.chdir(before);
    }
  });
});

describe('controlSocketPath', () => {
  let folder: string;
  let temporary: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-sock-'));
    temporary = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
  });

  afterEach(() => {
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
    rmSync(folder, { recursive: true, force: true });
  });

  const long = (character: string): string => `/${character.repeat(MAX_UNIX_PATH)}/start.pid`;
  const privateFolder = (): string => join(folder, `workerman-${process.getuid?.() ?? 0}`);

  it('is the pid file and .sock', () => {
    expect(controlSocketPath('/run/app/start.pid')).to.equal('/run/app/start.pid.sock');
    expect(controlSocketPath('start.pid')).to.equal(join(process.cwd(), 'start.pid.sock'));
  });

  it('stays beside the pid file up to the longest path there is', () => {
    const longest = `/${'a'.repeat(MAX_UNIX_PATH - '/.sock'.length)}`;
    expect(controlSocketPath(longest)).to.equal(`${longest}.sock`);
    expect(dirname(controlSocketPath(`${longest}a`))).to.equal(privateFolder());
  });

  it('goes to a private folder when the path is too long', () => {
    const path = controlSocketPath(long('a'));
    expect(dirname(path)).to.equal(privateFolder());
    expect(Buffer.byteLength(path)).to.be.at.most(MAX_UNIX_PATH);
    expect(statSync(privateFolder()).mode & 0o777).to.equal(0o700);
  });

  it('names the socket after the full path of the pid file', () => {
    expect(controlSocketPath(long('a'))).to.equal(controlSocketPath(long('a')));
    expect(basename(controlSocketPath(long('a')))).to.not.equal(basename(controlSocketPath(long('b'))));
  });

  it('refuses a folder that others may look into', () => {
    mkdirSync(privateFolder());
    chmodSync(privateFolder(), 0o755);
    const error = failure(() => controlSocketPath(long('a')));
    expect(error.code).to.equal('WM_PID_FILE');
    expect(error.cause).to.have.property('message').that.includes(privateFolder());
  });

  it('refuses a link in the place of the folder', () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, privateFolder());
    expect(failure(() => controlSocketPath(long('a'))).code).to.equal('WM_PID_FILE');
  });

  it('refuses a folder for temporary files whose path is too long as well', () => {
    process.env['TMPDIR'] = join(folder, 'x'.repeat(MAX_UNIX_PATH));
    expect(failure(() => controlSocketPath(long('a'))).code).to.equal('WM_PID_FILE');
  });
});
