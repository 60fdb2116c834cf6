import type { EncodedAnswer } from './encode.js';
import type { Holder } from './buffered.js';
import type { IncomingBody } from './IncomingBody.js';
import type { ChunkedBody } from './parse/chunked.js';
import type { Head } from './parse/head.js';
import type { KnownHead } from './parse/knownHeads.js';
import type { Request } from './Request.js';
import type { RequestSessions } from './session/RequestSessions.js';

/** Where exceptions go. */
interface Failing {
  errorHandler: ((error: unknown) => unknown) | null;
  error(exception: unknown): void;
}

/** What HTTP remembers about one connection. */
export class HttpState implements Holder {
  // ---- the message that is arriving
  /** Received bytes that wait to become a request. */
  buffered = 0;
  /** Bytes that were searched for the end of the head without finding it. */
  searched = 0;
  head: Head | null = null;
  /** The head of the message that comes next, already read: the bytes are on their way to `input`. */
  hint: Head | null = null;
  /** The head of the request that came last, when it is one that is kept. */
  latest: KnownHead | null = null;
  chunked: ChunkedBody | null = null;
  continued = false;
  /** The message is handed out at its head. */
  isStreamed = false;

  // ---- what was handed out
  /** Number of requests so far. */
  handedOut = 0;
  /** The body of the request that was handed out last, when that was done at its head. */
  body: IncomingBody | null = null;
  /** Bytes of that body that wait for the application. */
  kept = 0;
  /** To be told when the client leaves before it is answered. */
  aborts: Set<AbortController> | null = null;
  /** Requests that have not been answered whole, in the order in which they came. */
  readonly outstanding: Request[] = [];
  /** A request has said that it is the last one of its connection: what comes behind it is thrown away. */
  lastSeen = false;
  /** The request that was handed out last, until its handler has settled and it is answered. */
  current: Request | null = null;
  /** The handler of `current` has not settled. */
  running = false;
  /** The sessions of the request that was handed out last. */
  sessions: RequestSessions | null = null;

  // ---- the answer that is under way in pieces
  streaming: EncodedAnswer | null = null;
  /** Bodies that are still being made while they are sent. */
  streams = 0;
  /** What was to be sent last was thrown away. */
  dropped = false;
  /** The last answer is complete and ends the connection. */
  endNow = false;

  // ---- the end
  closed = false;
  /** What took the connection's exceptions before it was closed, for those that come later. */
  errorHandler: ((error: unknown) => unknown) | null = null;

  /** Requests that have files on disk. */
  #withFiles: Set<Request> | null = null;

  /** Back to the beginning of a message. */
  messageDone(): void {
    this.hint = null;
    this.searched = 0;
    this.head = null;
    this.chunked = null;
    this.continued = false;
    this.isStreamed = false;
  }

  /** A request goes to its handler. */
  handOut(request: Request): void {
    this.current = request;
    this.running = true;
    this.sessions = null;
    this.handedOut++;
  }

  /** True when everything that was handed out is answered and done with. */
  get isIdle(): boolean {
    return !this.running && this.outstanding.length === 0 && this.streams === 0;
  }

  /** True while the handler of `request` is at work. */
  isRunning(request: Request): boolean {
    return this.running && this.current === request;
  }

  /** Sees to it that the files which `request` has on disk are removed in time. */
  keepFiles(request: Request): void {
    // After the close, only the end of the handler is still to come.
    if (!this.closed || this.isRunning(request)) (this.#withFiles ??= new Set()).add(request);
  }

  /** The last byte of an answer has been sent, in the order of the requests. */
  answered(): void {
    const request = this.outstanding.shift();
    if (request !== undefined && !this.isRunning(request)) this.#done(request);
  }

  /** The handler of the request that was handed out last has settled. */
  settled(request: Request): void {
    this.running = false;
    // While it is not answered, it is the last of those that wait.
    if (this.closed || this.outstanding.at(-1) !== request) this.#done(request);
  }

  /** The connection is closed. A handler may still be at work. */
  close(errorHandler: ((error: unknown) => unknown) | null): void {
    this.closed = true;
    this.errorHandler = errorHandler;
    for (const request of this.#withFiles ?? []) request._removeFiles();
    this.#withFiles = null;
  }

  /** Another protocol has the connection: no request is answered any more, and only a running handler needs its files. */
  leave(): void {
    for (const request of this.#withFiles ?? []) if (!this.isRunning(request)) request._removeFiles();
    this.#withFiles = null;
  }

  /** An exception of what goes on in the background. Without a connection's handler it is one of the process. */
  report(connection: Failing, error: unknown): void {
    // A close takes the handler away, but not from what was begun before it.
    if (this.closed) connection.errorHandler = this.errorHandler;
    connection.error(error);
    if (this.closed) connection.errorHandler = null;
  }

  #done(request: Request): void {
    if (request === this.current) this.current = null;
    this.#withFiles?.delete(request);
    // Not only of those that are known here: the connection may have been away meanwhile.
    request._removeFiles();
  }
}

/** The state of a connection that speaks HTTP. @returns null for any other, and for none */
export function httpStateOf(connection: { readonly _state: unknown } | null): HttpState | null {
  return connection?._state instanceof HttpState ? connection._state : null;
}
