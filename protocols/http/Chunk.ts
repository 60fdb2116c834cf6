import { type Body, byteSize, joinBody, toBody } from './body.js';

/** One chunk of RFC 9112 7.1: size in lower-case hexadecimal, CRLF, the bytes, CRLF. No bytes make the last chunk. */
export function encodeChunk(data: Body): string | Buffer {
  const size = `${byteSize(data).toString(16)}\r\n`;
  if (typeof data === 'string') return `${size}${data}\r\n`;
  const bytes = joinBody(size, data);
  return typeof bytes === 'string' ? `${bytes}\r\n` : Buffer.concat([bytes, CRLF]);
}

const CRLF = Buffer.from('\r\n');

/**
 * A piece of a response that was begun with a `Transfer-Encoding: chunked` header:
 *
 *     connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }));
 *     connection.send(new Chunk('part'));
 *     connection.send(new Chunk(''));      // ends the response
 */
export class Chunk {
  /** The piece itself, without its framing. */
  readonly data: Body;
  #text: string | Buffer | null = null;

  /**
   * @param data text (sent as UTF-8) or bytes; the empty chunk ends the response. Other scalars are converted.
   * @throws TypeError `WM_BAD_DATA` for arrays and plain objects.
   */
  constructor(data: Body) {
    this.data = toBody(data);
  }

  /** The chunk as it goes to the wire. Text is put into its form once; bytes may have been changed since. */
  toBytes(): string | Buffer {
    if (typeof this.data !== 'string') return encodeChunk(this.data);
    return (this.#text ??= encodeChunk(this.data));
  }

  /** The chunk as text; bytes that are not UTF-8 become U+FFFD, so {@link toBytes} is what is sent. */
  toString(): string {
    return this.toBytes().toString();
  }
}
