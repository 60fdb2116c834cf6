import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import {
  type AnswerContext, type AnswerParts, connectionLine, type EncodedAnswer, encodeResponse, isBodiless, PLAIN_CONTEXT,
  saysClose, statusLine,
} from './encode.js';
import { type FileRequest, isNotModified, parseHttpDate, requestedPart, type Validators } from './fileConditions.js';
import { FileSource } from './FileSource.js';
import {
  headerLines, type HeaderObject, HeaderStore, isEmptyHeaders, isSafeValue, type StoredValue,
} from './headers.js';
import { DEFAULT_MIME_TYPE, mimeType } from './mimeTypes.js';

export { FileSource };

/** A file to send, or a part of it. */
export interface FileRange {
  /** Path. */
  file: string;
  /** Bytes to skip. */
  offset: number;
  /** Bytes to send; 0: up to the end. */
  length: number;
}

/** The part of a `Response` that is looked at here. */
export interface FileResponse {
  readonly parts: AnswerParts;
  readonly file: FileRange | null;
}

/**
 * What answers a file response. When `fd` is not null, `length` > 0 bytes of that descriptor from `offset` on follow
 * the head, and whoever holds the plan has to close it; otherwise `body` follows the head and that is all.
 */
export interface FilePlan {
  readonly status: number;
  /** Status line and header lines with the empty line after them. */
  readonly head: string;
  /** Body of an answer that is not the file: the error pages. */
  readonly body: string;
  readonly fd: number | null;
  readonly offset: number;
  readonly length: number;
  /** True when the connection is to be ended behind the last byte. */
  readonly closes: boolean;
}

/** The bytes of a file answer: `answer.bytes` first, then, when there is one, everything that `source` gives. */
export interface EncodedFile {
  readonly answer: EncodedAnswer;
  readonly source: FileSource | null;
}

/** Body of the 404 that stands for what is not a regular file. */
export const NOT_FOUND_BODY = '<h3>404 Not Found</h3>';

const FORBIDDEN_BODY = '403 Forbidden';

/** A file smaller than this goes out in one piece with its head. */
const ONE_PIECE = 2 * 1024 * 1024;

/** O_NONBLOCK: opening a pipe that has taken the place of the file must not wait for its other end. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Error codes of open for which the answer is 404: there is no such file. */
const MISSING = new Set([
  'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE',
]);

/**
 * Opens the file of a response and decides what answers the request: status, head, and which of its bytes.
 *
 * A part that the application asked for by offset or length is a 206, cut to what the file has, or a 416. Otherwise a
 * response that still has status 200 honours `If-None-Match` (with the application's `ETag`), `If-Modified-Since` and,
 * for GET, a single `Range` with `If-Range`. A file that can not be opened is a 403 that ends the connection.
 *
 * @param response a response with a `file`; it is not changed.
 * @param request the request that it answers; null: no conditions, no ranges.
 * @param extraHeaders headers for the next answer, added to a copy.
 */
export function planFile(
  response: FileResponse,
  request: FileRequest | null,
  context: AnswerContext = { ...PLAIN_CONTEXT, head: request?.method() === 'HEAD' },
  extraHeaders: HeaderObject | null = null,
): FilePlan {
  const parts = isEmptyHeaders(extraHeaders)
    ? response.parts
    : { ...response.parts, headers: response.parts.headers.with(extraHeaders as HeaderObject) };
  const wanted = response.file as FileRange;
  let fd: number;
  try {
    fd = openSync(wanted.file, OPEN_FLAGS);
  } catch (error) {
    return MISSING.has((error as NodeJS.ErrnoException).code as string) ? notFound(parts, context) : forbidden(context);
  }
  let keep = false;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return notFound(parts, context);
    const plan = planOpen(parts, wanted, fd, stats, request, context);
    keep = plan.fd !== null;
    return plan;
  } finally {
    if (!keep) closeSync(fd);
  }
}

/**
 * {@link planFile}, carried out: a small file comes with its head in one piece, a large one as a source. The caller
 * has to read the source to its end or cancel it; either closes the file.
 */
export function encodeFile(
  response: FileResponse,
  request: FileRequest | null,
  context: AnswerContext,
  extraHeaders: HeaderObject | null = null,
): EncodedFile {
  const plan = planFile(response, request, context, extraHeaders);
  if (plan.fd === null) return { answer: answerOf(plan, plan.head + plan.body, context), source: null };
  if (plan.length >= ONE_PIECE) {
    return { answer: answerOf(plan, plan.head, context), source: new FileSource(plan.fd, plan.offset, plan.length) };
  }
  const bytes = readWhole(plan, plan.fd);
  if (bytes) return { answer: answerOf(plan, bytes, context), source: null };
  const refusal = forbidden(context);
  return { answer: answerOf(refusal, refusal.head + refusal.body, context), source: null };
}

/** The head of a file answer as text, for `Response.toString`. */
export function fileHead(response: FileResponse): string {
  const plan = planFile(response, null);
  if (plan.fd !== null) closeSync(plan.fd);
  return plan.head;
}

function answerOf(plan: FilePlan, bytes: string | Buffer, context: AnswerContext): EncodedAnswer {
  const mute = context.head || isBodiless(plan.status);
  return { bytes, closes: plan.closes, streaming: 'none', mute, interim: false, headed: true };
}

/** Head and content of a small file; null when it can not be read to its end. Nothing is sent yet, so that is a 403. */
function readWhole(plan: FilePlan, fd: number): Buffer | null {
  const headSize = Buffer.byteLength(plan.head);
  const bytes = Buffer.allocUnsafe(headSize + plan.length);
  bytes.write(plan.head, 0, 'utf8');
  try {
    for (let read = 0; read < plan.length;) {
      const count = readSync(fd, bytes, headSize + read, plan.length - read, plan.offset + read);
      if (count === 0) return null;
      read += count;
    }
    return bytes;
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

/** What is sent of an open file, before any header is written. */
interface Selection {
  readonly status: number;
  readonly offset: number;
  readonly length: number;
  /** Value of `Content-Range`, or null. */
  readonly contentRange: string | null;
}

function planOpen(
  parts: AnswerParts, wanted: FileRange, fd: number, stats: Stats, request: FileRequest | null, context: AnswerContext,
): FilePlan {
  const modified = Math.floor(stats.mtimeMs / 1000);
  const selection = select(parts, wanted, stats.size, modified, request);
  const bodiless = context.head || isBodiless(selection.status);
  const closes = context.close || saysClose(parts.headers, parts.headers.indexOf('Connection'));
  return {
    status: selection.status,
    head: headOf(parts, wanted.file, modified, selection, context.close),
    body: '',
    fd: bodiless || selection.length === 0 ? null : fd,
    offset: selection.offset,
    length: bodiless ? 0 : selection.length,
    closes,
  };
}

/** Offsets come from requests in many applications: whatever is no number counts as 0. */
const toInteger = (value: number): number => Math.trunc(Number(value)) || 0;

function select(
  parts: AnswerParts, wanted: FileRange, size: number, modified: number, request: FileRequest | null,
): Selection {
  const offset = toInteger(wanted.offset);
  const length = toInteger(wanted.length);
  const whole = { status: parts.status, offset: 0, length: size, contentRange: null };
  if (offset !== 0 || length !== 0) {
    if (offset < 0 || (offset > 0 && offset >= size)) return unsatisfiable(size);
    // An empty file has no part that a Content-Range could name.
    if (size === 0) return { ...whole, status: parts.status === 206 ? 200 : parts.status };
    const rest = size - offset;
    return partial(offset, length > 0 ? Math.min(length, rest) : rest, size);
  }
  const method = parts.status === 200 && request ? request.method() : '';
  if (request === null || (method !== 'GET' && method !== 'HEAD')) return whole;
  const validators = validatorsOf(parts.headers, modified);
  if (isNotModified(request, validators)) return { status: 304, offset: 0, length: 0, contentRange: null };
  if (method === 'HEAD') return whole;
  const part = requestedPart(request, size, validators);
  if (part === 'whole') return whole;
  return part === 'unsatisfiable' ? unsatisfiable(size) : partial(part.offset, part.length, size);
}

const unsatisfiable = (size: number): Selection =>
  ({ status: 416, offset: 0, length: 0, contentRange: `bytes */${size}` });

const partial = (offset: number, length: number, size: number): Selection =>
  ({ status: 206, offset, length, contentRange: `bytes ${offset}-${offset + length - 1}/${size}` });

/** The validators that the answer shows: what the application set wins over the time of the file. */
function validatorsOf(headers: HeaderStore, modified: number): Validators {
  const given = headers.get('Last-Modified');
  const etag = headers.get('ETag');
  return {
    etag: typeof etag === 'string' && isSafeValue(etag) ? etag : null,
    modified: given === null ? modified : parseHttpDate(String(given)),
  };
}

/** Headers that describe the bytes and are counted here, so that one set by the application could only be wrong. */
const isCounted = (name: string, selection: Selection): boolean => {
  const lower = name.toLowerCase();
  return lower === 'content-length' || lower === 'transfer-encoding'
    || (lower === 'content-range' && selection.contentRange !== null);
};

function headOf(parts: AnswerParts, file: string, modified: number, selection: Selection, close: boolean): string {
  const { headers } = parts;
  const { status, length, contentRange } = selection;
  const bodiless = isBodiless(status);
  // The application's phrase belongs to the status that it chose.
  let head = statusLine(parts.version, status, status === parts.status ? parts.reason : null);
  for (let i = 0; i < headers.size; i++) {
    const name = headers.names[i] as string;
    if (!isCounted(name, selection)) head += headerLines(name, headers.values[i] as StoredValue);
  }
  if (!bodiless) head += `Content-Length: ${length}\r\n`;
  else if (status === 205) head += 'Content-Length: 0\r\n';
  if (!bodiless && headers.indexOf('Accept-Ranges') < 0) head += 'Accept-Ranges: bytes\r\n';
  if (contentRange !== null) head += `Content-Range: ${contentRange}\r\n`;
  if (headers.indexOf('Connection') < 0) head += connectionLine(close);
  // A 416 shows nothing of the file, so nothing of it is described (a download of an empty file, say).
  if (!bodiless && status !== 416) head += typeLines(headers, file);
  if (status !== 416 && headers.indexOf('Last-Modified') < 0) {
    head += `Last-Modified: ${new Date(modified * 1000).toUTCString()}\r\n`;
  }
  return `${head}\r\n`;
}

function typeLines(headers: HeaderStore, file: string): string {
  if (headers.indexOf('Content-Type') >= 0) return '';
  const name = basename(file);
  const dot = name.lastIndexOf('.');
  const type = dot < 0 ? DEFAULT_MIME_TYPE : mimeType(name.slice(dot + 1));
  const line = `Content-Type: ${type}\r\n`;
  if (type !== DEFAULT_MIME_TYPE || headers.indexOf('Content-Disposition') >= 0) return line;
  return `${line}Content-Disposition: attachment; filename="${quotable(name)}"\r\n`;
}

/** A file name without what would end or escape the quoted string. */
// eslint-disable-next-line no-control-regex -- control characters are what it takes out
const quotable = (name: string): string => name.replace(/[\x00-\x1f\x7f"\\]/g, '') || 'unknown';

/** The page of `withFile` for a file that has gone since, with the application's headers but those of the body. */
function notFound(parts: AnswerParts, context: AnswerContext): FilePlan {
  const headers = parts.headers.with({});
  for (const name of ['Content-Type', 'Content-Disposition', 'Transfer-Encoding']) headers.remove(name);
  return page({ ...parts, status: 404, reason: null, headers, body: NOT_FOUND_BODY }, context);
}

/** As Workerman: a plain 403 without the application's headers, and the connection ends. */
function forbidden(context: AnswerContext): FilePlan {
  const parts = { status: 403, reason: null, version: '1.1', headers: new HeaderStore(), body: FORBIDDEN_BODY };
  return page(parts, { ...context, close: true });
}

function page(parts: AnswerParts, context: AnswerContext): FilePlan {
  // Encoded without its body, which the plan carries by itself; the length counts it all the same.
  const { bytes, closes } = encodeResponse({ parts }, { ...context, head: true });
  return {
    status: parts.status, head: String(bytes), body: context.head ? '' : String(parts.body),
    fd: null, offset: 0, length: 0, closes,
  };
}
