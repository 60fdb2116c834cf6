import { HEADER_LIMIT, TEXT, TOKEN, lowerAscii, trimBlanks } from './head.js';
import type { Head } from './head.js';
import { beginRecord, endRecord } from './record.js';

/**
 * The chunked transfer coding of RFC 9112 section 7.1, for bodies that come in pieces:
 *
 *     chunked-body = *chunk last-chunk trailer-section CRLF
 *     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *
 * Framing is read byte by byte, data is skipped. What decides is only the sequence of the bytes up to
 * `maxPackageSize`, never how the network has cut it. No data is kept or copied before the message is complete, and
 * nothing is remembered per chunk: {@link dechunk} walks the framing, by then known to be right, once more. So a
 * million chunks of one byte cost no more memory than their own bytes.
 */

const CHUNK_SIZE = 0;
const CHUNK_EXT_NAME = 1;
const CHUNK_EXT_VALUE = 2;
const QUOTED_STRING = 3;
const QUOTED_PAIR = 4;
const AFTER_QUOTED_STRING = 5;
const CHUNK_SIZE_LF = 6;
const CHUNK_DATA = 7;
const CHUNK_DATA_CR = 8;
const CHUNK_DATA_LF = 9;
const TRAILER_START = 10;
const TRAILER_LINE = 11;
const TRAILER_LF = 12;
const FINAL_LF = 13;
const COMPLETE = 14;
const REFUSED = 15;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Sixteen digits with a first digit below 8 are what a signed 64-bit integer holds. */
const MAX_SIZE_DIGITS = 16;

/** Values of the hex digits in either case, -1 for every other byte. */
const HEX = Int8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[0-9a-fA-F]/.test(character) ? parseInt(character, 16) : -1;
});

/** What is known about a chunked message: more bytes are needed, it is complete, or it is refused with this status. */
export type ChunkedVerdict = 'more' | 'done' | 400 | 413;

/** The chunked body of one message, from its first to its last byte. */
export class ChunkedBody {
  #state = CHUNK_SIZE;
  /** Offset in the message of the buffer's first byte. */
  #base = 0;
  #at = 0;
  #stop = 0;
  #maxPackageSize = 0;
  #refusal: 400 | 413 = 400;
  #size = 0;
  #digits = 0;
  #topDigit = 0;
  /** Characters of the extension name or value so far; neither may be empty. */
  #tokenLength = 0;
  #start = -1;
  #dataLength = 0;
  #trailerStart = 0;
  /** Only {@link consume}: bytes of framing since the last data, and the trailer section as it came. */
  #framing = 0;
  #trailerParts: Buffer[] = [];

  /** Offset in the message at which the body begins. */
  get start(): number {
    return this.#start;
  }

  /** Offset in the message of the byte after the body, once it is complete; before that, how far it was read. */
  get end(): number {
    return this.#at;
  }

  /** Bytes of data in the chunks so far. */
  get dataLength(): number {
    return this.#dataLength;
  }

  /**
   * Reads on where the call before stopped.
   *
   * @param buffer All bytes received from the first byte of the message on, or from `base` on. It may be another Buffer
   * at each call, but what was read once must stay the same.
   * @param start Where the body begins (`head.length`); only the first call looks at it.
   * @param maxPackageSize Most bytes of head, framing, data and trailers together.
   * @param base Bytes of the message that are left out of `buffer`, at most {@link end}.
   * @returns `'more'` to wait, `'done'` when `end` is known. 413 as soon as the message, or the chunk that a size line
   * announces, passes `maxPackageSize`; 400 at the first byte that the grammar does not allow. A refusal is final.
   */
  advance(buffer: Buffer, start: number, maxPackageSize: number, base: number = 0): ChunkedVerdict {
    if (this.#start < 0) {
      this.#start = start;
      this.#at = start;
    }
    this.#base = base;
    this.#maxPackageSize = maxPackageSize;
    const length = base + buffer.length;
    this.#stop = Math.min(length, maxPackageSize);
    while (this.#at < this.#stop && this.#state < COMPLETE) this.#step(buffer);
    if (this.#state === COMPLETE) return 'done';
    if (this.#state === REFUSED) return this.#refusal;
    return length > maxPackageSize ? this.#refuse(413) : 'more';
  }

  /**
   * Reads on in a body that is not kept but handed on as it comes.
   *
   * @param chunk The bytes behind those of the call before. Offsets count from its start; {@link end} then says how many
   * of its bytes belong to the body.
   * @param onData Gets the data, as slices of `chunk`.
   * @returns As {@link advance}. The length of the data has no limit here; 413 is for more than 16 KiB of framing in a
   * row (extensions, trailers), and for a chunk beyond what a number can count.
   */
  consume(chunk: Buffer, onData: (data: Buffer) => void): ChunkedVerdict {
    this.#base = this.#at = 0;
    this.#stop = chunk.length;
    this.#maxPackageSize = Number.MAX_SAFE_INTEGER;
    this.#trailerStart = 0;
    while (this.#at < this.#stop && this.#state < COMPLETE) {
      const from = this.#at;
      const isData = this.#state === CHUNK_DATA;
      this.#step(chunk);
      if (isData) {
        this.#framing = 0;
        onData(chunk.subarray(from, this.#at));
      } else if ((this.#framing += this.#at - from) > HEADER_LIMIT) {
        this.#refuse(413);
      }
    }
    if (this.#state === REFUSED) return this.#refusal;
    if (this.#state >= TRAILER_START) this.#trailerParts.push(Buffer.from(chunk.subarray(this.#trailerStart, this.#at)));
    return this.#state === COMPLETE ? 'done' : 'more';
  }

  /** {@link trailers} of a body that was read by {@link consume}. */
  consumedTrailers(): Record<string, string> {
    const section = Buffer.concat(this.#trailerParts);
    return parseTrailers(this.#state === COMPLETE ? section.toString('utf8', 0, section.length - 2) : '');
  }

  /**
   * The trailer fields of a complete body: names in lower case, values without the white space around them, the last
   * of several with one name, lines without a colon left out. The object has no prototype.
   */
  trailers(buffer: Buffer): Record<string, string> {
    return parseTrailers(this.#state === COMPLETE ? buffer.toString('utf8', this.#trailerStart, this.#at - 2) : '');
  }

  /** Reads at least one byte, or refuses it. */
  #step(buffer: Buffer): void {
    const byte = buffer[this.#at - this.#base]!;
    switch (this.#state) {
      case CHUNK_SIZE: return this.#chunkSize(byte);
      case CHUNK_EXT_NAME: return this.#chunkExtName(buffer);
      case CHUNK_EXT_VALUE: return this.#chunkExtValue(buffer);
      case QUOTED_STRING: return this.#quotedString(byte);
      case QUOTED_PAIR: return this.#quotedPair(byte);
      case AFTER_QUOTED_STRING: return this.#afterChunkExt(byte);
      case CHUNK_SIZE_LF: return this.#chunkSizeLf(byte);
      case CHUNK_DATA: return this.#chunkData();
      case CHUNK_DATA_CR: return this.#expect(byte, CR, CHUNK_DATA_LF);
      case CHUNK_DATA_LF: return this.#expect(byte, LF, CHUNK_SIZE);
      case TRAILER_START: return this.#trailerStartByte(byte);
      case TRAILER_LINE: return this.#trailerLine(buffer);
      case TRAILER_LF: return this.#expect(byte, LF, TRAILER_START);
      case FINAL_LF: return this.#expect(byte, LF, COMPLETE);
    }
  }

  #chunkSize(byte: number): void {
    const digit = HEX[byte]!;
    if (digit < 0) {
      if (this.#digits === 0) this.#refuse(400);
      else this.#afterChunkExt(byte);
      return;
    }
    if (this.#digits === 0) this.#topDigit = digit;
    this.#digits++;
    this.#size = this.#size * 16 + digit;
    if (this.#digits > MAX_SIZE_DIGITS || (this.#digits === MAX_SIZE_DIGITS && this.#topDigit >= 8)) this.#refuse(400);
    else this.#at++;
  }

  /** After the size, or after one whole extension: another extension or the end of the line. */
  #afterChunkExt(byte: number): void {
    if (byte === CR) {
      this.#enter(CHUNK_SIZE_LF);
    } else if (byte === SEMICOLON) {
      this.#tokenLength = 0;
      this.#enter(CHUNK_EXT_NAME);
    } else {
      this.#refuse(400);
    }
  }

  #chunkExtName(buffer: Buffer): void {
    if (this.#token(buffer)) return;
    const byte = buffer[this.#at - this.#base]!;
    if (this.#tokenLength === 0) {
      this.#refuse(400);
    } else if (byte === EQUALS) {
      this.#tokenLength = 0;
      this.#enter(CHUNK_EXT_VALUE);
    } else {
      this.#afterChunkExt(byte);
    }
  }

  #chunkExtValue(buffer: Buffer): void {
    if (this.#token(buffer)) return;
    const byte = buffer[this.#at - this.#base]!;
    if (this.#tokenLength > 0) {
      this.#afterChunkExt(byte);
    } else if (byte === QUOTE) {
      this.#enter(QUOTED_STRING);
    } else {
      this.#refuse(400);
    }
  }

  /** Reads token characters; true when nothing else is there yet. */
  #token(buffer: Buffer): boolean {
    const base = this.#base;
    let at = this.#at;
    while (at < this.#stop && TOKEN[buffer[at - base]!]) at++;
    this.#tokenLength += at - this.#at;
    this.#at = at;
    return at === this.#stop;
  }

  #quotedString(byte: number): void {
    if (byte === QUOTE) this.#enter(AFTER_QUOTED_STRING);
    else if (byte === BACKSLASH) this.#enter(QUOTED_PAIR);
    else if (TEXT[byte]) this.#at++;
    else this.#refuse(400);
  }

  #quotedPair(byte: number): void {
    if (TEXT[byte]) this.#enter(QUOTED_STRING);
    else this.#refuse(400);
  }

  #chunkSizeLf(byte: number): void {
    if (byte !== LF) {
      this.#refuse(400);
      return;
    }
    this.#at++;
    this.#digits = 0;
    if (this.#size === 0) {
      this.#trailerStart = this.#at;
      this.#state = TRAILER_START;
    } else if (this.#at + this.#size > this.#maxPackageSize) {
      this.#refuse(413);
    } else {
      this.#dataLength += this.#size;
      this.#state = CHUNK_DATA;
    }
  }

  /** Skips what is there of the chunk; `#size` is then what is missing. */
  #chunkData(): void {
    const there = Math.min(this.#size, this.#stop - this.#at);
    this.#at += there;
    this.#size -= there;
    if (this.#size === 0) this.#state = CHUNK_DATA_CR;
  }

  #trailerStartByte(byte: number): void {
    if (byte === CR) this.#enter(FINAL_LF);
    else if (TEXT[byte]) this.#enter(TRAILER_LINE);
    else this.#refuse(400);
  }

  #trailerLine(buffer: Buffer): void {
    const base = this.#base;
    let at = this.#at;
    while (at < this.#stop && TEXT[buffer[at - base]!]) at++;
    this.#at = at;
    if (at < this.#stop) this.#expect(buffer[at - base]!, CR, TRAILER_LF);
  }

  #expect(byte: number, wanted: number, next: number): void {
    if (byte === wanted) this.#enter(next);
    else this.#refuse(400);
  }

  /** The byte belongs to what is being read; go on with the next one in `state`. */
  #enter(state: number): void {
    this.#at++;
    this.#state = state;
  }

  #refuse(status: 400 | 413): 400 | 413 {
    this.#state = REFUSED;
    this.#refusal = status;
    return status;
  }
}

function parseTrailers(text: string): Record<string, string> {
  const trailers = beginRecord<string>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    const line = text.slice(at, end);
    const colon = line.indexOf(':');
    if (colon >= 0) trailers[lowerAscii(line.slice(0, colon))] = trimBlanks(line, colon + 1, line.length);
    at = end + 2;
  }
  return endRecord(trailers);
}

/**
 * The message as the application sees it: the head without its Transfer-Encoding line and with the length of the data
 * in a `Content-Length` line at the end, then the data in one piece. Always a copy.
 *
 * @param buffer The whole message as received.
 * @param body Its body, complete.
 */
export function dechunk(buffer: Buffer, head: Head, body: ChunkedBody): Buffer {
  const lengthLine = contentLengthLine(body);
  const message = Buffer.allocUnsafe(decodedHeadLength(head, lengthLine) + body.dataLength);
  let to = buffer.copy(message, 0, 0, head.codingStart);
  to += buffer.copy(message, to, head.codingEnd, head.length - 2);
  to += message.write(`${lengthLine}\r\n`, to, 'latin1');
  let at = body.start;
  for (;;) {
    let size = 0;
    for (let digit = HEX[buffer[at]!]!; digit >= 0; digit = HEX[buffer[++at]!]!) size = size * 16 + digit;
    if (size === 0) return message;
    while (buffer[at++] !== LF);
    to += buffer.copy(message, to, at, at + size);
    at += size + 2;
  }
}

/** The head of the message that {@link dechunk} builds. */
export function dechunkedHead(head: Head, body: ChunkedBody): Head {
  return {
    ...head,
    length: decodedHeadLength(head, contentLengthLine(body)),
    contentLength: body.dataLength,
    chunked: false,
    codingStart: -1,
    known: null,
    codingEnd: -1,
  };
}

/** The head alone of a chunked message, without its Transfer-Encoding line: the body is decoded while it is read. */
export function withoutCoding(buffer: Buffer, head: Head): { bytes: Buffer; head: Head } {
  const bytes = Buffer.concat([buffer.subarray(0, head.codingStart), buffer.subarray(head.codingEnd, head.length)]);
  return { bytes, head: { ...head, length: bytes.length, chunked: false, codingStart: -1, codingEnd: -1, known: null } };
}

function contentLengthLine(body: ChunkedBody): string {
  return `Content-Length: ${body.dataLength}\r\n`;
}

function decodedHeadLength(head: Head, lengthLine: string): number {
  return head.length - (head.codingEnd - head.codingStart) + lengthLine.length;
}
