import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files that the program `responses` sends, made in the folder in which it was started. */

const folder = join(process.cwd(), 'files');

/** 2024-01-02 03:04:05 UTC, which is what `Last-Modified` says in the recordings. */
const MODIFIED = 1704164645;

const bytes = (length: number, value: (i: number) => number): Buffer => {
  const buffer = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) buffer[i] = value(i) & 255;
  return buffer;
};

const FILES: Record<string, string | (() => Buffer)> = {
  'alpha.txt': 'abcdefghijklmnopqrstuvwxyz',
  'page.html': '<h1>hi</h1>\n',
  'pixel.png': () => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), bytes(16, (i) => i)]),
  'data.unknownext': 'unknown',
  'noext': 'no extension',
  '.hidden': 'hidden file',
  'archive.tar.gz': 'not really gzip',
  'sp ace.bin': 'space',
  'quo"te.bin': 'quote',
  'back\\slash.bin': 'backslash',
  'ünï.bin': 'utf8',
  'empty.txt': '',
  'empty.bin': '',
  'UPPER.TXT': 'upper',
  'medium.bin': () => bytes(100000, (i) => i % 251),
  'big.bin': () => bytes(3145728, (i) => i * 31 + (i >> 8)),
  'huge.bin': () => Buffer.alloc(25165824, 'h'),
};

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, MODIFIED, MODIFIED);
}

/** Writes them all. */
export function makeFixtures(): void {
  for (const [name, content] of Object.entries(FILES)) {
    write(join(folder, name), typeof content === 'string' ? content : content());
  }
}

/** The path of one of them; of the folder itself for `'.'`. */
export function fixture(name: string): string {
  return join(folder, name);
}

/** A file with any extension. */
export function fixtureOfType(extension: string): string {
  const path = join(folder, 'mime', `f.${extension}`);
  if (/^[A-Za-z0-9]+$/.test(extension) && !existsSync(path)) write(path, 'x');
  return path;
}
