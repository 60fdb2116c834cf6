import { type Body, byteSize, isStringable, joinBody, toBody } from './body.js';
import { Chunk, encodeChunk } from './Chunk.js';
import {
  hasToken, headerLines, type HeaderObject, HeaderStore, isEmptyHeaders, isSafeValue, type StoredValue,
} from './headers.js';
import { PHRASES } from './phrases.js';
import type { ServerSentEvents } from './ServerSentEvents.js';
import type { StreamBody } from './streamBody.js';

/**
 * Values of `send` → bytes of HTTP/1.1. Pure functions: what the request and the connection have to say comes in as an
 * {@link AnswerContext}, what the connection has to do afterwards goes out in an {@link EncodedAnswer}.
 *
 * The order of the header lines is Workerman's and differs between the three kinds of answers on purpose. There is
 * never a `Date` or `Server` line. Nothing of one answer is kept for
 * another but lines that depend on a length, a status code or a type alone.
 */

/** What the request and the connection say about an answer. */
export interface AnswerContext {
  /** Answer to HEAD: the header lines as usual, not a byte of body. */
  readonly head: boolean;
  /** Answer to HTTP/1.0: no chunks. */
  readonly http10: boolean;
  /** The answer is the last of its connection: `Connection: close` where `keep-alive` would stand. */
  readonly close: boolean;
}

/** Does more of the answer follow by `Chunk` or `ServerSentEvents`? `identity` is chunked, asked for over HTTP/1.0. */
export type Streaming = 'none' | 'chunked' | 'identity' | 'event-stream';

/** Bytes of an answer and what follows from them. */
export interface EncodedAnswer {
  /** What to write; text as UTF-8. Empty: nothing. */
  readonly bytes: string | Buffer;
  /** True when the connection is to be ended once the answer is complete. */
  readonly closes: boolean;
  /** Whether pieces follow. The empty chunk completes `chunked` and `identity`; an event stream never completes. */
  readonly streaming: Streaming;
  /** The answer may have no body (HEAD, 1xx, 204, 205, 304): pieces that follow must be swallowed. */
  readonly mute: boolean;
  /** An interim answer (1xx but 101): the request still waits for its answer. */
  readonly interim: boolean;
  /** The bytes begin with a head, so the extra headers are spent. False for what is written as it is. */
  readonly headed: boolean;
}

/** The record behind a `Response`. */
export interface AnswerParts {
  status: number;
  /** The phrase given by the application; null or empty stands for the registered one. */
  reason: string | null;
  /** Without `HTTP/`. */
  version: string;
  headers: HeaderStore;
  body: Body;
  /** In place of the body. */
  stream?: StreamBody | null;
  /** No default `Content-Type` is added: a standard `Response` says itself what it is. */
  isBare?: boolean;
  /** It has been sent before, so that what it is made into is worth keeping. */
  isReused?: boolean;
  /** What it was made into last, for a response that is sent again. */
  encoded?: Encoded | null;
}

/** The bytes of a response, and everything that they were made of. */
interface Encoded {
  readonly answer: EncodedAnswer;
  readonly status: number;
  readonly reason: string | null;
  readonly version: string;
  readonly headers: HeaderStore;
  readonly changes: number;
  readonly body: string;
  readonly isBare: boolean | undefined;
  readonly close: boolean;
}

/** An answer over a persistent HTTP/1.1 connection. */
export const PLAIN_CONTEXT: AnswerContext = { head: false, http10: false, close: false };

const KEEP_ALIVE = 'Connection: keep-alive\r\n';
const CLOSE = 'Connection: close\r\n';
/** The line of the default type. */
export const HTML: string = 'Content-Type: text/html;charset=utf-8\r\n';
const EVENT_STREAM = /^text\/event-stream[ \t]*(?:;|$)/i;
const DIGITS = /^[0-9]+$/;

/** The line that says whether the connection lives on, where the application has not set one. */
export const connectionLine = (close: boolean): string => (close ? CLOSE : KEEP_ALIVE);

/** Heads of plain answers by the length of the body, for the short ones. */
const textHeads: string[] = [];
const MANY_TEXT_HEADS = 4096;

/** Head of a 200 answer with a text of so many bytes on a connection that lives on, and no header but the usual ones. */
export function textHead(size: number): string {
  return textHeads[size] ?? makeTextHead(size);
}

function makeTextHead(size: number): string {
  const head = `HTTP/1.1 200 OK\r\n${KEEP_ALIVE}${HTML}Content-Length: ${size}\r\n\r\n`;
  if (size < MANY_TEXT_HEADS) textHeads[size] = head;
  return head;
}

/** Status lines that have been used, by their code, which is one of a few. */
const statusLines = new Map<number, string>();

/** Status line of an answer. An unknown code gets an empty phrase; the space in front of it stays. */
export function statusLine(version: string, status: number, reason: string | null): string {
  if (version !== '1.1' || reason || PHRASES[status] === undefined) {
    return `HTTP/${version} ${status} ${reason || (PHRASES[status] ?? '')}\r\n`;
  }
  let line = statusLines.get(status);
  if (line === undefined) statusLines.set(status, (line = `HTTP/1.1 ${status} ${PHRASES[status]}\r\n`));
  return line;
}

/** What is made of a value of `Content-Type`. */
interface TypeInfo {
  readonly line: string;
  /** It begins a stream of events. */
  readonly isEvents: boolean;
  /** The head of a 200 answer with this header alone, on a connection that lives on, up to the figures of the length. */
  readonly head: string;
}

/** An application has few types; of one that makes them up, as many are kept. */
const MANY_TYPES = 64;
const LONGEST_TYPE = 256;
const typeInfos = new Map<string, TypeInfo>();

function typeInfo(value: string): TypeInfo {
  const known = typeInfos.get(value);
  if (known !== undefined) return known;
  const line = headerLines('Content-Type', value);
  const head = `HTTP/1.1 200 OK\r\n${line}${KEEP_ALIVE}Content-Length: `;
  const info = { line, isEvents: EVENT_STREAM.test(value) && isSafeValue(value), head };
  if (value.length > LONGEST_TYPE) return info;
  if (typeInfos.size >= MANY_TYPES) typeInfos.clear();
  typeInfos.set(value, info);
  return info;
}

/** Status codes whose answer has no body (RFC 9110 6.4.1; 205 by 15.3.6). */
export const isBodiless = (status: number): boolean =>
  status === 204 || status === 304 || status === 205 || (status >= 100 && status < 200);

/** Lines of all headers but those at the given places (-1: none). */
export function linesOf(headers: HeaderStore, skip1: number, skip2: number, skip3: number): string {
  const { names, values } = headers;
  let lines = '';
  for (let i = 0; i < names.length; i++) {
    if (i === skip1 || i === skip2 || i === skip3) continue;
    const name = names[i] as string;
    const value = values[i] as StoredValue;
    lines += name === 'Content-Type' && typeof value === 'string' ? typeInfo(value).line : headerLines(name, value);
  }
  return lines;
}

/** True when the header `Connection` was set and says `close`. */
export const saysClose = (headers: HeaderStore, at: number): boolean =>
  at >= 0 && hasToken(headers.values[at] as StoredValue, 'close');

/**
 * What `send(value)` writes for anything but a `Response`.
 *
 * - Text, numbers, bytes and the like become the body of a 200 answer with the extra headers.
 * - An object with a text of its own (`Chunk`, `ServerSentEvents`, a class of the application) is written as it is; the
 *   extra headers are left for the next answer. For a chunk that belongs to a running answer see {@link encodePiece}.
 *
 * @param extraHeaders headers for the next answer, or null. They pass the same guard as those of a `Response`.
 * @throws TypeError `WM_BAD_DATA` for arrays, plain objects, functions and symbols.
 */
export function encodeValue(
  value: unknown, extraHeaders: HeaderObject | null | undefined, context: AnswerContext,
): EncodedAnswer {
  const body = typeof value === 'string' ? value : toBody(value);
  if (typeof value === 'object' && value !== null && isStringable(value)) {
    const bytes = value instanceof Chunk ? value.toBytes() : (body as string);
    return { bytes, closes: false, streaming: 'none', mute: false, interim: false, headed: false };
  }
  const size = byteSize(body);
  const sent = context.head ? '' : body;
  if (isEmptyHeaders(extraHeaders)) {
    const head = context.close ? `HTTP/1.1 200 OK\r\n${CLOSE}${HTML}Content-Length: ${size}\r\n\r\n` : textHead(size);
    return answer(joinBody(head, sent), context.close, context.head);
  }
  const headers = new HeaderStore().with(extraHeaders as HeaderObject);
  const connection = headers.indexOf('Connection');
  const type = headers.indexOf('Content-Type');
  const head = 'HTTP/1.1 200 OK\r\n'
    // The length is known here, so a transfer coding would only contradict it.
    + linesOf(headers, type, headers.indexOf('Content-Length'), headers.indexOf('Transfer-Encoding'))
    + (connection < 0 ? connectionLine(context.close) : '')
    + (type < 0 ? HTML : headerLines(headers.names[type] as string, headers.values[type] as StoredValue))
    + `Content-Length: ${size}\r\n\r\n`;
  return answer(joinBody(head, sent), context.close || saysClose(headers, connection), context.head);
}

/**
 * {@link encodeResponse} in the {@link PLAIN_CONTEXT} for what most applications send most: a 200 answer with a text and
 * nothing but its type. Null: the response is another, or sent for the second time, which {@link encodeShared} does.
 */
export function encodeTyped({ parts }: { readonly parts: AnswerParts }): string | null {
  const { names, values } = parts.headers;
  const { body } = parts;
  const type = values[0];
  if (names.length !== 1 || names[0] !== 'Content-Type' || typeof type !== 'string' || typeof body !== 'string') return null;
  if (parts.status !== 200 || parts.reason || parts.version !== '1.1' || parts.stream || parts.isReused === true) return null;
  const info = typeInfo(type);
  if (info.isEvents) return null;
  parts.isReused = true;
  return `${info.head}${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** True when the response is still what it was, and asked for in the same way. */
function isStill(encoded: Encoded, parts: AnswerParts, close: boolean): boolean {
  return encoded.body === parts.body && encoded.headers === parts.headers && encoded.changes === parts.headers.changes
    && encoded.status === parts.status && encoded.reason === parts.reason && encoded.version === parts.version
    && encoded.isBare === parts.isBare && encoded.close === close;
}

/**
 * {@link encodeResponse}, once for a response that is sent to many or again and again, as long as nobody changes it.
 * Only text can be told to be unchanged: bytes belong to the application, which may have written to them.
 */
export function encodeShared(
  response: { readonly parts: AnswerParts }, context: AnswerContext, extraHeaders?: HeaderObject | null,
): EncodedAnswer {
  const { parts } = response;
  const { body } = parts;
  const { head, http10, close } = context;
  if (typeof body !== 'string' || head || http10 || !isEmptyHeaders(extraHeaders)) {
    return encodeResponse(response, context, extraHeaders);
  }
  const before = parts.encoded;
  if (before && isStill(before, parts, close)) return before.answer;
  const answer = encodeResponse(response, context);
  const { status, reason, version, headers, isBare } = parts;
  parts.encoded = { answer, status, reason, version, headers, changes: headers.changes, body, isBare, close };
  return answer;
}

/**
 * What `send(response)` writes for a response that is not a file.
 *
 * @param response anything with the record of a `Response`; it is not changed.
 * @param extraHeaders headers for the next answer; added as by `withHeaders`, but to a copy, so that a response which
 * the application keeps and sends to many can not carry one client's cookies to the next.
 */
export function encodeResponse(
  response: { readonly parts: AnswerParts }, context: AnswerContext, extraHeaders?: HeaderObject | null,
): EncodedAnswer {
  const parts = response.parts;
  const headers = isEmptyHeaders(extraHeaders) ? parts.headers : parts.headers.with(extraHeaders as HeaderObject);
  const { status, body } = parts;
  const bodiless = isBodiless(status);
  const interim = bodiless && status < 200 && status !== 101;
  // RFC 9110 15.2: HTTP/1.0 knows no interim answers and would take it for the real one.
  if (interim && context.http10) {
    return { bytes: '', closes: false, streaming: 'none', mute: true, interim, headed: false };
  }
  const close = context.close && !interim;
  const start = statusLine(parts.version, status, parts.reason);
  const isBare = parts.isBare === true;
  if (headers.size > 0) return encodeHeaded(start, headers, status, body, isBare, bodiless, interim, close, context);
  const mute = context.head || bodiless;
  const head = `${start}${defaultType(status, isBare)}${lengthLine(status, bodiless, body)}${connectionLine(close)}\r\n`;
  return answer(joinBody(head, mute ? '' : body), close, mute, interim);
}

/** A response that has headers of the application: those first, then what is missing, then body or stream. */
function encodeHeaded(
  start: string, headers: HeaderStore, status: number, body: Body,
  isBare: boolean, bodiless: boolean, interim: boolean, close: boolean, context: AnswerContext,
): EncodedAnswer {
  const mute = context.head || bodiless;
  const connection = headers.indexOf('Connection');
  const type = headers.indexOf('Content-Type');
  const length = headers.indexOf('Content-Length');
  const coding = headers.indexOf('Transfer-Encoding');
  const isEvents = !isBare && isEventStream(headers.values[type]);
  const streaming = streamingOf(headers.isWritten(coding), isEvents && !bodiless, context.http10);
  const identity = streaming === 'identity';
  const keepsLength = streaming === 'none' && length >= 0 && mayKeepLength(status, body, context)
    && isLength(headers.values[length] as StoredValue);

  let head = start + linesOf(
    headers,
    keepsLength ? -1 : length,
    identity || bodiless ? coding : -1,
    // Without chunks only the end of the connection ends the body, whatever the application would like.
    identity ? connection : -1,
  );
  if (identity || connection < 0) head += connectionLine(close || identity);
  if (type < 0) head += defaultType(status, isBare);
  if (streaming === 'none' && !keepsLength) head += lengthLine(status, bodiless, body);
  head += '\r\n';

  const closes = close || identity || (!interim && saysClose(headers, connection));
  const sent = mute || (isEvents && streaming !== 'none') ? '' : body;
  const bytes = joinBody(head, streaming === 'chunked' ? firstChunk(sent) : sent);
  return { bytes, closes, streaming, mute, interim, headed: true };
}

/**
 * A chunk or event that belongs to a running answer.
 *
 * @param answer what {@link encodeResponse} said about that answer.
 * @returns nothing when the answer may have no body; over HTTP/1.0 a chunk without its size; else its usual form.
 */
export function encodePiece(
  piece: Chunk | ServerSentEvents, answer: { readonly streaming: Streaming; readonly mute: boolean },
): string | Buffer {
  if (answer.mute) return '';
  if (!(piece instanceof Chunk)) return piece.toString();
  return answer.streaming === 'identity' ? joinBody('', piece.data) : piece.toBytes();
}

function answer(bytes: string | Buffer, closes: boolean, mute: boolean, interim: boolean = false): EncodedAnswer {
  return { bytes, closes, streaming: 'none', mute, interim, headed: true };
}

/** The line for an answer of which nobody has said what it is. */
const defaultType = (status: number, isBare: boolean): string => (status === 304 || isBare ? '' : HTML);

function streamingOf(coded: boolean, events: boolean, http10: boolean): Streaming {
  if (coded) return http10 ? 'identity' : 'chunked';
  return events ? 'event-stream' : 'none';
}

/** An empty first chunk would be the last. */
const firstChunk = (body: Body): Body => (byteSize(body) > 0 ? encodeChunk(body) : '');

/** Where a length tells what another answer would have: on 304, and where HEAD is answered without making the body. */
const mayKeepLength = (status: number, body: Body, context: AnswerContext): boolean =>
  status === 304 || (context.head && !isBodiless(status) && byteSize(body) === 0);

/** RFC 9110 8.6: no Content-Length on 1xx and 204; on 304 it would have to be that of the answer not sent. */
function lengthLine(status: number, bodiless: boolean, body: Body): string {
  if (!bodiless) return `Content-Length: ${byteSize(body)}\r\n`;
  return status === 205 ? 'Content-Length: 0\r\n' : '';
}

const isEventStream = (type: StoredValue | undefined): boolean =>
  typeof type === 'string' && typeInfo(type).isEvents;

/** True for a value of `Content-Length` that can be written. */
export const isLength = (length: StoredValue): boolean => typeof length === 'string' && DIGITS.test(length);
