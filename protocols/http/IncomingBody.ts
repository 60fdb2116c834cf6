import { WorkermanError } from '../../errors.js';
import { type BodyOwner, BodyStream } from './BodyStream.js';
import type { ChunkedBody } from './parse/chunked.js';
import type { Request } from './Request.js';

/** What a body that is arriving needs of its connection and of the protocol. */
export interface BodyHost {
  /** True while the request has not been answered, not even in part. */
  mayStillRefuse(request: Request): boolean;
  /** Answers with 400 or 413 and ends the connection. */
  refuse(status: 400 | 413): void;
  destroy(): void;
  /** Tells the client to send what it has announced with `Expect: 100-continue`. */
  invite(): void;
  hold(isFull: boolean): void;
  keep(bytes: number): void;
  /** The body has come, or is not wanted: perhaps the connection can go on, or end. */
  goOn(): void;
}

/** The body of a request that was handed out at its head, and what follows for the connection it comes over. */
export class IncomingBody implements BodyOwner {
  readonly stream: BodyStream;
  readonly #request: Request;
  readonly #host: BodyHost;
  readonly #chunked: ChunkedBody | null;
  /** The client waits for an invitation that it has not got. */
  #isAwaited: boolean;

  /**
   * @param source its length, or the reader of its chunks
   * @param patience most bytes that are thrown away when nobody reads them; beyond that the connection ends
   * @param isExpecting the client waits for `100 Continue`
   */
  constructor(
    source: number | ChunkedBody, patience: number, isExpecting: boolean, request: Request,
    host: BodyHost,
  ) {
    this.stream = new BodyStream(source, patience, this);
    this.#request = request;
    this.#host = host;
    this.#isAwaited = isExpecting;
    this.#chunked = typeof source === 'number' ? null : source;
  }

  get done(): boolean {
    return this.stream.done;
  }

  /**
   * True when an answer that is sent now has to be the last of the connection: too much of the body is left to be thrown
   * away, or the client waits to be invited and may or may not send it (RFC 9110 section 10.1.1).
   */
  get endsConnection(): boolean {
    return this.stream.isTooLong || (this.#isAwaited && !this.stream.hasBegun && !this.stream.done);
  }

  onFirstRead(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    if (!this.stream.hasBegun) this.#host.invite();
  }

  onFull(isFull: boolean): void {
    this.#host.hold(isFull);
  }

  onKept(bytes: number): void {
    this.#host.keep(bytes);
  }

  onComplete(): void {
    if (this.#chunked !== null) this.#request.setChunkTrailers(this.#chunked.consumedTrailers());
    this.#host.goOn();
  }

  onRefused(_body: BodyStream, status: 400 | 413): void {
    if (this.#host.mayStillRefuse(this.#request)) this.#host.refuse(status);
    else this.#host.destroy();
  }

  onSurplus(): void {
    // Whoever is still at work on the request gets to answer it; the client waits meanwhile.
    this.#host.hold(true);
    this.#host.goOn();
  }

  /** The client is gone, or too slow. */
  fail(reason: string): void {
    this.stream.fail(new WorkermanError('WM_CLIENT_GONE', reason));
  }
}
