import {
  appendFileSync, fstatSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileSource } from '../../../../protocols/http/FileSource.js';
import { closedIn, drain, openFilesIn } from './openFiles.js';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';
const MIB = 1024 * 1024;
const PIECE = 128 * 1024;
const BIG = 3 * MIB + 7;

describe('FileSource', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const open = (name: string, offset: number = 0): FileSource => {
    const fd = openSync(at(name), 'r');
    return new FileSource(fd, offset, fstatSync(fd).size - offset);
  };
  const woken = (source: FileSource): Promise<void> => new Promise((resolve) => {
    expect(source.read(resolve)).to.equal(null);
  });

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'filesource-'));
    writeFileSync(at('alpha.txt'), ALPHABET);
    writeFileSync(at('big.bin'), Buffer.alloc(BIG, ALPHABET));
    writeFileSync(at('empty.txt'), '');
    mkdirSync(at('directory'));
  });
  afterEach(() => closedIn(folder));
  after(() => rmSync(folder, { recursive: true }));

  it('wakes once for each piece and is exhausted after the last', async () => {
    const source = open('alpha.txt', 20);
    await woken(source);
    expect(source.read(() => {})?.toString()).to.equal('uvwxyz');
    expect(source.read(() => {})).to.equal(undefined);
    expect(source.read(() => {})).to.equal(undefined);
    await closedIn(folder);
  });

  it('gives pieces of at most 128 KiB, which together are the file', async () => {
    const pieces = await drain(open('big.bin', 5));
    expect(Math.max(...pieces.map((piece) => piece.length))).to.equal(PIECE);
    expect(Buffer.concat(pieces).equals(Buffer.alloc(BIG, ALPHABET).subarray(5))).to.equal(true);
  });

  it('is exhausted at once when there is nothing to send', async () => {
    expect(open('empty.txt').read(() => {})).to.equal(undefined);
    await closedIn(folder);
  });

  it('reads once, however often it is asked meanwhile, and wakes the last who asked', async () => {
    const source = open('alpha.txt');
    let first = 0;
    expect(source.read(() => { first++; })).to.equal(null);
    await woken(source);
    expect(first).to.equal(0);
    expect(source.read(() => {})?.toString()).to.equal(ALPHABET);
  });

  it('closes the file before the last piece is taken', async () => {
    const source = open('alpha.txt');
    await woken(source);
    await closedIn(folder);
    expect(source.read(() => {})?.toString()).to.equal(ALPHABET);
  });

  it('sends what the file had when it has grown since', async () => {
    writeFileSync(at('grow.bin'), 'first');
    const source = open('grow.bin');
    appendFileSync(at('grow.bin'), 'second');
    expect(Buffer.concat(await drain(source)).toString()).to.equal('first');
  });

  it('throws when the file has become shorter, and closes it', async () => {
    writeFileSync(at('shrink.bin'), Buffer.alloc(BIG));
    const source = open('shrink.bin');
    await woken(source);
    expect(source.read(() => {})?.length).to.equal(PIECE);
    truncateSync(at('shrink.bin'), PIECE + 10);
    await woken(source);
    expect(source.read(() => {})?.length).to.equal(10);
    await woken(source);
    expect(() => source.read(() => {})).to.throw('before its announced length');
    await closedIn(folder);
  });

  it('throws when the file can not be read, and closes it', async () => {
    const source = new FileSource(openSync(at('directory'), 'r'), 0, 26);
    await woken(source);
    expect(() => source.read(() => {})).to.throw('EISDIR');
    await closedIn(folder);
  });

  it('closes the file on cancel, and gives nothing any more', async () => {
    const fresh = open('big.bin');
    fresh.cancel();
    await closedIn(folder);
    expect(fresh.read(() => {})).to.equal(undefined);

    const started = open('big.bin');
    await woken(started);
    started.cancel();
    await closedIn(folder);
    expect(started.read(() => {})).to.equal(undefined);
  });

  it('closes the file only behind a read that is still going on, and wakes nobody', async () => {
    const source = open('big.bin');
    let wakes = 0;
    expect(source.read(() => { wakes++; })).to.equal(null);
    source.cancel();
    expect(openFilesIn(folder)).to.deep.equal([at('big.bin')]);
    await closedIn(folder);
    expect(wakes).to.equal(0);
  });
});
