import {
  account, answerWith, contextOf, drop, encodeStreamed, encodeText, encodeWhole, hold, isHeadOfEvents, isPlainTurn, noteRaw,
  unsavedSessions,
} from './http/answers.js';
import { release, setBuffered } from './http/buffered.js';
import { encodeTyped } from './http/encode.js';
import { isEmptyHeaders } from './http/headers.js';
import { type HttpConnection, stateOf, takeOver } from './http/HttpConnection.js';
import { type HttpState, httpStateOf } from './http/HttpState.js';
import { IncomingBody } from './http/IncomingBody.js';
import { inspectHttp } from './http/inspect.js';
import { bodyHost, clientFault, clientGone, CONTINUE, makeRoom, mayStillRefuse, seeOff } from './http/lifecycle.js';
import { limits, unwatch, watch } from './http/limits.js';
import { ChunkedBody, type ChunkedVerdict, dechunk, dechunkedHead, withoutCoding } from './http/parse/chunked.js';
import { HEADER_LIMIT, parseHead, type Head } from './http/parse/head.js';
import { knownHead } from './http/parse/knownHeads.js';
import { refuse } from './http/refusals.js';
import { Request } from './http/Request.js';
import { Response } from './http/Response.js';
import { encodeFile } from './http/sendFile.js';
import { uploadTmpDir } from './http/uploads.js';
import { isWebResponse, webResponseParts } from './http/web.js';

export type { HttpConnection };

/** A class whose instances stand for requests. */
export type RequestClass = new (buffer: Buffer) => Request;

/** Bytes. */
const SHORT_HEAD = 1024;

let requestClass: RequestClass = Request;

/**
 * HTTP/1.1 server (RFC 9112): cuts requests out of the stream, refuses what is not clearly one, hands out
 * {@link Request}s in order, writes answers, and knows when a connection has to end.
 */
export class Http {
  /** Requests of one connection are answered in order: the next waits until the handler's promise has settled. */
  static readonly sequential: true = true;

  /** Bytes of a head; a longer one is refused here, whatever `maxPackageSize` is. */
  static readonly headLimit: number = HEADER_LIMIT;

  /**
   * Seconds from accept, or from the first byte of a later request, until its header block is complete; 0 for no limit.
   * Default 60. Beyond it the client gets 408, or nothing if it has sent nothing. As in Node's http server.
   */
  static get headersTimeout(): number { return limits.headersTimeout; }
  static set headersTimeout(seconds: number) { limits.headersTimeout = seconds; }
  /**
   * Seconds until a request has arrived whole; 0 for no limit. Default 300. Beyond it the client gets 408. A body that
   * is streamed may take longer, but not stand still for so long. As in Node's http server.
   */
  static get requestTimeout(): number { return limits.requestTimeout; }
  static set requestTimeout(seconds: number) { limits.requestTimeout = seconds; }
  /**
   * Seconds between a complete answer and the next request, then the connection is closed; 0 for no limit. Default 75.
   */
  static get keepAliveTimeout(): number { return limits.keepAliveTimeout; }
  static set keepAliveTimeout(seconds: number) { limits.keepAliveTimeout = seconds; }
  /**
   * Seconds for which a client may take nothing at all of what was sent to it, then its connection is destroyed; 0 for
   * no limit. Default 300. Our addition: nothing else ever frees what a client that has stopped reading holds.
   */
  static get sendTimeout(): number { return limits.sendTimeout; }
  static set sendTimeout(seconds: number) { limits.sendTimeout = seconds; }
  /**
   * Most header lines of one request, else 431; 0 for as many as fit into 16 KiB. Default 2000, as in Node's http server.
   * Our addition.
   */
  static get maxHeaderCount(): number { return limits.maxHeaderCount; }
  static set maxHeaderCount(count: number) { limits.maxHeaderCount = count; }
  /**
   * Most bytes, over all connections of the process, of requests that have not arrived whole; 0 for no limit. Default
   * 268435456 (256 MiB). Beyond it the connections that hold most of them get 503 and are closed. Our addition.
   */
  static get maxBufferedBytes(): number { return limits.maxBufferedBytes; }
  static set maxBufferedBytes(bytes: number) { limits.maxBufferedBytes = bytes; }

  /** The class that stands for a request; with an argument, sets it. Constructed as `new cls(buffer)`. */
  static requestClass(cls?: RequestClass): RequestClass {
    // Where users have a stand-in of Request (lib/standIn.ts), that is the one that they know.
    const known = Request.prototype.constructor as RequestClass;
    if (cls !== undefined) requestClass = cls === known ? Request : cls;
    return requestClass === Request ? known : requestClass;
  }

  /**
   * The folder in which uploaded files are put; with an argument, sets it. Default, and `''`: the system's folder for
   * temporary files. Files are removed from it when their request has been answered and its handler has settled.
   */
  static uploadTmpDir(path?: string | null): string {
    return uploadTmpDir(path);
  }

  /** The limits count from here on. */
  static onAccept(connection: HttpConnection): void {
    takeOver(connection);
    watch(connection, inspectHttp);
  }

  /**
   * What waits is counted by the protocol that it waits for now, and no request will be answered here any more. Nothing
   * else changes for one that has this from here: it goes on where this was.
   */
  static onLeave(connection: HttpConnection): void {
    const state = httpStateOf(connection);
    if (state === null) return;
    setBuffered(state, 0);
    if ((connection.protocol as { onLeave?: unknown } | null)?.onLeave === Http.onLeave) return;
    state.leave();
    connection._state = null;
  }

  /** A part of a request, or what waits behind one that is handled. */
  static onBuffered(connection: HttpConnection, bytes: number): void {
    if (setBuffered(stateOf(connection), bytes)) makeRoom();
  }

  /**
   * Length of the first request in `buffer`, 0 to wait. What can not be served is answered here with 400, 413 or 431
   * and ends the connection (RFC 9112 sections 2 to 7).
   */
  static input(buffer: Buffer, connection: HttpConnection): number {
    takeOver(connection);
    const state = stateOf(connection);
    if (state.lastSeen) {
      connection.consumeRecvBuffer(buffer.length);
      return 0;
    }
    const head = state.head ?? readHead(buffer, connection, state);
    if (head === null) return 0;
    if (state.isStreamed) return head.length;
    return head.chunked ? chunkedLength(buffer, connection, state, head) : plainLength(buffer, connection, state, head);
  }

  /** As {@link input}, for a chunked body whose beginning has been read: the next bytes are all that matters. */
  static inputRest(rest: Buffer, seen: number, connection: HttpConnection): number | undefined {
    const { head, chunked } = stateOf(connection);
    // A class that is derived from this one, and cuts in a way of its own, sees every byte.
    if (this.input !== Http.input || head === null || chunked?.end !== seen) return undefined;
    return judge(chunked.advance(rest, head.length, connection.maxPackageSize, seen), chunked, connection);
  }

  /** A request that is all there and begins with a head which may have come before. */
  static recognise(memory: Buffer, from: number, to: number, connection: HttpConnection): Request | undefined {
    // A class that is derived from this one, and cuts or decodes in a way of its own, sees every byte.
    if (this.input !== Http.input || this.decode !== Http.decode) return undefined;
    const state = stateOf(connection);
    if (state.lastSeen || state.head !== null) return undefined;
    const known = knownHead(memory, from, to, state.latest);
    if (known === undefined) return undefined;
    // An idle connection keeps it, so it is kept only where that costs little.
    state.latest = known.head.length <= SHORT_HEAD ? known : null;
    const { head } = known;
    state.hint = head;
    const bodyLength = head.contentLength > 0 ? head.contentLength : 0;
    const length = head.length + bodyLength;
    if (length > to - from || length > connection.maxPackageSize || head.chunked || hasTooManyFields(head)) return undefined;
    if (bodyLength > 0 && connection.worker?.streamBodies === true) return undefined;
    state.hint = null;
    connection._recognised = length;
    const request = bodyLength === 0 && requestClass === Request
      ? new Request(null, head)
      : requestOf(copyOf(memory, from, length), head);
    handOut(request, head, connection, state);
    return request;
  }

  /** One whole request, chunks joined; or its head, when the body is streamed. */
  static decode(buffer: Buffer, connection: HttpConnection): Request {
    const state = stateOf(connection);
    const { head, chunked: body, isStreamed } = state;
    state.messageDone();
    state.body = null;
    if (isStreamed && head !== null) return decodeStreamed(buffer, head, connection, state);
    const request = body !== null && head !== null
      ? requestOf(dechunk(buffer, head, body), dechunkedHead(head, body))
      : requestOf(buffer, head);
    if (body !== null) request.setChunkTrailers(body.trailers(buffer));
    handOut(request, head, connection, state);
    return request;
  }

  /**
   * The bytes of whatever `send`, `close` or `end` got: a Response, a piece of a running answer (Chunk,
   * ServerSentEvents, any object with a text of its own), or a scalar or bytes as the body of a 200.
   *
   * When the request has changed its session, that is stored first: nothing is returned, and the answer goes out
   * behind the store.
   *
   * @throws TypeError `WM_BAD_DATA` for plain objects, arrays and functions.
   */
  static encode(data: unknown, connection: HttpConnection): string | Uint8Array {
    const state = stateOf(connection);
    if (typeof data === 'string' && isPlainTurn(connection, state)) return encodeText(data, state);
    if (data instanceof Response && data.file === null && isPlainTurn(connection, state)) {
      const bytes = encodeTyped(data);
      if (bytes !== null) return answerWith(bytes, state);
    }
    // The stream under way is the last answer, and nothing ends it but the end of the connection (RFC 9112 section 9.6).
    if (state.streams > 0 && state.lastSeen && state.outstanding.length === 0) return drop(data, state);
    const unsaved = unsavedSessions(state);
    if (!(data instanceof Response) && isWebResponse(data)) {
      const answer = new Response();
      Object.assign(answer.parts, webResponseParts(data));
      data = answer;
    }
    if (data instanceof Response && data.parts.stream) return encodeStreamed(data, unsaved, connection, state);
    if (!(data instanceof Response) || data.file === null) {
      const bytes = encodeWhole(data, connection, state);
      return unsaved === null ? bytes : hold(bytes, unsaved, connection, state);
    }
    const request = state.outstanding.length === 1 ? (state.outstanding[0] as Request) : null;
    const extra = isEmptyHeaders(connection.headers) ? null : connection.headers;
    const { answer, source } = encodeFile(data, request, contextOf(connection, state), extra);
    const bytes = account(answer, connection, state);
    if (source === null) return unsaved === null ? bytes : hold(bytes, unsaved, connection, state);
    if (unsaved === null) connection._push(bytes);
    else hold(bytes, unsaved, connection, state);
    connection._pushSource(source);
    return '';
  }

  /** An event stream gets a comment line, which its reader skips; an unanswered request is left alone. */
  static heartbeat(connection: HttpConnection): { bytes: string; answered: boolean } | null {
    const state = stateOf(connection);
    const { streaming } = state;
    if (streaming?.streaming === 'event-stream' && !isHeadOfEvents(streaming)) return { bytes: ':\n\n', answered: false };
    return state.outstanding.length > 0 ? null : { bytes: '', answered: true };
  }

  /** Bytes that begin like a final answer are one: the oldest request that waited waits no more. */
  static onRaw(connection: HttpConnection, bytes: string | Uint8Array): void {
    const state = httpStateOf(connection);
    if (state !== null) noteRaw(bytes, state);
  }

  /** Ends the connection behind an answer that was its last. @returns false when there was no more place for an answer */
  static onSent(connection: HttpConnection): false | undefined {
    const state = httpStateOf(connection);
    if (state === null) return undefined;
    seeOff(connection, state);
    if (!state.dropped) return undefined;
    return (state.dropped = false);
  }

  /**
   * The handler of a request is done: what it changed after its answer is stored, and its files are removed. An exception
   * that is the client's doing is dealt with: nobody may end a worker process by hanging up.
   */
  static onSettled(connection: HttpConnection, message: unknown, error?: unknown): boolean {
    if (!(message instanceof Request)) return false;
    const state = httpStateOf(connection);
    message._sessions?.settle();
    const code = clientFault(error);
    if (state === null) {
      // The handler has given the connection to another protocol, which keeps books of its own.
      message._removeFiles();
      return code !== null;
    }
    state.settled(message);
    if (code === 'WM_BODY_TOO_LARGE' && mayStillRefuse(message, state)) refuse(413, connection);
    else seeOff(connection, state);
    return code !== null;
  }

  /** What the requests of the connection have changed is stored, and their files are removed. */
  static onClose(connection: HttpConnection): void {
    unwatch(connection);
    const state = httpStateOf(connection);
    if (state === null) return;
    clientGone(state);
    release(state);
    state.close(connection.errorHandler);
    state.sessions?.closed();
  }
}

/** The request that these bytes are. Its constructor gets them alone: what else it takes is the application's. */
function requestOf(bytes: Buffer, head: Head | null): Request {
  if (requestClass === Request && head !== null) return new Request(bytes, head);
  const request = new requestClass(bytes);
  if (head !== null) request._tellHead(head, bytes);
  return request;
}

/** A request of its own memory; a small one shares Node's pool. */
function copyOf(memory: Buffer, from: number, length: number): Buffer {
  const bytes = length < 2048 ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
  memory.copy(bytes, 0, from, from + length);
  return bytes;
}

const hasTooManyFields = (head: Head): boolean => limits.maxHeaderCount > 0 && head.fields > limits.maxHeaderCount;

/** A request goes to its handler. */
function handOut(request: Request, head: Head | null, connection: HttpConnection, state: HttpState): void {
  request.connection = connection as unknown as Request['connection'];
  if (head !== null) {
    request._asked = head;
    state.outstanding.push(request);
    state.lastSeen ||= isLast(head);
  }
  state.handOut(request);
}

/** The head alone; what comes next on the connection is the body. */
function decodeStreamed(buffer: Buffer, head: Head, connection: HttpConnection, state: HttpState): Request {
  const shown = head.chunked ? withoutCoding(buffer, head) : { bytes: buffer, head };
  const request = requestOf(shown.bytes, shown.head);
  const source = head.chunked ? new ChunkedBody() : head.contentLength;
  const host = bodyHost(connection, state);
  const body = new IncomingBody(source, connection.maxPackageSize, head.expectContinue, request, host);
  request._stream(body.stream);
  state.body = body;
  handOut(request, head, connection, state);
  connection._divert(body.stream);
  return request;
}

/** The head, checked; null: wait, or refused. */
function readHead(buffer: Buffer, connection: HttpConnection, state: HttpState): Head | null {
  const { hint } = state;
  state.hint = null;
  const head = hint !== null && !hasTooManyFields(hint) ? hint : parseHead(buffer, state.searched, limits.maxHeaderCount);
  if (head === 0) {
    state.searched = buffer.length;
    return null;
  }
  if (typeof head === 'number') return refuse(head, connection);
  state.isStreamed = connection.worker?.streamBodies === true && (head.chunked || head.contentLength > 0);
  const length = state.isStreamed ? head.length : head.length + Math.max(0, head.contentLength);
  if (length > connection.maxPackageSize || head.contentLength === Infinity) return refuse(413, connection);
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
  return judge(body.advance(buffer, head.length, connection.maxPackageSize), body, connection);
}

/** What a verdict means for `input`. */
function judge(verdict: ChunkedVerdict, body: ChunkedBody, connection: HttpConnection): number {
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
