/**
 * The head of a request: request line and header fields, from the first byte to the empty line.
 *
 * Every request passes through here, so the bytes are walked once, in place: no line is cut out and no field becomes a
 * string unless the server itself needs it. What the application may ask for (`request.header()`) is decoded only when
 * it asks, by {@link parseFields}.
 *
 * The grammar is that of RFC 9112 sections 3 to 6, without the liberties that it leaves to a recipient: what two
 * implementations could read differently (folded lines, bare CR or LF, control bytes, two lengths) is refused.
 */

import type { KnownHead } from './knownHeads.js';
import { beginRecord, endRecord } from './record.js';

/** A head whose empty line begins at this offset (bytes) or later is refused with 431. */
export const HEADER_LIMIT = 16384;

const METHODS = ['GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE', 'PUT', 'PATCH'] as const;

/** The request methods that are served; any other is refused, also one of these in lower case. */
export type Method = (typeof METHODS)[number];

/** What a server has to know about a request before it can find its end. Never changes once returned. */
export interface Head {
  /** Bytes up to and including the empty line. */
  readonly length: number;
  readonly method: Method;
  /** The request target as it was sent, read as UTF-8. */
  readonly target: string;
  /** The digit after `HTTP/1.`, 0 to 9. */
  readonly minor: number;
  /** -1 without a Content-Length; `Infinity` above `Number.MAX_SAFE_INTEGER`. */
  readonly contentLength: number;
  /** The body is chunked; `contentLength` is then -1. */
  readonly chunked: boolean;
  /** The client waits for `100 Continue` (RFC 9110 section 10.1.1). Never true for HTTP/1.0. */
  readonly expectContinue: boolean;
  /** `Connection` lists `close`. */
  readonly close: boolean;
  /** `Connection` lists `keep-alive`. */
  readonly keepAlive: boolean;
  /** Where the Transfer-Encoding line begins; -1 without one. */
  readonly codingStart: number;
  /** Where the line after the Transfer-Encoding line begins; -1 without one. */
  readonly codingEnd: number;
  /** Number of field lines. */
  readonly fields: number;
  /** Set on a head that is kept for the next time it comes. */
  readonly known?: KnownHead | null;
}

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const DEL = 0x7f;
const ZERO = 0x30;

/** One entry per byte value, 1 where `accepts` says so. */
export function byteTable(accepts: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (accepts(byte) ? 1 : 0));
}

/** `tchar` of RFC 9110 section 5.6.2. */
export const TOKEN: Uint8Array = byteTable((byte) => /[A-Za-z0-9!#$%&'*+\-.^_`|~]/.test(String.fromCharCode(byte)));

/** Bytes of a field value: HTAB, everything printable and everything above ASCII. */
export const TEXT: Uint8Array = byteTable((byte) => byte === HTAB || (byte >= SP && byte !== DEL));

/** Bytes of a request target. */
const TARGET = byteTable((byte) => byte > SP && byte !== DEL);

/** Bytes of a host that is no IP literal. Control bytes are no field text anyway. */
const HOST = byteTable((byte) => TEXT[byte] === 1 && !'\t :/[]'.includes(String.fromCharCode(byte)));

const PROTOCOL = 'HTTP/1.';

/** The head while its lines are read; returned as the `Head`, whose readers can not change it. */
class Draft implements Head {
  length: number;
  method: Method = 'GET';
  target = '';
  minor = 0;
  contentLength = -1;
  chunked = false;
  expectContinue = false;
  close = false;
  keepAlive = false;
  codingStart = -1;
  codingEnd = -1;
  hosts = 0;
  fields = 0;

  constructor(length: number) {
    this.length = length;
  }
}

/**
 * Reads the head at the start of `buffer`.
 *
 * @param searchFrom How many bytes of the same message an earlier call has already seen without an answer: they are not
 * searched for the empty line again, so a head that comes byte by byte costs linear time.
 * @param maxFields Most field lines; 0 for any number that fits.
 * @returns 0 when the empty line has not come yet; 431 when the head is too long or has too many lines; 400 when anything about it is wrong.
 * Nothing is judged before the head is complete, so that no cut of the stream changes what a client hears.
 */
export function parseHead(buffer: Buffer, searchFrom = 0, maxFields = 0): Head | 0 | 400 | 431 {
  const end = findEmptyLine(buffer, 0, buffer.length, searchFrom);
  if (end < 0) return buffer.length >= HEADER_LIMIT ? 431 : 0;
  const head = new Draft(end + 4);
  const fields = readRequestLine(buffer, head);
  if (fields < 0 || !readFields(buffer, fields, end, head)) return 400;
  if (maxFields > 0 && head.fields > maxFields) return 431;
  if (head.hosts !== 1 && (head.hosts > 1 || head.minor > 0)) return 400;
  if (head.chunked && head.contentLength >= 0) return 400;
  return head;
}

/**
 * Offset of the first CRLFCRLF between `from` and `to` that begins less than {@link HEADER_LIMIT} bytes behind `from`, or
 * -1. Of four bytes in a row only the last is looked at as long as it can not belong to the empty line, which is quicker
 * than crossing into native code for a short head.
 *
 * @param searched so many bytes behind `from` hold no end
 */
export function findEmptyLine(buffer: Buffer, from: number, to: number, searched: number): number {
  const stop = Math.min(to, from + HEADER_LIMIT + 3);
  let last = from + (searched > 3 ? searched : 3);
  while (last < stop) {
    const byte = buffer[last];
    if (byte === LF) {
      if (buffer[last - 1] !== CR) last += 4;
      else if (buffer[last - 2] === LF && buffer[last - 3] === CR) return last - 3;
      else last += 2;
    } else if (byte === CR) {
      last += 1;
    } else {
      last += 4;
    }
  }
  return -1;
}

/** Reads `METHOD SP target SP HTTP/1.d CRLF`; gives the offset of the next line, or -1. */
function readRequestLine(buffer: Buffer, head: Draft): number {
  const method = methodAtStart(buffer);
  if (method === undefined) return -1;
  const start = method.length + 1;
  if (buffer[start] !== 0x2f) return -1;
  let at = start;
  let seen = 0;
  for (let byte = buffer[at]!; TARGET[byte]; byte = buffer[++at]!) seen |= byte;
  if (buffer[at] !== SP) return -1;
  for (let i = 0; i < PROTOCOL.length; i++) {
    if (buffer[at + 1 + i] !== PROTOCOL.charCodeAt(i)) return -1;
  }
  const minor = buffer[at + 8]! - ZERO;
  if (minor < 0 || minor > 9 || buffer[at + 9] !== CR || buffer[at + 10] !== LF) return -1;
  head.method = method;
  head.target = buffer.toString(seen < 0x80 ? 'latin1' : 'utf8', start, at);
  head.minor = minor;
  return at + 11;
}

function methodAtStart(buffer: Buffer): Method | undefined {
  for (const method of METHODS) {
    let i = 0;
    while (i < method.length && buffer[i] === method.charCodeAt(i)) i++;
    if (i === method.length && buffer[i] === SP) return method;
  }
  return undefined;
}

/** Reads the field lines from `at` to the empty line at `end`; false when one of them is wrong. */
function readFields(buffer: Buffer, at: number, end: number, head: Draft): boolean {
  while (at < end) {
    // The CR at `end` belongs to neither a name nor a value, so that both loops end there at the latest.
    let i = at;
    while (TOKEN[buffer[i]!]) i++;
    if (i === at || buffer[i] !== COLON) return false;
    const nameLength = i - at;
    i++;
    while (buffer[i] === SP || buffer[i] === HTAB) i++;
    const from = i;
    while (TEXT[buffer[i]!]) i++;
    if (buffer[i] !== CR || buffer[i + 1] !== LF) return false;
    let to = i;
    while (to > from && (buffer[to - 1] === SP || buffer[to - 1] === HTAB)) to--;
    if (!readField(buffer, at, nameLength, from, to, i + 2, head)) return false;
    head.fields++;
    at = i + 2;
  }
  return true;
}

/** Looks at the few fields that the server itself obeys. The length of the name rules out nearly all others. */
function readField(
  buffer: Buffer,
  line: number,
  nameLength: number,
  from: number,
  to: number,
  nextLine: number,
  head: Draft,
): boolean {
  switch (nameLength) {
    case 4:
      if (!sameText(buffer, line, 'host')) return true;
      head.hosts++;
      return isHost(buffer, from, to);
    case 6:
      if (head.minor > 0 && sameText(buffer, line, 'expect')) {
        head.expectContinue ||= listHas(buffer, from, to, '100-continue');
      }
      return true;
    case 10:
      if (sameText(buffer, line, 'connection')) {
        head.close ||= listHas(buffer, from, to, 'close');
        head.keepAlive ||= listHas(buffer, from, to, 'keep-alive');
      }
      return true;
    case 14:
      return !sameText(buffer, line, 'content-length') || readContentLength(buffer, from, to, head);
    case 17:
      if (!sameText(buffer, line, 'transfer-encoding')) return true;
      if (head.chunked || to - from !== 7 || !sameText(buffer, from, 'chunked')) return false;
      head.chunked = true;
      head.codingStart = line;
      head.codingEnd = nextLine;
      return true;
    default:
      return true;
  }
}

/**
 * True when the bytes at `at` spell `lower` in any case. Setting bit 5 makes letters small and leaves digits and `-`
 * alone; the control bytes that it would turn into those have been refused before.
 */
function sameText(buffer: Buffer, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if ((buffer[at + i]! | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** True when the comma-separated list contains `token`, in any case. */
function listHas(buffer: Buffer, from: number, to: number, token: string): boolean {
  let start = from;
  while (start < to) {
    let comma = start;
    while (comma < to && buffer[comma] !== COMMA) comma++;
    let end = comma;
    while (start < end && (buffer[start] === SP || buffer[start] === HTAB)) start++;
    while (end > start && (buffer[end - 1] === SP || buffer[end - 1] === HTAB)) end--;
    if (end - start === token.length && sameText(buffer, start, token)) return true;
    start = comma + 1;
  }
  return false;
}

/** `[IP literal]` or a name without white space, `:`, `/` and brackets; then perhaps `:` and digits. */
function isHost(buffer: Buffer, from: number, to: number): boolean {
  let at = from;
  if (buffer[at] === 0x5b) {
    at++;
    while (at < to && buffer[at] !== 0x5d) at++;
    if (at === to || at === from + 1) return false;
    at++;
  } else {
    while (at < to && HOST[buffer[at]!]) at++;
    if (at === from) return false;
  }
  return at === to || (buffer[at] === COLON && digitsValue(buffer, at + 1, to) >= 0);
}

function readContentLength(buffer: Buffer, from: number, to: number, head: Draft): boolean {
  if (head.contentLength >= 0) return false;
  const value = digitsValue(buffer, from, to);
  head.contentLength = value > Number.MAX_SAFE_INTEGER ? Infinity : value;
  return value >= 0;
}

/** The number that one or more ASCII digits stand for, rounded where it is huge; -1 for anything else. */
function digitsValue(buffer: Buffer, from: number, to: number): number {
  if (from >= to) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The parts of a head that was not checked by {@link parseHead}: whatever the bytes are, there is an answer. */
export interface LooseHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** End of the last header line, without its CRLF. */
  readonly headEnd: number;
  readonly bodyStart: number;
}

/**
 * Reads a head that may be anything, as Workerman's Request does: the words of the first line, `/` where there is no
 * target and version `1.0` where there is none. Without an empty line everything is head.
 */
export function looseHead(buffer: Buffer): LooseHead {
  const empty = buffer.indexOf('\r\n\r\n');
  const headEnd = empty < 0 ? buffer.length : empty;
  const words = buffer.toString('utf8', 0, lineEnd(buffer, headEnd)).split(' ');
  const last = words[words.length - 1]!;
  return {
    method: words[0]!,
    target: words[1] ?? '/',
    version: words.length > 1 && last.startsWith('HTTP/') ? last.slice(5) : '1.0',
    headEnd,
    bodyStart: empty < 0 ? buffer.length : empty + 4,
  };
}

/** End of the first line, at most `end`. */
function lineEnd(buffer: Buffer, end: number): number {
  let at = 0;
  while (at < end && (buffer[at] !== CR || buffer[at + 1] !== LF)) at++;
  return at;
}

/**
 * The header fields before `headEnd`: names in lower case, values without the white space around them, repeats joined
 * with a comma as Workerman does, and Cookie fields with `; `, which keeps their values apart (RFC 9113 section
 * 8.2.3). The object has no prototype. A line without a colon is a name with an empty value.
 */
export function parseFields(buffer: Buffer, headEnd: number): Record<string, string> {
  const fields = beginRecord<string>();
  const text = buffer.toString('utf8', Math.min(lineEnd(buffer, headEnd) + 2, headEnd), headEnd);
  const lower = lowerAscii(text);
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\r\n', at);
    if (end < 0) end = text.length;
    let colon = at;
    while (colon < end && text.charCodeAt(colon) !== COLON) colon++;
    const name = lower.slice(at, colon);
    const value = trimBlanks(text, colon + 1, end);
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`;
    at = end + 2;
  }
  return endRecord(fields);
}

/** Makes A to Z small and leaves every other character alone, as names on the wire are compared. */
export function lowerAscii(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}

/** The part of `text` from `from` to `to` without the SP and HTAB at its ends; `trim()` would take more than these. */
export function trimBlanks(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, Math.max(from, to));
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
