import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Http } from '../../../../protocols/Http.js';
import { Request } from '../../../../protocols/http/Request.js';
import type { FileValue, UploadedFile } from '../../../../protocols/http/uploads.js';
import { uploadRequest, type TestPart } from './multipartBody.js';

/** The content of each leaf in place of the leaf. */
function contents(value: FileValue): unknown {
  if (Array.isArray(value)) return value.map(contents);
  if (typeof value.tmp_name === 'string') return readFileSync(value.tmp_name, 'latin1');
  return Object.fromEntries(Object.entries(value as Record<string, FileValue>).map(([name, child]) => [name, contents(child)]));
}

describe('files of a Request', () => {
  let folder: string;

  const upload = (...parts: TestPart[]): Request => new Request(uploadRequest(parts));
  const file = (request: Request, name = 'f'): UploadedFile => request.file<UploadedFile>(name)!;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-uploads-'));
    Http.uploadTmpDir(folder);
  });

  afterEach(() => {
    Http.uploadTmpDir('');
    rmSync(folder, { recursive: true, force: true });
  });

  it('are described, and lie in the folder for uploads for their owner alone', () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const got = file(upload({ name: 'f', filename: '../ü.bin', type: 'a/b; c=d', content }));
    expect({ ...got, tmp_name: '' }).to.deep.equal({
      name: '../ü.bin', tmp_name: '', size: 256, error: 0, full_path: '../ü.bin', type: 'a/b; c=d',
    });
    expect(Object.getPrototypeOf(got)).to.equal(null);
    expect(got.tmp_name).to.match(new RegExp(`^${folder}/workerman\\.upload\\.[A-Za-z0-9]{6}$`));
    expect(readFileSync(got.tmp_name)).to.deep.equal(content);
    expect(statSync(got.tmp_name).mode & 0o777).to.equal(0o600);
  });

  it('go to the system\'s folder for temporary files unless told otherwise', () => {
    expect(Http.uploadTmpDir()).to.equal(folder);
    expect(Http.uploadTmpDir('')).to.equal(tmpdir());
    expect(Http.uploadTmpDir(null)).to.equal(tmpdir());
  });

  it('nest by their names, beside the fields', () => {
    const request = upload(
      { name: 'f[]', filename: 'a', content: '1' }, { name: 'f[]', filename: 'b', content: '2' },
      { name: 'g[x][y]', filename: 'c', content: '3' }, { name: 'g[x][]', filename: 'd', content: '4' },
      { name: '__proto__', filename: 'e', content: '5' }, { name: 'a.b', content: '6' }, { name: 'g[x]', content: '7' },
    );
    expect(contents(request.file())).to.deep.equal(
      JSON.parse('{"f":["1","2"],"g":{"x":{"y":"3","0":"4"}},"__proto__":"5"}'),
    );
    expect(Object.getPrototypeOf(request.file())).to.equal(null);
    expect(JSON.stringify(request.post())).to.equal('{"a_b":"6","g":{"x":"7"}}');
    expect(request.post('a_b')).to.equal('6');
    expect(request.file('none')).to.equal(null);
    expect(request.file('toString')).to.equal(null);
  });

  it('of one name: the last wins, and the others are removed too', () => {
    const request = upload({ name: 'f', filename: 'a', content: '1' }, { name: 'f', filename: 'b', content: '2' });
    expect(contents(request.file())).to.deep.equal({ f: '2' });
    expect(readdirSync(folder)).to.have.length(2);
    request._removeFiles();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('are written when they are asked for and not before', () => {
    const request = upload({ name: 'f', filename: 'a', content: '1' }, { name: 'x', content: '2' });
    expect(request.post('x')).to.equal('2');
    expect(readdirSync(folder)).to.deep.equal([]);
    expect(request.file('f')).to.equal(request.file().f);
    expect(readdirSync(folder)).to.have.length(1);
  });

  it('are none in a body of another kind', () => {
    expect(Object.keys(new Request('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\r\na=1').file())).to.deep.equal([]);
    expect(Object.keys(new Request('POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n').post())).to.deep.equal([]);
  });

  it('may be empty, and are an error only where none was chosen', () => {
    const request = upload({ name: 'none', filename: '', type: 'a/b' }, { name: 'empty', filename: 'e' }, { name: 'bare', filename: '', content: 'x' });
    expect({ ...file(request, 'none') }).to.deep.equal({ name: '', tmp_name: '', size: 0, error: 4, full_path: '', type: 'a/b' });
    expect(file(request, 'empty')).to.include({ error: 0, size: 0, name: 'e' });
    expect(statSync(file(request, 'empty').tmp_name).size).to.equal(0);
    expect(file(request, 'bare')).to.include({ error: 0, size: 1, name: '' });
  });

  it('say when the folder is missing, and when they can not be written', () => {
    Http.uploadTmpDir(join(folder, 'missing'));
    expect(file(upload({ name: 'f', filename: 'a', content: '123' }))).to.include({ error: 6, tmp_name: '', size: 3 });
    if (process.getuid!() === 0) Http.uploadTmpDir('/sys');
    else {
      mkdirSync(join(folder, 'closed'));
      chmodSync(join(folder, 'closed'), 0o500);
      Http.uploadTmpDir(join(folder, 'closed'));
    }
    expect(file(upload({ name: 'f', filename: 'a', content: '123' }))).to.include({ error: 7, tmp_name: '' });
  });

  it('survive being moved', () => {
    const request = upload({ name: 'f', filename: 'a', content: '1' }, { name: 'g', filename: 'b', content: '2' });
    renameSync(file(request).tmp_name, join(folder, 'kept'));
    request._removeFiles();
    expect(readdirSync(folder)).to.deep.equal(['kept']);
  });

  it('are all written anew when one was moved or removed and they are asked for again', () => {
    const request = upload({ name: 'f', filename: 'a', content: '1' }, { name: 'g', filename: 'b', content: '2' });
    const first = file(request).tmp_name;
    expect(file(request).tmp_name).to.equal(first);
    unlinkSync(first);
    expect(contents(request.file())).to.deep.equal({ f: '1', g: '2' });
    expect(file(request).tmp_name).to.not.equal(first);
    request._removeFiles();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('are not written anew for a file that never was', () => {
    const request = upload({ name: 'f', filename: '' });
    expect(request.file('f')).to.equal(request.file('f'));
  });

  it('count together with the fields', () => {
    const parts = Array.from({ length: 5 }, (_, i) => ({ name: `n${i}`, ...(i % 2 ? { filename: 'x' } : {}) }));
    const { maxFileUploads } = Request;
    Request.maxFileUploads = 3;
    try {
      const request = upload(...parts);
      expect(Object.keys(request.post())).to.deep.equal(['n0', 'n2']);
      expect(Object.keys(request.file())).to.deep.equal(['n1']);
    } finally {
      Request.maxFileUploads = maxFileUploads;
    }
  });

  it('are a thousand at most, and no more are written', () => {
    const request = upload(...Array.from({ length: 1010 }, (_, i) => ({ name: `n${i}`, filename: 'x' })));
    expect(Object.keys(request.file())).to.have.length(1000);
    expect(readdirSync(folder)).to.have.length(1000);
    request._removeFiles();
  });

  it('are removed when nobody has the request any more', async function () {
    if (globalThis.gc === undefined) (await import('node:v8')).setFlagsFromString('--expose-gc');
    const collect = (globalThis.gc ?? (await import('node:vm')).runInNewContext('gc')) as () => void;
    (() => file(upload({ name: 'f', filename: 'a', content: '1' })))();
    while (readdirSync(folder).length > 0) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(process.listeners('exit').some((listener) => listener.name === 'removeAll')).to.equal(false);
  });

  it('are removed when the process exits', () => {
    const { tmp_name } = file(upload({ name: 'f', filename: 'a', content: '1' }));
    const removeAll = process.listeners('exit').filter((listener) => listener.name === 'removeAll');
    expect(removeAll).to.have.length(1);
    removeAll[0]!(0);
    expect(existsSync(tmp_name)).to.equal(false);
  });
});
