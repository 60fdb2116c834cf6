import type { DeflateRaw, InflateRaw } from 'node:zlib';
import type { DeflateAgreement } from './extensions.js';
import { Fifo } from './Fifo.js';
import { Limiter } from './Limiter.js';

/**
 * Compression of messages (RFC 7692 section 7.2). zlib works in Node's thread pool, so results come later, always in
 * the order of the calls. Contexts are made with the first message that needs them: an idle connection has none.
 *
 * The module is loaded then as well.
 *
 * Over the whole process only so many messages are in the pool at a time. Without that bound, memory that zlib has
 * freed is scattered over the heaps of many threads and the process grows.
 */
const limiter = new Limiter(8);

const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');

/** What a sync flush leaves at the end of a message; it is cut off on the way out and put back on the way in. */
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff);

/** The rest of a message behind a final DEFLATE block when there is nothing in it (section 7.2.3.4). */
const PADDED_TAIL = Buffer.of(0x00, 0x00, 0x00, 0xff, 0xff);

/** Final DEFLATE blocks in one message beyond which it is nothing but work for us. */
const MAX_STREAMS = 100;

/** The payload of an empty message (section 7.2.3.6): zlib's second empty flush in a row gives nothing. */
export const EMPTY_MESSAGE: Buffer = Buffer.of(0x00);

/** Why nothing came out. */
export type InflateFailure = 'corrupt' | 'too big';

type ZlibStream = DeflateRaw | InflateRaw;
type Finish = (failure: InflateFailure | null) => void;

/** One zlib stream, and the output of the message that is in it. */
class Context {
  readonly stream: ZlibStream;
  chunks: Buffer[] = [];
  size = 0;
  /** A final block was read: this stream is over. */
  ended = false;
  limit = Infinity;
  #finish: Finish | null = null;

  constructor(stream: ZlibStream) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => this.#collect(chunk));
    stream.on('error', () => this.#end('corrupt'));
    stream.on('end', () => {
      this.ended = true;
    });
  }

  /** Puts the pieces through; `finish` is called once, with the output in `chunks`. */
  run(pieces: readonly Uint8Array[], finish: Finish): void {
    this.#finish = finish;
    for (const piece of pieces) this.stream.write(piece);
    this.stream.flush(zlib().constants.Z_SYNC_FLUSH, () => this.#end(null));
  }

  take(): { chunks: Buffer[]; size: number } {
    const { chunks, size } = this;
    this.chunks = [];
    this.size = 0;
    return { chunks, size };
  }

  /** Frees zlib's memory; what is under way never finishes. */
  close(): void {
    this.#finish = null;
    this.chunks = [];
    this.stream.close();
  }

  #collect(chunk: Buffer): void {
    if (this.#finish === null) return;
    this.size += chunk.length;
    this.chunks.push(chunk);
    if (this.size > this.limit) this.#end('too big');
  }

  #end(failure: InflateFailure | null): void {
    const finish = this.#finish;
    this.#finish = null;
    finish?.(failure);
  }
}

const join = (chunks: Buffer[], size: number): Buffer => {
  const [only] = chunks;
  // A chunk is a slice of zlib's output buffer of 16 KiB: a short one is copied, not kept with all of that.
  if (only !== undefined && chunks.length === 1 && only.length * 2 >= only.buffer.byteLength) return only;
  return Buffer.concat(chunks, size);
};

/** Null when there is no memory for another context. */
function contextOf(create: () => ZlibStream): Context | null {
  try {
    return new Context(create());
  } catch {
    return null;
  }
}

/** Compresses the messages of one connection. */
export class Deflater {
  readonly #agreement: DeflateAgreement;
  readonly #waiting: Fifo<() => void> = new Fifo();
  #context: Context | null = null;
  #release: (() => void) | null = null;
  #busy = false;
  #closed = false;

  constructor(agreement: DeflateAgreement) {
    this.#agreement = agreement;
  }

  /**
   * Compresses one message that is not empty. `done` gets the payload of its frame, or null when zlib has failed; it is
   * not called any more after {@link close}.
   */
  compress(payload: Uint8Array, done: (payload: Buffer | null) => void): void {
    if (this.#closed) return;
    this.#waiting.push(() => this.#start(payload, done));
    if (!this.#busy) this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#context?.close();
    this.#context = null;
    this.#letGo();
  }

  #next(): void {
    const job = this.#waiting.shift();
    this.#busy = job !== undefined;
    if (job === undefined) return;
    limiter.run((release) => {
      if (this.#closed) return release();
      this.#release = release;
      job();
    });
  }

  #start(payload: Uint8Array, done: (payload: Buffer | null) => void): void {
    const { windowBits, resetDeflate } = this.#agreement;
    const context = (this.#context ??= contextOf(() => zlib().createDeflateRaw({ windowBits, memLevel: 8 })));
    if (context === null) return this.#finish(done, null);
    context.run([payload], (failure) => {
      const { chunks, size } = context.take();
      const frame = failure === null ? join(chunks, size).subarray(0, size - TAIL.length) : null;
      if (failure === null && resetDeflate) context.stream.reset();
      this.#finish(done, frame);
    });
  }

  #finish(done: (payload: Buffer | null) => void, frame: Buffer | null): void {
    this.#letGo();
    done(frame);
    this.#next();
  }

  #letGo(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }
}

/** Inflates the messages of one connection, one at a time. */
export class Inflater {
  readonly #agreement: DeflateAgreement;
  #context: Context | null = null;
  #release: (() => void) | null = null;
  #closed = false;

  constructor(agreement: DeflateAgreement) {
    this.#agreement = agreement;
  }

  /**
   * Inflates one message. Not called again before `done` was; `done` is not called any more after {@link close}.
   *
   * @param limit bytes of output beyond which inflating is stopped at once
   */
  inflate(
    payload: Buffer,
    limit: number,
    done: (message: Buffer | null, failure: InflateFailure | null) => void,
  ): void {
    limiter.run((release) => {
      if (this.#closed) return release();
      this.#release = release;
      const chunks: Buffer[] = [];
      let size = 0;
      let streams = 0;
      const step = (pieces: readonly Uint8Array[]): void => {
        const context = (this.#context ??= contextOf(() => zlib().createInflateRaw({ windowBits: 15 })));
        if (context === null) {
          this.#letGo();
          return done(null, 'corrupt');
        }
        context.limit = limit - size;
        const before = context.stream.bytesWritten;
        context.run(pieces, (failure) => {
          const output = context.take();
          for (const chunk of output.chunks) chunks.push(chunk);
          size += output.size;
          const rest = failure === null ? this.#afterMessage(context, pieces, before) : null;
          if (rest !== null && ++streams < MAX_STREAMS) return step([rest]);
          if (rest !== null) failure = 'corrupt';
          this.#letGo();
          if (failure !== null) this.close();
          done(failure === null ? join(chunks, size) : null, failure);
        });
      };
      step([payload, TAIL]);
    });
  }

  close(): void {
    this.#closed = true;
    this.#context?.close();
    this.#context = null;
    this.#letGo();
  }

  /**
   * Makes the context ready for what follows. A final block has ended it, and what lies behind that block in the same
   * message begins a new one (section 7.2.1).
   *
   * @returns input of this message that was not inflated yet; null: none
   */
  #afterMessage(context: Context, pieces: readonly Uint8Array[], before: number): Buffer | null {
    if (!context.ended) {
      if (this.#agreement.resetInflate) context.stream.reset();
      return null;
    }
    context.close();
    this.#context = null;
    const rest = Buffer.concat(pieces).subarray(context.stream.bytesWritten - before);
    return rest.equals(PADDED_TAIL) || rest.length <= TAIL.length ? null : rest;
  }

  #letGo(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }
}
