import type { ByteSink } from '../../connection/SendQueue.js';
import { WorkermanError } from '../../errors.js';
import type { ChunkedBody } from './parse/chunked.js';

/** A body that is read in pieces: `for await (const piece of request.body)`. Once. */
export type RequestBody = AsyncIterable<Buffer>;

/** What a streamed body needs of the protocol. */
export interface BodyOwner {
  /** The application wants bytes for the first time. */
  onFirstRead(): void;
  /** Reading the socket has to stop, or may go on. */
  onFull(isFull: boolean): void;
  /** So many bytes more (or less) are kept in memory. */
  onKept(bytes: number): void;
  /** The last byte has arrived. */
  onComplete(body: BodyStream): void;
  /** The bytes are no body: 400, or 413 for framing without end. Nothing is taken for a request behind it any more. */
  onRefused(body: BodyStream, status: 400 | 413): void;
  /** More is thrown away than is reasonable. */
  onSurplus(body: BodyStream): void;
}

/** Bytes that may wait for the application, each piece counted with what it costs to keep; then the socket rests. */
const HIGH_WATER_MARK = 128 * 1024;
const PIECE_COST = 1024;

type Next = IteratorResult<Buffer, undefined>;

const END: Next = { value: undefined, done: true };

interface Waiter {
  resolve(next: Next): void;
  reject(error: unknown): void;
}

/**
 * The body of a request that was handed out before it had arrived. The connection pours in what it receives, the
 * application takes it out in pieces; when it does not, the socket is not read. One thing happens at the end: the body is
 * complete, it fails (the client is gone), or the rest is thrown away because nobody wants it.
 */
export class BodyStream implements ByteSink, RequestBody {
  readonly #owner: BodyOwner;
  readonly #chunked: ChunkedBody | null;
  /** Bytes to come; Infinity while nobody can know. */
  #left: number;
  #pieces: Buffer[] = [];
  #kept = 0;
  #isFull = false;
  #waiter: Waiter | null = null;
  #failure: Error | null = null;
  #isComplete = false;
  #isTaken = false;
  #hasBegun = false;
  #isUnwanted = false;
  /** Bytes that may be thrown away. */
  #patience: number;

  /**
   * @param body its length, or the reader of its chunks
   * @param patience bytes that may be thrown away when nobody wants them
   */
  constructor(body: number | ChunkedBody, patience: number, owner: BodyOwner) {
    this.#owner = owner;
    this.#patience = patience;
    this.#chunked = typeof body === 'number' ? null : body;
    this.#left = typeof body === 'number' ? body : Infinity;
  }

  // ------------------------------------------------------------------------------------------------ filling

  /** True when the whole body has come. After a failure never: then everything that comes is swallowed. */
  get done(): boolean {
    return this.#isComplete;
  }

  /** Bytes that are still to come; Infinity when nobody can know. */
  get left(): number {
    return this.#left;
  }

  /** True when it is sure that the rest is too long to be thrown away. */
  get isTooLong(): boolean {
    return !this.#isComplete && (this.#patience < 0 || (this.#left !== Infinity && this.#left > this.#patience));
  }

  /** False until the first byte of the body has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** True while the application waits for bytes, so that it is the client's turn. */
  get isWaiting(): boolean {
    return this.#waiter !== null;
  }

  /** True while the application has begun to read and may go on. */
  get isBeingRead(): boolean {
    return this.#isTaken && !this.#isUnwanted && this.#failure === null;
  }

  /** Takes what belongs to the body. */
  write(chunk: Buffer): number {
    if (this.#isComplete) return 0;
    if (this.#failure !== null) return chunk.length;
    this.#hasBegun = true;
    return this.#chunked === null ? this.#writePlain(chunk) : this.#writeChunked(chunk, this.#chunked);
  }

  #writePlain(chunk: Buffer): number {
    const taken = Math.min(this.#left, chunk.length);
    this.#left -= taken;
    if (taken > 0) this.#accept(taken === chunk.length ? chunk : chunk.subarray(0, taken));
    if (this.#left === 0) this.#complete();
    return taken;
  }

  #writeChunked(chunk: Buffer, chunked: ChunkedBody): number {
    const data: Buffer[] = [];
    const verdict = chunked.consume(chunk, (piece) => data.push(piece));
    const taken = chunked.end;
    // In one piece, so that a million tiny chunks do not become a million objects.
    if (data.length > 0) this.#accept(data.length === 1 ? data[0]! : Buffer.concat(data));
    if (verdict === 'done') this.#complete();
    if (verdict === 'done' || verdict === 'more') return taken;
    this.fail(new WorkermanError('WM_CLIENT_GONE', 'The request body breaks the rules of its coding'));
    this.#owner.onRefused(this, verdict);
    return chunk.length;
  }

  #accept(piece: Buffer): void {
    if (this.#isUnwanted) {
      const wasPatient = this.#patience >= 0;
      this.#patience -= piece.length;
      if (wasPatient && this.#patience < 0) this.#owner.onSurplus(this);
      return;
    }
    const waiter = this.#waiter;
    if (waiter !== null) {
      this.#waiter = null;
      waiter.resolve({ value: piece, done: false });
      return;
    }
    this.#pieces.push(piece);
    this.#keep(piece.length + PIECE_COST);
  }

  #keep(bytes: number): void {
    // What is left of a body that has failed is its reader's, and the connection's no more.
    if (this.#failure !== null) return;
    this.#kept += bytes;
    this.#owner.onKept(bytes);
    // What comes behind a complete body has limits of its own.
    const mark = this.#isFull ? HIGH_WATER_MARK / 2 : HIGH_WATER_MARK;
    const isFull = this.#kept >= mark && !this.#isComplete;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#owner.onFull(isFull);
  }

  #complete(): void {
    this.#isComplete = true;
    this.#left = 0;
    this.#keep(0);
    this.#finish();
    this.#owner.onComplete(this);
  }

  /** No more will come. What has come can still be read; then reading throws `error`. */
  fail(error: Error): void {
    if (this.#isComplete || this.#failure !== null) return;
    this.#keep(-this.#kept);
    this.#failure = error;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.reject(error);
  }

  cancel(): void {
    this.fail(new WorkermanError('WM_CLIENT_GONE', 'The client is gone'));
  }

  /** Nobody wants the rest: it is thrown away, what waits and what comes. */
  discard(): void {
    if (this.#isUnwanted) return;
    this.#isUnwanted = true;
    this.#pieces = [];
    this.#keep(-this.#kept);
    this.#finish();
  }

  #finish(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.resolve(END);
  }

  // ------------------------------------------------------------------------------------------------ reading

  /**
   * The pieces, in whatever size they come. Leaving the loop early means that the rest is not wanted.
   *
   * @throws WorkermanError `WM_BODY_STREAMED` the second time; while reading, `WM_CLIENT_GONE`
   */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    if (this.#isTaken) throw new WorkermanError('WM_BODY_STREAMED', 'The body of a streamed request can be read once');
    this.#isTaken = true;
    return {
      next: () => this.#next(),
      return: () => {
        this.discard();
        return Promise.resolve(END);
      },
    };
  }

  #next(): Promise<Next> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#keep(-piece.length - PIECE_COST);
      return Promise.resolve({ value: piece, done: false });
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#isComplete || this.#isUnwanted) return Promise.resolve(END);
    if (this.#waiter !== null) {
      return Promise.reject(new WorkermanError('WM_BODY_STREAMED', 'The next piece is being waited for already'));
    }
    const next = new Promise<Next>((resolve, reject) => (this.#waiter = { resolve, reject }));
    this.#owner.onFirstRead();
    return next;
  }
}

/**
 * All of a body.
 *
 * @param limit most bytes
 * @param announced bytes that will come; Infinity when nobody can know
 * @throws WorkermanError `WM_BODY_TOO_LARGE`, and what reading the body throws
 */
export async function readWhole(body: RequestBody, limit: number, announced: number): Promise<Buffer> {
  const tooLarge = (): WorkermanError =>
    new WorkermanError('WM_BODY_TOO_LARGE', `The request body is longer than ${limit} bytes`);
  if (announced !== Infinity && announced > limit) throw tooLarge();
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > limit) throw tooLarge();
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length);
}
