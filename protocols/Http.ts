import type { ByteSource } from '../connection/SendQueue.js';
import { Chunk } from './http/Chunk.js';
import { encodePiece, encodeResponse, encodeValue, type AnswerContext, type EncodedAnswer } from './http/encode.js';
import { isEmptyHeaders } from './http/headers.js';
import { HttpState, type Outstanding } from './http/HttpState.js';
import { ChunkedBody, dechunk, dechunkedHead } from './http/parse/chunked.js';
import { parseHead, type Head } from './http/parse/head.js';
import { Request } from './http/Request.js';
import { Response } from './http/Response.js';
import { encodeFile } from './http/sendFile.js';
import { ServerSentEvents } from './http/ServerSentEvents.js';

/** What HTTP needs of the connection that it is spoken on. */
export interface HttpConnection {
  maxPackageSize: number;
  headers: Record<string, any>;
  _state: unknown;
  readonly _isLast: boolean;
  readonly _drains: boolean;
  send(data: unknown, raw?: boolean): boolean | null;
  end(data?: unknown, raw?: boolean): void;
  consumeRecvBuffer(n: number): void;
  _push(bytes: string | Uint8Array): boolean | null;
  _pushSource(source: ByteSource): void;
}

/** A class whose instances stand for requests. */
export type RequestClass = new (buffer: Buffer, head?: Head) => Request;

const REFUSALS = {
  400: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  413: 'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n',
  431: 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n',
} as const;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

let requestClass: RequestClass = Request;

/**
 * HTTP/1.1 server (RFC 9112): cuts requests out of the stream, refuses what is not clearly one, hands out
 * {@link Request}s in order, writes answers, and knows when a connection has to end.
 */
export class Http {
  /** Requests of one connection are answered in order: the next waits until the handler's promise has settled. */
  static readonly sequential: true = true;

  /** The class that stands for a request; with an argument, sets it. Constructed as `new cls(buffer)`. */
  static requestClass(cls?: RequestClass): RequestClass {
    if (cls !== undefined) requestClass = cls;
    return requestClass;
  }

  /**
   * Length of the first request in `buffer`, 0 to wait. What can not be served is answered here with 400, 413 or 431
   * and ends the connection (RFC 9112 sections 2 to 7).
   */
  static input(buffer: Buffer, connection: HttpConnection): number {
    const state = stateOf(connection);
    if (state.lastSeen) {
      connection.consumeRecvBuffer(buffer.length);
      return 0;
    }
    const head = state.head ?? readHead(buffer, connection, state);
    if (head === null) return 0;
    return head.chunked ? chunkedLength(buffer, connection, state, head) : plainLength(buffer, connection, state, head);
  }

  /** One whole request, chunks joined. */
  static decode(buffer: Buffer, connection: HttpConnection): Request {
    const state = stateOf(connection);
    const head = state.head;
    const body = state.chunked;
    state.messageDone();
    const request = body !== null && head !== null
      ? new requestClass(dechunk(buffer, head, body), dechunkedHead(head, body))
      : new requestClass(buffer, head ?? undefined);
    if (body !== null) request.setChunkTrailers(body.trailers(buffer));
    request.connection = connection as unknown as Request['connection'];
    if (head !== null) {
      state.outstanding.push({ request, head: head.method === 'HEAD', http10: head.minor === 0 });
      state.lastSeen = isLast(head);
    }
    return request;
  }

  /**
   * The bytes of whatever `send`, `close` or `end` got: a Response, a piece of a running answer (Chunk,
   * ServerSentEvents, any object with a text of its own), or a scalar or bytes as the body of a 200.
   *
   * @throws WorkermanError `WM_BAD_DATA` for plain objects, arrays and functions.
   */
  static encode(data: unknown, connection: HttpConnection): string | Uint8Array {
    const state = stateOf(connection);
    if (data instanceof Chunk || data instanceof ServerSentEvents) return encodeStreamPiece(data, state);
    const context = contextOf(connection, state);
    const extra = isEmptyHeaders(connection.headers) ? null : connection.headers;
    if (!(data instanceof Response)) return account(encodeValue(data, extra, context), connection, state);
    if (data.file === null) return account(encodeResponse(data, context, extra), connection, state);
    const request = state.outstanding.length === 1 ? (state.outstanding[0] as Outstanding).request : null;
    const { answer, source } = encodeFile(data, request, context, extra);
    const bytes = account(answer, connection, state);
    if (source === null) return bytes;
    connection._push(bytes);
    connection._pushSource(source);
    return '';
  }

  /** Ends the connection behind an answer that was its last. */
  static onSent(connection: HttpConnection): void {
    const state = connection._state as HttpState | null;
    if (state === null || !state.endNow || connection._isLast) return;
    state.endNow = false;
    connection.end();
  }
}

function stateOf(connection: HttpConnection): HttpState {
  return (connection._state ??= new HttpState()) as HttpState;
}

function refuse(status: keyof typeof REFUSALS, connection: HttpConnection): null {
  connection.end(REFUSALS[status], true);
  return null;
}

/** The head, checked; null: wait, or refused. */
function readHead(buffer: Buffer, connection: HttpConnection, state: HttpState): Head | null {
  const head = parseHead(buffer, state.searched);
  if (head === 0) {
    state.searched = buffer.length;
    return null;
  }
  if (typeof head === 'number') return refuse(head, connection);
  if (head.length + Math.max(0, head.contentLength) > connection.maxPackageSize) return refuse(413, connection);
  state.head = head;
  return head;
}

function plainLength(buffer: Buffer, connection: HttpConnection, state: HttpState, head: Head): number {
  if (head.contentLength > 0) invite(buffer, connection, state, head);
  return head.length + Math.max(0, head.contentLength);
}

function chunkedLength(buffer: Buffer, connection: HttpConnection, state: HttpState, head: Head): number {
  invite(buffer, connection, state, head);
  const body = (state.chunked ??= new ChunkedBody());
  const verdict = body.advance(buffer, head.length, connection.maxPackageSize);
  if (verdict === 'done') return body.end;
  if (verdict !== 'more') refuse(verdict, connection);
  return 0;
}

/** `Expect: 100-continue` (RFC 9110 section 10.1.1), unless an earlier answer could get mixed up with it. */
function invite(buffer: Buffer, connection: HttpConnection, state: HttpState, head: Head): void {
  if (!head.expectContinue || state.continued || buffer.length > head.length || state.outstanding.length > 0) return;
  state.continued = true;
  connection.send(CONTINUE, true);
}

/** RFC 9112 section 9.3; a chunked message over HTTP/1.0 is the last one too (section 6.1). */
function isLast(head: Head): boolean {
  return head.close || (head.minor === 0 && (!head.keepAlive || head.chunked));
}

function contextOf(connection: HttpConnection, state: HttpState): AnswerContext {
  const { outstanding } = state;
  const current = outstanding[0];
  const alone = outstanding.length <= 1;
  return {
    head: outstanding.length === 1 && (current as Outstanding).head,
    http10: current?.http10 === true,
    close: connection._isLast || (alone && (connection._drains || (state.lastSeen && current !== undefined))),
  };
}

/** Keeps the books of an answer that begins here. @returns its bytes */
function account(answer: EncodedAnswer, connection: HttpConnection, state: HttpState): string | Buffer {
  if (answer.headed && !isEmptyHeaders(connection.headers)) connection.headers = {};
  if (!answer.headed || answer.interim) return answer.bytes;
  if (answer.streaming === 'none') complete(answer, state);
  else state.streaming = answer;
  return answer.bytes;
}

/** The last byte of an answer is queued. */
function complete(answer: EncodedAnswer, state: HttpState): void {
  state.outstanding.shift();
  state.streaming = null;
  if (answer.closes && state.outstanding.length === 0) state.endNow = true;
}

function encodeStreamPiece(piece: Chunk | ServerSentEvents, state: HttpState): string | Buffer {
  const answer = state.streaming;
  if (answer === null) return piece instanceof Chunk ? piece.toBytes() : piece.toString();
  const bytes = encodePiece(piece, answer);
  if (piece instanceof Chunk && answer.streaming !== 'event-stream' && piece.data.length === 0) complete(answer, state);
  return bytes;
}
