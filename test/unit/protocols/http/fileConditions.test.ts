import { expect } from 'chai';
import fc from 'fast-check';
import {
  type FileRequest, isNotModified, type Part, parseHttpDate, requestedPart, type Validators,
} from '../../../../protocols/http/fileConditions.js';

const MODIFIED = 1704164645;
const DATE = 'Tue, 02 Jan 2024 03:04:05 GMT';
const NONE: Validators = { etag: null, modified: MODIFIED };
const TAGGED: Validators = { etag: '"v1"', modified: MODIFIED };

const request = (headers: Record<string, string>): FileRequest =>
  ({ method: () => 'GET', header: (name) => headers[name] ?? null });

describe('parseHttpDate', () => {
  it('reads the three forms of RFC 9110', () => {
    const forms = ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'];
    for (const date of forms) {
      expect(parseHttpDate(date), date).to.equal(784111777);
    }
  });

  it('takes two digits of a year for one that is at most 50 years ahead', () => {
    const now = new Date().getUTCFullYear();
    const twoDigits = (year: number): string => String(year % 100).padStart(2, '0');
    const yearOf = (year: number): number =>
      new Date((parseHttpDate(`Monday, 06-Nov-${twoDigits(year)} 08:49:37 GMT`) as number) * 1000).getUTCFullYear();
    expect(yearOf(now + 50)).to.equal(now + 50);
    expect(yearOf(now + 51)).to.equal(now - 49);
  });

  it('reads back what toUTCString writes (property)', () => {
    fc.assert(fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (time) => {
      expect(parseHttpDate(new Date(time * 1000).toUTCString())).to.equal(time);
    }));
  });

  it('gives null for anything else', () => {
    const wrong = [
      '', '0', '2024', '2024-01-02T03:04:05Z', 'Tue, 02 Jan 2024 03:04:05', 'Tue, 02 Jan 2024 03:04:05 UTC', `${DATE} `,
      ` ${DATE}`, `${DATE}; length=3`, 'Tue, 02 Foo 2024 03:04:05 GMT', 'Tue, 00 Jan 2024 03:04:05 GMT',
      'Tue, 32 Jan 2024 03:04:05 GMT', 'Tue, 02 Jan 2024 24:04:05 GMT', 'Tue, 02 Jan 2024 03:60:05 GMT',
      'Tue, 02 Jan 2024 03:04:61 GMT', 'Tue, 2 Jan 2024 03:04:05 GMT',
    ];
    for (const date of wrong) expect(parseHttpDate(date), date).to.equal(null);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (date) => {
      expect(parseHttpDate(date)).to.equal(null);
    }));
  });
});

describe('isNotModified', () => {
  it('is true for a date that is not older than the file', () => {
    expect(isNotModified(request({ 'if-modified-since': DATE }), NONE)).to.equal(true);
    expect(isNotModified(request({ 'if-modified-since': 'Tue, 02 Jan 2024 03:04:06 GMT' }), NONE)).to.equal(true);
    expect(isNotModified(request({ 'if-modified-since': 'Tue, 02 Jan 2024 03:04:04 GMT' }), NONE)).to.equal(false);
  });

  it('is false without conditions, for what is no date, and without a date of the file', () => {
    expect(isNotModified(request({}), TAGGED)).to.equal(false);
    expect(isNotModified(request({ 'if-modified-since': '2999' }), NONE)).to.equal(false);
    expect(isNotModified(request({ 'if-modified-since': DATE }), { etag: null, modified: null })).to.equal(false);
  });

  it('looks at nothing but If-None-Match when it is there', () => {
    expect(isNotModified(request({ 'if-modified-since': DATE, 'if-none-match': '"other"' }), TAGGED)).to.equal(false);
    expect(isNotModified(request({ 'if-modified-since': DATE, 'if-none-match': '"v1"' }), NONE)).to.equal(false);
    expect(isNotModified(request({ 'if-modified-since': DATE, 'if-none-match': '' }), NONE)).to.equal(false);
  });

  it('compares entity tags weakly, as a list', () => {
    const matches = (list: string, etag: string): boolean =>
      isNotModified(request({ 'if-none-match': list }), { etag, modified: MODIFIED });
    expect(matches('"v1"', '"v1"')).to.equal(true);
    expect(matches('W/"v1"', '"v1"')).to.equal(true);
    expect(matches('"v1"', 'W/"v1"')).to.equal(true);
    expect(matches('"a", W/"b,c" ,"v1"', '"v1"')).to.equal(true);
    expect(matches('"a", "v1x"', '"v1"')).to.equal(false);
    expect(matches('v1', '"v1"')).to.equal(false);
    expect(matches('*', '"v1"')).to.equal(true);
  });
});

describe('requestedPart', () => {
  const part = (range: string, size: number = 26): Part => requestedPart(request({ range }), size, NONE);

  it('is the range that was asked for, cut to the file', () => {
    expect(part('bytes=0-0')).to.deep.equal({ offset: 0, length: 1 });
    expect(part('bytes=5-9')).to.deep.equal({ offset: 5, length: 5 });
    expect(part('bytes=20-')).to.deep.equal({ offset: 20, length: 6 });
    expect(part('bytes=20-999')).to.deep.equal({ offset: 20, length: 6 });
    expect(part('bytes=0-')).to.deep.equal({ offset: 0, length: 26 });
    expect(part('Bytes=1-2')).to.deep.equal({ offset: 1, length: 2 });
  });

  it('is the end of the file for a suffix, all of it for a long one', () => {
    expect(part('bytes=-3')).to.deep.equal({ offset: 23, length: 3 });
    expect(part('bytes=-26')).to.deep.equal({ offset: 0, length: 26 });
    expect(part('bytes=-500')).to.deep.equal({ offset: 0, length: 26 });
  });

  it('can not be satisfied behind the end of the file', () => {
    for (const range of ['bytes=26-', 'bytes=26-30', 'bytes=99999999999999999999-', 'bytes=-0']) {
      expect(part(range), range).to.equal('unsatisfiable');
    }
    expect(part('bytes=0-', 0)).to.equal('unsatisfiable');
  });

  it('is the whole file for several ranges, other units and what is no range', () => {
    const others = [
      'bytes=0-1,3-4', 'bytes=0-1,99-', 'bytes=99-,98-', 'items=0-1', 'bytes', '', 'bytes=', 'bytes=-', 'bytes=a-b',
      'bytes=1', 'bytes=1-2-3', 'bytes=0x1-2', 'bytes =0-1', 'bytes=+1-2', 'xbytes=0-1',
    ];
    for (const range of others) expect(part(range), range).to.equal('whole');
    expect(part('bytes=-5', 0)).to.equal('whole');
    expect(requestedPart(request({}), 26, NONE)).to.equal('whole');
  });

  it('stays inside the file, whatever is asked for (property)', () => {
    const number = fc.option(fc.oneof(fc.nat(30), fc.bigInt({ min: 0n, max: 10n ** 25n })), { nil: '' });
    const range = fc.oneof(
      fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
      fc.string().map((text) => `bytes=${text}`),
      fc.string(),
    );
    fc.assert(fc.property(range, fc.nat(20), (text, size) => {
      const found = part(text, size);
      if (typeof found === 'string') return;
      expect(found.offset).to.be.at.least(0);
      expect(found.length).to.be.at.least(1);
      expect(found.offset + found.length).to.be.at.most(size);
    }), { numRuns: 500 });
  });

  it('counts under If-Range only for exactly this state of the file', () => {
    const holds = (ifRange: string, validators: Validators = TAGGED): boolean =>
      requestedPart(request({ 'range': 'bytes=0-0', 'if-range': ifRange }), 26, validators) !== 'whole';
    expect(holds(DATE)).to.equal(true);
    expect(holds('Tuesday, 02-Jan-24 03:04:05 GMT')).to.equal(true);
    expect(holds('Tue, 02 Jan 2024 03:04:06 GMT')).to.equal(false);
    expect(holds('Tue, 02 Jan 2024 03:04:04 GMT')).to.equal(false);
    expect(holds(DATE, { etag: null, modified: null })).to.equal(false);
    expect(holds('"v1"')).to.equal(true);
    expect(holds('"v2"')).to.equal(false);
    expect(holds('"v1"', NONE)).to.equal(false);
    expect(holds('W/"v1"', { etag: 'W/"v1"', modified: MODIFIED })).to.equal(false);
    expect(holds('')).to.equal(false);
  });
});
