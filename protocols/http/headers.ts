import { numberText } from '../toBytes.js';

/**
 * Header lines of an answer while the application puts them together: in the order in which they were set, in the
 * spelling that was given, found without regard to case. Two parallel arrays instead of a map: an answer has few
 * headers, so a scan by length costs less than hashing lower-cased copies of every name.
 *
 * Nothing is refused when it is set. What may not go to the wire is left out when the lines are written, which is the
 * one place that every header passes.
 */

/** What a header may be set to; an array gives one line per element, numbers are written in decimal. */
export type HeaderValue = string | number | readonly (string | number)[];

/** Header name → value, as applications write it. */
export type HeaderObject = Readonly<Record<string, HeaderValue>>;

/** A value as it is kept: numbers are text already. */
export type StoredValue = string | string[];

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What would end the line, or cut the value short in a C program behind us. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE_VALUE = /[\r\n\0]/;

/** Headers of which an answer has one: added a second time, the new value replaces the old. */
const SINGLE = new Set([
  'content-type', 'content-length', 'content-range', 'connection', 'transfer-encoding', 'location', 'last-modified',
  'etag', 'date', 'server',
]);

/** True when the value can be written as one header line. */
export const isSafeValue = (value: string): boolean => !UNSAFE_VALUE.test(value);

/** True when the name can be written in front of a colon. */
export const isSafeName = (name: string): boolean => TOKEN.test(name);

/** The header as lines, each with its CRLF; names and values that would break a line are left out without a word. */
export function headerLines(name: string, value: StoredValue): string {
  if (!TOKEN.test(name)) return '';
  if (typeof value === 'string') return UNSAFE_VALUE.test(value) ? '' : `${name}: ${value}\r\n`;
  let lines = '';
  for (const item of value) if (!UNSAFE_VALUE.test(item)) lines += `${name}: ${item}\r\n`;
  return lines;
}

/** True when a comma-separated header that will be written has the (lower-case) token among its elements. */
export function hasToken(value: StoredValue, token: string): boolean {
  if (typeof value !== 'string') return value.some((item) => hasToken(item, token));
  if (!isSafeValue(value)) return false;
  return value.toLowerCase().split(',').some((item) => item.trim() === token);
}

/** True when the object names no header. Prototypes do not count. */
export function isEmptyHeaders(headers: HeaderObject | null | undefined): boolean {
  if (!headers) return true;
  for (const name in headers) if (Object.hasOwn(headers, name)) return false;
  return true;
}

/** A value as text: scalars by the rules of PHP's `(string)`, anything else by its own. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'number') return numberText(value);
  return value === true ? '1' : String(value);
}

const toStored = (value: HeaderValue): StoredValue => (Array.isArray(value) ? value.map(toText) : toText(value));

const joined = (first: StoredValue, second: StoredValue): string[] => ([] as string[]).concat(first, second);

/** The headers of one answer. */
export class HeaderStore {
  /** Grows with every change. */
  changes = 0;
  readonly names: string[] = [];
  readonly values: StoredValue[] = [];

  /** Number of different names. */
  get size(): number {
    return this.names.length;
  }

  /** Place of a header, whatever its case; -1 when it was not set. */
  indexOf(name: string): number {
    const names = this.names;
    for (let i = 0; i < names.length; i++) {
      const other = names[i] as string;
      if (other.length !== name.length) continue;
      if (other === name || other.toLowerCase() === name.toLowerCase()) return i;
    }
    return -1;
  }

  /** The value that was set, or null. */
  get(name: string): StoredValue | null {
    return this.values[this.indexOf(name)] ?? null;
  }

  /** Replaces the header in its place, in the spelling that is stored (as the Fetch standard does), or appends it. */
  set(name: string, value: HeaderValue): void {
    this.put(this.indexOf(name), name, toStored(value));
  }

  /** Adds values to a header that is there already, unless an answer can have only one of it. */
  add(name: string, value: HeaderValue): void {
    const at = this.indexOf(name);
    if (at < 0 || SINGLE.has(name.toLowerCase())) this.put(at, name, toStored(value));
    else this.put(at, this.names[at] as string, joined(this.values[at] as StoredValue, toStored(value)));
  }

  /** {@link add} for every own property. */
  addAll(headers: HeaderObject): void {
    for (const name of Object.keys(headers)) this.add(name, headers[name] as HeaderValue);
  }

  remove(name: string): void {
    const at = this.indexOf(name);
    if (at < 0) return;
    this.changes++;
    this.names.splice(at, 1);
    this.values.splice(at, 1);
  }

  /** A store with the same headers and then those of `extra`, added. The store itself stays as it is. */
  with(extra: HeaderObject): HeaderStore {
    const copy = new HeaderStore();
    copy.names.push(...this.names);
    copy.values.push(...this.values);
    copy.addAll(extra);
    return copy;
  }

  /** Name → value in the order of the wire. Without a prototype, and sharing nothing with the store. */
  toObject(): Record<string, StoredValue> {
    const result = Object.create(null) as Record<string, StoredValue>;
    for (let i = 0; i < this.names.length; i++) {
      const value = this.values[i] as StoredValue;
      result[this.names[i] as string] = typeof value === 'string' ? value : value.slice();
    }
    return result;
  }

  /** True when at least one line comes of the header at this place. */
  isWritten(at: number): boolean {
    return at >= 0 && headerLines(this.names[at] as string, this.values[at] as StoredValue) !== '';
  }

  private put(at: number, name: string, value: StoredValue): void {
    this.changes++;
    if (at < 0) {
      this.names.push(name);
      this.values.push(value);
    } else {
      this.values[at] = value;
    }
  }
}
