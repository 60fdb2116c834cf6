import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileSessionHandler } from '../../../../../protocols/http/session/FileSessionHandler.js';
import { Session } from '../../../../../protocols/http/Session.js';

const ID = 'abcdefghijklmnop';

describe('FileSessionHandler', () => {
  let folder: string;
  let handler: FileSessionHandler;

  const path = (id: string = ID): string => join(folder, `session_${id}`);
  /** Makes a file of a session that was written so many seconds ago. */
  const writeOld = (seconds: number, file = path(), data = '{"a":1}'): void => {
    writeFileSync(file, data);
    const time = Date.now() / 1000 - seconds;
    utimesSync(file, time, time);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-sessions-'));
    handler = new FileSessionHandler({ save_path: folder });
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  after(() => FileSessionHandler.init());

  it('makes its folder, for its owner alone, and gives the path with a separator at its end', () => {
    const deep = join(folder, 'a', 'b');
    expect(FileSessionHandler.sessionSavePath(deep)).to.equal(`${deep}/`);
    expect(FileSessionHandler.sessionSavePath(`${deep}/`)).to.equal(`${deep}/`);
    expect(statSync(deep).mode & 0o777).to.equal(0o700);
    expect(FileSessionHandler.sessionSavePath('')).to.equal('');
  });

  it('keeps to the folder that was set when a handler is made without one', async () => {
    expect(await new FileSessionHandler().write(ID, 'x')).to.equal(true);
    expect(await new FileSessionHandler({}).write(`${ID}2`, 'x')).to.equal(true);
    expect(await new FileSessionHandler(null).read(ID)).to.equal('x');
    expect(readdirSync(folder)).to.deep.equal([`session_${ID}`, `session_${ID}2`]);
  });

  it('uses the system\'s folder for temporary files after init()', async () => {
    FileSessionHandler.init();
    const id = `workermantstest${process.pid}`;
    await handler.write(id, 'x');
    expect(existsSync(join(tmpdir(), `session_${id}`))).to.equal(true);
    await handler.destroy(id);
  });

  it('writes a file that only its owner can read, and leaves nothing else', async () => {
    expect(await handler.write(ID, '{"a":"ü"}')).to.equal(true);
    expect(await handler.write(ID, '{"a":"ä"}')).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal([`session_${ID}`]);
    expect(readFileSync(path(), 'utf8')).to.equal('{"a":"ä"}');
    expect(statSync(path()).mode & 0o777).to.equal(0o600);
    expect(await handler.read(ID)).to.equal('{"a":"ä"}');
  });

  it('never shows half of what is written', async () => {
    const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
    const writing = Promise.all(Array.from({ length: 20 }, (_, i) => handler.write(ID, texts[i % 2]!)));
    await handler.write(ID, texts[0]!);
    let isWriting = true;
    void writing.then(() => (isWriting = false));
    while (isWriting) expect(texts).to.include(await handler.read(ID));
    expect(readdirSync(folder)).to.deep.equal([`session_${ID}`]);
  });

  it('writes nothing for nothing', async () => {
    expect(await handler.write(ID, '')).to.equal(false);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('reads nothing where there is nothing', async () => {
    expect(await handler.read(ID)).to.equal(false);
    for (const data of ['', '0']) {
      writeFileSync(path(), data);
      expect(await handler.read(ID)).to.equal(false);
    }
  });

  it('deletes a file whose lifetime is over instead of reading it', async () => {
    writeOld(Session.lifetime - 5);
    expect(await handler.read(ID)).to.equal('{"a":1}');
    writeOld(Session.lifetime + 5);
    expect(await handler.read(ID)).to.equal(false);
    expect(existsSync(path())).to.equal(false);
  });

  it('begins a lifetime anew, and says when there is none', async () => {
    expect(await handler.updateTimestamp(ID)).to.equal(false);
    writeOld(1000);
    expect(await handler.updateTimestamp(ID, 'ignored')).to.equal(true);
    expect(Date.now() - statSync(path()).mtimeMs).to.be.below(100_000);
    expect(readFileSync(path(), 'utf8')).to.equal('{"a":1}');
  });

  it('destroys, also what is not there', async () => {
    await handler.write(ID, 'x');
    expect(await handler.destroy(ID)).to.equal(true);
    expect(await handler.destroy(ID)).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('collects what is old, and nothing that is none of its files', async () => {
    writeOld(100);
    writeOld(100, path('.leftover'));
    writeOld(100, join(folder, 'other'));
    writeOld(10, path('youngyoungyoungyoung'));
    FileSessionHandler.sessionSavePath(path('folder'));
    FileSessionHandler.sessionSavePath(folder);
    utimesSync(path('folder'), 1, 1);
    expect(await handler.gc(50)).to.equal(true);
    expect(readdirSync(folder).sort()).to.deep.equal(['other', 'session_folder', 'session_youngyoungyoungyoung']);
  });

  it('lets no id out of its folder', async () => {
    for (const id of ['', '../../etc/passwd', 'a/b', 'a\0b', 'a.b', 'a\n', 'ü'.repeat(16), 'a'.repeat(257)]) {
      for (const act of [() => handler.read(id), () => handler.write(id, 'x'), () => handler.destroy(id), () => handler.updateTimestamp(id)]) {
        expect(await act().catch((error: { code: string }) => error.code), id).to.equal('WM_SESSION');
      }
    }
  });

  it('stores nothing under an id that is too long for a file name, and does not fail over it', async () => {
    const id = 'a'.repeat(256);
    expect(await handler.write(id, 'x')).to.equal(false);
    expect(await handler.read(id)).to.equal(false);
    expect(await handler.updateTimestamp(id)).to.equal(false);
    expect(await handler.destroy(id)).to.equal(true);
    const longest = 'a'.repeat(247);
    expect(await handler.write(longest, 'x')).to.equal(true);
    expect(await handler.read(longest)).to.equal('x');
  });

  it('leaves nothing behind when it can not write', async () => {
    FileSessionHandler.sessionSavePath(path());
    FileSessionHandler.sessionSavePath(folder);
    expect(await handler.write(ID, 'x').catch((error: { code: string }) => error.code)).to.equal('EISDIR');
    expect(readdirSync(folder)).to.deep.equal([`session_${ID}`]);
  });

  it('has nothing to do for open and close', () => {
    expect([handler.open('', ''), handler.close()]).to.deep.equal([true, true]);
  });
});
