import { isUint8Array } from 'node:util/types';
import { type Body, toBody } from './body.js';
import { Chunk } from './Chunk.js';

/**
 * A body that comes into being while it is sent: an async generator, a Node `Readable`, a web `ReadableStream`. Its
 * pieces are text, bytes, or objects with a text of their own such as `ServerSentEvents`.
 */
export type StreamBody = AsyncIterable<unknown> | ReadableStream<unknown>;

/** A source of pieces, whatever it is made of. */
export interface Producer {
  /** The next piece. Asked again only when the one before has come. */
  next(): Promise<IteratorResult<unknown, unknown>>;
  /** No more pieces are wanted. Not called after the last one, nor after a failure. */
  cancel(reason: Error): void;
}

interface NodeReadable extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

const ignore = (): void => {};

/** True for what can be sent as a stream. */
export function isStreamBody(value: unknown): value is StreamBody {
  return typeof value === 'object' && value !== null && (isWebStream(value) || Symbol.asyncIterator in value);
}

const isWebStream = (value: object): value is ReadableStream<unknown> =>
  typeof (value as { getReader?: unknown }).getReader === 'function';

const isReadable = (value: object): value is NodeReadable =>
  typeof (value as { pipe?: unknown }).pipe === 'function' && typeof (value as { destroy?: unknown }).destroy === 'function';

/**
 * Takes a stream over.
 * @throws TypeError when it is a web stream that somebody else reads
 */
export function produce(stream: StreamBody): Producer {
  return isWebStream(stream) ? webProducer(stream) : iterableProducer(stream);
}

function webProducer(stream: ReadableStream<unknown>): Producer {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown, unknown>>,
    cancel(reason) {
      reader.cancel(reason).catch(ignore);
    },
  };
}

function iterableProducer(stream: AsyncIterable<unknown>): Producer {
  // A file that can not be opened says so at once, which may be long before it is asked for its first piece. The
  // iterator remembers the error; without a listener it would end the process.
  if (isReadable(stream)) stream.on('error', ignore);
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => Promise.resolve(iterator.next()),
    cancel() {
      // The iterator of a Readable destroys it only when it has begun.
      if (isReadable(stream)) stream.destroy();
      try {
        Promise.resolve(iterator.return?.()).catch(ignore);
      } catch {
        // It was told.
      }
    },
  };
}

/**
 * The bytes of a piece.
 * @throws TypeError `WM_BAD_DATA` for what is neither text nor bytes nor has a text of its own
 */
export function pieceBytes(piece: unknown): Uint8Array {
  if (isUint8Array(piece)) return piece;
  const body: Body = piece instanceof Chunk ? piece.data : toBody(piece);
  return typeof body === 'string' ? Buffer.from(body) : body;
}
