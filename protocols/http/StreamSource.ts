import type { ByteSource } from '../../connection/SendQueue.js';
import { pieceBytes, type Producer } from './streamBody.js';

/** How the pieces of a stream become bytes of the answer. */
export interface Framing {
  /** Each piece is a chunk (RFC 9112 section 7.1), and an empty one ends the body. */
  readonly chunked: boolean;
  /** Bytes that the head has announced, -1 for none: the stream has to keep to them. */
  readonly length: number;
}

/**
 * A head that is written when it is known whether the whole body is: what a stream gives within one turn of the event
 * loop goes out in one piece with its length, as if it had been a text.
 */
export interface OpenHead {
  /** With the length of the whole body, or -1 to announce chunks. */
  write(length: number): string;
}

/** Pieces after which the event loop gets a turn, however fast producer and client are. */
const PIECES_PER_TURN = 64;

/** Most bytes that wait for a head to be written. */
const HEAD_WAITS_FOR = 65_536;

const CRLF = '\r\n';
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * The body of an answer that is made while it is sent. The producer is asked for a piece only when the one before has
 * gone to the operating system, so a slow client slows it down and nothing piles up. When the client leaves, the producer
 * is told; when the producer fails, the connection is cut, so that no client takes a part for the whole.
 */
export class StreamSource implements ByteSource {
  readonly #producer: Producer;
  readonly #framing: Framing;
  readonly #onDone: () => void;
  #head: OpenHead | null;
  #held: Uint8Array[] = [];
  #sent = 0;
  #pieces = 0;
  #ready: Uint8Array | null = null;
  #failure: unknown = null;
  #hasFailed = false;
  #isAsked = false;
  #isOver = false;
  #isDone = false;
  #wake: (() => void) | null = null;

  /**
   * @param onDone the last byte has gone to the operating system
   * @param head null when the head was sent before
   */
  constructor(producer: Producer, framing: Framing, onDone: () => void, head: OpenHead | null = null) {
    this.#producer = producer;
    this.#framing = framing;
    this.#onDone = onDone;
    this.#head = head;
  }

  /** @throws what the producer has thrown */
  read(wake: () => void): Uint8Array | null | undefined {
    if (this.#hasFailed) throw this.#failure;
    const ready = this.#ready;
    if (ready !== null) {
      this.#ready = null;
      return ready;
    }
    if (this.#isOver) {
      this.#isDone = true;
      return undefined;
    }
    this.#wake = wake;
    this.#ask();
    if (this.#head !== null) setImmediate(() => this.#closeHead(-1));
    return null;
  }

  cancel(): void {
    this.#wake = null;
    this.#ready = null;
    this.#held = [];
    if (this.#isDone) {
      this.#onDone();
      return;
    }
    if (!this.#isOver && !this.#hasFailed) this.#producer.cancel(new Error('The client is gone'));
    this.#isOver = true;
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    if (++this.#pieces % PIECES_PER_TURN === 0) setImmediate(() => this.#askNow());
    else this.#askNow();
  }

  #askNow(): void {
    if (this.#isOver) return;
    let next: Promise<IteratorResult<unknown, unknown>>;
    try {
      next = this.#producer.next();
    } catch (error) {
      next = Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    next.then((result) => this.#onNext(result), (error: unknown) => this.#fail(error));
  }

  #onNext(result: IteratorResult<unknown, unknown>): void {
    this.#isAsked = false;
    if (this.#isOver) return;
    if (result.done === true) {
      this.#end();
      return;
    }
    let piece: Uint8Array;
    try {
      piece = this.#count(pieceBytes(result.value));
    } catch (error) {
      this.#producer.cancel(error as Error);
      this.#fail(error);
      return;
    }
    // An empty chunk would be the last.
    if (piece.length === 0) this.#ask();
    else this.#accept(piece);
  }

  #accept(piece: Uint8Array): void {
    if (this.#head === null) {
      this.#give(this.#framing.chunked ? chunk([piece], piece.length) : piece);
      return;
    }
    this.#held.push(piece);
    if (this.#sent > HEAD_WAITS_FOR) this.#closeHead(-1);
    else this.#ask();
  }

  #count(piece: Uint8Array): Uint8Array {
    this.#sent += piece.length;
    const { length } = this.#framing;
    if (length < 0 || this.#sent <= length) return piece;
    throw new Error(`The stream is longer than its Content-Length of ${length}`);
  }

  #end(): void {
    const { length, chunked } = this.#framing;
    if (this.#sent < length) {
      this.#fail(new Error(`The stream ended ${length - this.#sent} bytes before its Content-Length`));
      return;
    }
    this.#isOver = true;
    if (this.#head !== null) this.#closeHead(this.#sent);
    else if (chunked) this.#give(LAST_CHUNK);
    else this.#give(null);
  }

  /** Writes the head, and what has been held back for it. */
  #closeHead(length: number): void {
    const head = this.#head;
    if (head === null || this.#hasFailed || (this.#isOver && length < 0)) return;
    this.#head = null;
    const held = this.#held;
    this.#held = [];
    const bytes = [Buffer.from(head.write(length)), ...(length < 0 && held.length > 0 ? [chunk(held, this.#sent)] : held)];
    this.#give(Buffer.concat(bytes));
  }

  #give(bytes: Uint8Array | null): void {
    this.#ready = bytes;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #fail(error: unknown): void {
    this.#isAsked = false;
    if (this.#isOver) return;
    this.#hasFailed = true;
    this.#failure = error;
    this.#give(null);
  }
}

/** The pieces as one chunk. */
function chunk(pieces: readonly Uint8Array[], length: number): Buffer {
  return Buffer.concat([Buffer.from(length.toString(16) + CRLF), ...pieces, Buffer.from(CRLF)]);
}
