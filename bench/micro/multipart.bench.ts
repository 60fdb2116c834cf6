import { from, type Micro } from './harness.js';
import { MEBIBYTES } from './sizes.js';

const { parseMultipart } =
  await from<typeof import('../../protocols/http/parse/multipart.js')>('protocols/http/parse/multipart.js');

const BOUNDARY = '----boundary0123456789abcdef';
const LIMITS = { maxParts: 1 << 20 };

const part = (name: string, content: Buffer, filename?: string): Buffer =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`),
    Buffer.from(filename === undefined ? '\r\n\r\n' : `; filename="${filename}"\r\nContent-Type: application/octet-stream\r\n\r\n`),
    content, Buffer.from('\r\n'),
  ]);

const body = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);

const fields = parsed(body(...Array.from({ length: 10 }, (_, i) => part(`field${i}`, Buffer.from('some value')))), 10);
/** Content that begins like a boundary again and again. */
const nasty = Buffer.from('\r\n------boundary').toString();

/** What the engine takes for the values of fields alone: strings that all live at once. */
function stringsOf(bytes: Buffer, count: number): string[] {
  const size = Math.floor(bytes.length / count);
  return Array.from({ length: count }, (_, i) => bytes.toString('utf8', i * size, (i + 1) * size));
}

function parsed(bytes: Buffer, parts: number): Buffer {
  const { fields, files } = parseMultipart(bytes, BOUNDARY, LIMITS);
  if (fields.length + files.length !== parts) throw new Error(`${fields.length + files.length} parts instead of ${parts}`);
  return bytes;
}

export const micros: readonly Micro[] = [
  { name: '10 fields', run: () => parseMultipart(fields, BOUNDARY, LIMITS) },
  ...MEBIBYTES.flatMap((size): Micro[] => {
    const bytes = size << 20;
    const one = parsed(body(part('file', Buffer.alloc(bytes, 'x'), 'a.bin')), 1);
    const count = size * 512;
    const many = parsed(body(...Array.from({ length: count }, (_, i) => part(`field${i}`, Buffer.alloc(1950, 'x')))), count);
    const near = parsed(body(part('file', Buffer.alloc(bytes, nasty), 'a.bin')), 1);
    return [
      { name: `a file of ${size} MiB`, bytes, run: () => parseMultipart(one, BOUNDARY, LIMITS) },
      { name: `a file of ${size} MiB of almost-boundaries`, bytes, run: () => parseMultipart(near, BOUNDARY, LIMITS) },
      { name: `${size} MiB of fields`, bytes: many.length, run: () => parseMultipart(many, BOUNDARY, LIMITS) },
      { name: `${size} MiB as strings, nothing parsed`, bytes: many.length, run: () => stringsOf(many, count) },
    ];
  }),
];
