/**
 * Multipart bodies (RFC 2046 section 5.1, RFC 7578). A pure function over the whole body: it copies no file, what it
 * gives of one is a slice.
 *
 * The time is linear in the body whatever it holds. Candidates for a boundary are found by their first bytes,
 * CR LF `--`, and compared from there; since a boundary has no CR in it, a comparison never runs into the next
 * candidate. Searching for the whole delimiter would not do: the search of V8 falls back to one comparison per byte
 * and shift for long patterns.
 */

import { decodeExtended, parseParameters } from './parameters.js';

/** What bounds the work. */
export interface MultipartLimits {
  /** Parts that are read, fields and files together. What comes behind them is ignored. */
  readonly maxParts: number;
}

/** A part that has a file name. */
export interface FilePart {
  /** The field's name, as sent. */
  readonly name: string;
  /** As sent, with whatever path is in it. */
  readonly filename: string;
  /** The part's header `webkitRelativePath`, else the file name. */
  readonly fullPath: string;
  /** The part's Content-Type; `''` without one. */
  readonly type: string;
  /** A slice of the body. */
  readonly content: Buffer;
}

/** The named parts of a body in their order. */
export interface Multipart {
  readonly fields: [name: string, value: string][];
  readonly files: FilePart[];
}

/** A line that separates two parts. */
interface Delimiter {
  /** Where the part before it ends. */
  readonly start: number;
  /** Where the part behind it begins. */
  readonly end: number;
  /** Closed by `--`: no part follows. */
  readonly isLast: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const DASH = 0x2d;

/** Bytes of the headers of a part, of which V8 keeps all alive for a value that is cut out of their text. */
const LARGE_HEAD = 4096;

const LINE_DASHES = Buffer.from('\r\n--');
const BLANK_LINE = Buffer.from('\r\n\r\n');

/** The boundary named by a Content-Type; `null` when that is no multipart type or names none. */
export function multipartBoundary(contentType: string): string | null {
  if (!/^[ \t]*multipart\//i.test(contentType)) return null;
  return parseParameters(contentType).get('boundary') || null;
}

/**
 * Cuts a body into its parts. A preamble, an epilogue, parts without a name and a last part that is not closed by a
 * boundary are left out. Never throws.
 */
export function parseMultipart(body: Buffer, boundary: string, limits: MultipartLimits): Multipart {
  const result: Multipart = { fields: [], files: [] };
  const mark = Buffer.from(boundary);
  let delimiter = firstDelimiter(body, mark);
  for (let left = limits.maxParts; left > 0 && delimiter !== null && !delimiter.isLast; left--) {
    // The CR LF that ends one delimiter may be the one that begins the next.
    const next = nextDelimiter(body, mark, delimiter.end - 2);
    if (next === null) break;
    if (next.start > delimiter.end) readPart(body.subarray(delimiter.end, next.start), result);
    delimiter = next;
  }
  return result;
}

function firstDelimiter(body: Buffer, mark: Buffer): Delimiter | null {
  const atStart = body[0] === DASH && body[1] === DASH ? delimiterAt(body, mark, 0, 2) : null;
  return atStart ?? nextDelimiter(body, mark, 0);
}

function nextDelimiter(body: Buffer, mark: Buffer, from: number): Delimiter | null {
  let at = body.indexOf(LINE_DASHES, from);
  while (at >= 0) {
    const found = delimiterAt(body, mark, at, at + 4);
    if (found !== null) return found;
    at = body.indexOf(LINE_DASHES, at + 4);
  }
  return null;
}

/** The delimiter whose boundary would stand at `at`, behind the dashes. */
function delimiterAt(body: Buffer, mark: Buffer, start: number, at: number): Delimiter | null {
  for (let i = 0; i < mark.length; i++) {
    if (body[at + i] !== mark[i]) return null;
  }
  let end = at + mark.length;
  while (body[end] === SP || body[end] === HTAB) end++;
  if (body[end] === CR && body[end + 1] === LF) return { start, end: end + 2, isLast: false };
  return body[end] === DASH && body[end + 1] === DASH ? { start, end: end + 2, isLast: true } : null;
}

/** Sorts one part in, when it has a name. */
function readPart(part: Buffer, result: Multipart): void {
  const headEnd = headLength(part);
  if (headEnd < 0) return;
  const headers = parseHeaders(part.toString('utf8', 0, headEnd));
  const disposition = parseParameters(headers.disposition);
  const name = disposition.get('name') ?? '';
  if (name === '') return;
  const filename = filenameOf(disposition);
  if (filename === null) {
    result.fields.push([name, part.toString('utf8', headEnd + 4)]);
    return;
  }
  const own = headEnd > LARGE_HEAD ? copyText : asItIs;
  const fullPath = own(headers.relativePath ?? filename);
  const content = part.subarray(headEnd + 4);
  result.files.push({ name: own(name), filename: own(filename), fullPath, type: own(headers.type), content });
}

const copyText = (text: string): string => Buffer.from(text).toString();
const asItIs = (text: string): string => text;

/** Where the headers end; -1 when they do not. A part may consist of headers alone (RFC 2046, `body-part`). */
function headLength(part: Buffer): number {
  const blank = part.indexOf(BLANK_LINE);
  if (blank >= 0) return blank;
  const end = part.length - 2;
  return part[end] === CR && part[end + 1] === LF ? end : -1;
}

/** The headers of a part that say something to us. */
interface PartHeaders {
  disposition: string;
  type: string;
  relativePath: string | null;
}

/** Of a repeated one the last counts. A line that begins with white space continues another. */
function parseHeaders(head: string): PartHeaders {
  const headers: PartHeaders = { disposition: '', type: '', relativePath: null };
  if (!head.includes('\r\n')) {
    readHeader(head, headers);
    return headers;
  }
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) readHeader(line, headers);
  return headers;
}

function readHeader(line: string, headers: PartHeaders): void {
  const colon = line.indexOf(':');
  if (colon <= 0) return;
  const value = line.slice(colon + 1).trim();
  switch (line.slice(0, colon).trim().toLowerCase()) {
    case 'content-disposition':
      headers.disposition = value;
      break;
    case 'content-type':
      headers.type = value;
      break;
    case 'webkitrelativepath':
      headers.relativePath = value;
  }
}

/** `null` for a field. Only who sends no plain form is asked for the encoded one, which old clients get wrong. */
function filenameOf(disposition: Map<string, string>): string | null {
  const plain = disposition.get('filename');
  if (plain !== undefined) return plain;
  const extended = disposition.get('filename*');
  return extended === undefined ? null : decodeExtended(extended);
}
