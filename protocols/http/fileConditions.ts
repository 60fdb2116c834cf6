import rangeParser from 'range-parser';

/**
 * Which part of a file answers a request: conditional requests and ranges of RFC 9110 sections 13 and 14, as far as
 * they concern GET and HEAD of a file. PHP's Workerman leaves all of it to the application.
 */

/** What is asked of a request. */
export interface FileRequest {
  method(): string;
  header(name: string): string | null | undefined;
}

/** What tells one state of the file from another, as the answer states it; null where it states nothing. */
export interface Validators {
  /** `ETag` of the application. */
  readonly etag: string | null;
  /** `Last-Modified`, whole seconds since the epoch. */
  readonly modified: number | null;
}

/** A part of a file, in bytes; or why there is none. */
export type Part = { readonly offset: number; readonly length: number } | 'whole' | 'unsatisfiable';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const FIXDATE = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * An HTTP-date in any of the three forms of RFC 9110 5.6.7.
 *
 * @returns seconds since the epoch, or null for anything else (then the header that held it does not count).
 */
export function parseHttpDate(text: string): number | null {
  let match = FIXDATE.exec(text);
  if (match) return seconds(match[3], match[2], match[1], match[4], match[5], match[6]);
  match = RFC850.exec(text);
  if (match) return seconds(String(fullYear(Number(match[3]))), match[2], match[1], match[4], match[5], match[6]);
  match = ASCTIME.exec(text);
  return match ? seconds(match[6], match[1], match[2], match[3], match[4], match[5]) : null;
}

/** Two digits of a year that would lie more than 50 years ahead mean the past (RFC 9110 5.6.7). */
function fullYear(twoDigits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + twoDigits;
  return year > now + 50 ? year - 100 : year;
}

function seconds(year?: string, month?: string, ...rest: (string | undefined)[]): number | null {
  const monthIndex = MONTHS.indexOf(month as string);
  const [day, hour, minute, second] = rest.map(Number) as [number, number, number, number];
  if (monthIndex < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime() / 1000;
}

/** True when the client has this state of the file already (RFC 9110 13.2.2, steps 3 and 4). */
export function isNotModified(request: FileRequest, validators: Validators): boolean {
  const noneMatch = request.header('if-none-match');
  if (noneMatch !== null && noneMatch !== undefined) return matchesAny(noneMatch, validators.etag);
  const since = request.header('if-modified-since');
  if (!since || validators.modified === null) return false;
  const date = parseHttpDate(since);
  return date !== null && validators.modified <= date;
}

/** Weak comparison of RFC 9110 8.8.3.2 with each member of a list of entity tags. */
function matchesAny(list: string, etag: string | null): boolean {
  if (list.trim() === '*') return true;
  if (etag === null) return false;
  const wanted = withoutWeakness(etag);
  const tags: string[] = list.match(/"[^"]*"/g) ?? [];
  return tags.includes(wanted);
}

const withoutWeakness = (etag: string): string => (etag.startsWith('W/') ? etag.slice(2) : etag);

/**
 * The part of a file that a GET asks for. Several ranges, other units and what is no range at all give the whole file,
 * which is always a right answer (RFC 9110 14.2).
 */
export function requestedPart(request: FileRequest, size: number, validators: Validators): Part {
  const range = request.header('range');
  if (!range || range.includes(',') || !ifRangeHolds(request.header('if-range'), validators)) return 'whole';
  const suffix = /^bytes=[ \t]*-[ \t]*(\d+)[ \t]*$/i.exec(range);
  // RFC 9110 14.1.2: a suffix longer than the file is all of it. range-parser calls that unsatisfiable.
  if (suffix && Number(suffix[1]) > 0 && Number(suffix[1]) >= size) {
    return size === 0 ? 'whole' : { offset: 0, length: size };
  }
  const parsed = rangeParser(size, range);
  if (parsed === -2 || !/^bytes=/i.test(range)) return 'whole';
  const first = parsed === -1 ? undefined : parsed[0];
  return first ? { offset: first.start, length: first.end - first.start + 1 } : 'unsatisfiable';
}

/** RFC 9110 13.1.5: without the header, or when it names exactly this state of the file. Weak tags never hold. */
function ifRangeHolds(ifRange: string | null | undefined, validators: Validators): boolean {
  if (ifRange === null || ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === validators.etag;
  const date = parseHttpDate(ifRange);
  return date !== null && date === validators.modified;
}
