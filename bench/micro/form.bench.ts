import { from, type Micro } from './harness.js';
import { MEBIBYTES } from './sizes.js';

const { parseStr } = await from<typeof import('../../protocols/http/parse/query.js')>('protocols/http/parse/query.js');

const query = 'page=2&sort=asc&q=some+words%21';
const kilobyte = Buffer.from(
  Array.from({ length: 24 }, (_, i) => `field${i}=${'value+of+the%21'.repeat(3)}`).join('&').slice(0, 1024),
);
const nested = 'a[]=1&a[]=2&b[x][y]=3&b[x][z]=4&c[0][id]=5&c[1][id]=6';

/** A form of a thousand fields, so many mebibytes together. */
function form(mebibytes: number): Buffer {
  const length = Math.floor((mebibytes << 20) / 1000);
  return Buffer.from(Array.from({ length: 1000 }, (_, i) => `f${i}=`.padEnd(length - 4, 'value+%41').concat('xyz')).join('&'));
}

export const micros: readonly Micro[] = [
  { name: 'parse_str, a query of 3', run: () => parseStr(query) },
  { name: 'parse_str, a form of 1 KB', run: () => parseStr(kilobyte) },
  { name: 'parse_str, nested', run: () => parseStr(nested) },
  ...MEBIBYTES.map((size): Micro => {
    const body = form(size);
    return { name: `parse_str, ${size} MiB in 1,000 fields`, bytes: body.length, run: () => parseStr(body) };
  }),
];
