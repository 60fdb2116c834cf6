import { isUtf8 } from 'node:buffer';
import { applyMask, copyUnmasked, SCRATCH, unmaskToScratch } from './mask.js';
import { PayloadBuffer } from './PayloadBuffer.js';
import { Utf8Validator } from './utf8.js';
import {
  BINARY,
  CLOSE,
  CLOSE_CODES,
  CONTINUATION,
  CONTROL_LIMIT,
  FIN,
  LENGTH,
  LENGTH_16,
  LENGTH_64,
  MASKED,
  OPCODE,
  PONG,
  RSV1,
  RSV2,
  RSV3,
  TEXT,
  type FailCode,
} from './wire.js';

/** What {@link FrameReader.read} has come to. */
export const STEP = {
  /** The bytes are used up, except for what is left behind `at`. */
  MORE: 0,
  /** A data message is complete. */
  MESSAGE: 1,
  /** A control frame is complete. */
  CONTROL: 2,
  /** The peer has broken a rule; nothing may be read any more. */
  FAILED: 3,
} as const;

export type Step = (typeof STEP)[keyof typeof STEP];

/** States of the reader, by what the next byte belongs to (RFC 6455 section 5.2). */
const FRAME_HEADER = 0;
const PAYLOAD_DATA = 1;

const NOTHING = Buffer.alloc(0);

/**
 * Reads the frames of one peer and puts messages together (RFC 6455 section 5), for both roles: they differ in the
 * mask bit only. Broken rules are noticed with the first byte that breaks them, as soon as the two bytes that every
 * frame begins with are there; text that is no UTF-8 also inside a frame that is still incomplete.
 *
 * Payload is taken as it comes, so that what stays behind in the caller's buffer is never more than a frame header or
 * a control frame. A message that is one whole frame in the caller's buffer is decoded right from there.
 */
export class FrameReader {
  /** permessage-deflate was agreed on: RSV1 is allowed on the first frame of a message. */
  compression = false;

  /** Offset behind the last byte that was read. */
  at = 0;
  /** Offset at which the last piece of the frame begins that {@link read} has returned for. */
  start = 0;

  /** After MESSAGE: it is text, otherwise bytes. */
  isText = false;
  /** After MESSAGE: {@link payload} is still compressed, and its text not checked. */
  compressed = false;
  /** After MESSAGE, when not compressed: text or the user's own bytes. Taken by {@link takeMessage}. */
  #message: string | Buffer = '';
  /** After CONTROL: 8 to 10. */
  opcode = 0;
  /** After CONTROL, or MESSAGE when compressed. */
  payload: Buffer = NOTHING;
  /** After FAILED: why. */
  failure: FailCode = CLOSE_CODES.PROTOCOL_ERROR;

  readonly #maskBit: number;
  #state: typeof FRAME_HEADER | typeof PAYLOAD_DATA = FRAME_HEADER;

  // ---- the frame under way
  #last = false;
  #key = 0;
  #remaining = 0;
  /** Bytes of its payload that were read. */
  #read = 0;

  // ---- the message under way
  /** TEXT, BINARY, or CONTINUATION: none. */
  #kind = CONTINUATION;
  readonly #collected: PayloadBuffer = new PayloadBuffer();
  readonly #text: Utf8Validator = new Utf8Validator();

  /** @param masked true on a server: every frame of a client is masked, and none of a server (section 5.1). */
  constructor(masked: boolean) {
    this.#maskBit = masked ? MASKED : 0;
  }

  /**
   * Reads on.
   *
   * @param buffer bytes that were not read yet, from `from` on. They are not changed.
   * @param limit longest message in bytes: its payload so far and the next frame with its header
   */
  read(buffer: Buffer, from: number, limit: number): Step {
    this.at = from;
    for (;;) {
      this.start = this.at;
      let step: Step | null = this.#state === FRAME_HEADER ? this.#frameHeader(buffer, limit) : null;
      if (step === null) step = this.#payloadData(buffer);
      if (step !== null) return step;
    }
  }

  /**
   * A message of one short masked frame, all of which is there, without a step in between: what nearly all messages of
   * browsers are. Undefined for everything else, wrong frames included: {@link read} deals with those.
   *
   * @param memory it is written anew after the call; the message keeps nothing of it
   */
  readWhole(memory: Buffer, from: number, to: number, limit: number): string | Buffer | undefined {
    if (this.#state !== FRAME_HEADER || this.#kind !== CONTINUATION || this.#maskBit === 0 || to - from < 6) return undefined;
    const first = memory[from]!;
    const second = memory[from + 1]!;
    if ((first !== (FIN | TEXT) && first !== (FIN | BINARY)) || (second & MASKED) === 0) return undefined;
    let length = second & LENGTH;
    let start = from + 6;
    if (length === LENGTH_64) return undefined;
    if (length === LENGTH_16) {
      length = (memory[from + 2]! << 8) | memory[from + 3]!;
      start = from + 8;
    }
    const end = start + length;
    if (end > to || end - from > limit) return undefined;
    const key = memory.readInt32LE(start - 4);
    const message = first === (FIN | TEXT) ? maskedTextOf(memory, start, end, key) : unmasked(memory, start, end, key);
    if (message === null) return undefined;
    this.at = end;
    return message;
  }

  /** The message, once. */
  takeMessage(): string | Buffer {
    const message = this.#message;
    this.#message = '';
    return message;
  }

  /** Lets go of everything collected. */
  clear(): void {
    this.#collected.clear();
    this.#message = '';
    this.payload = NOTHING;
  }

  /** The header of the next frame. @returns null: a data frame follows */
  #frameHeader(buffer: Buffer, limit: number): Step | null {
    const from = this.at;
    const available = buffer.length - from;
    if (available < 2) return STEP.MORE;
    const first = buffer[from]!;
    const second = buffer[from + 1]!;
    if (!this.#isAllowed(first, second)) return this.#fail(CLOSE_CODES.PROTOCOL_ERROR);
    let length = second & LENGTH;
    let header = 2;
    if (length === LENGTH_16) {
      if (available < 4) return STEP.MORE;
      length = (buffer[from + 2]! << 8) | buffer[from + 3]!;
      header = 4;
    } else if (length === LENGTH_64) {
      if (available < 10) return STEP.MORE;
      if (buffer[from + 2]! >= 0x80) return this.#fail(CLOSE_CODES.PROTOCOL_ERROR);
      length = buffer.readUInt32BE(from + 2) * 2 ** 32 + buffer.readUInt32BE(from + 6);
      header = 10;
    }
    const keyAt = from + header;
    if (this.#maskBit !== 0) header += 4;
    const opcode = first & OPCODE;
    const before = opcode >= CLOSE ? 0 : this.#collected.length;
    if (before + header + length > limit || length > Number.MAX_SAFE_INTEGER) return this.#fail(CLOSE_CODES.TOO_BIG);
    if (available < header) return STEP.MORE;
    const key = this.#maskBit === 0 ? 0 : buffer.readInt32LE(keyAt);
    if (opcode >= CLOSE) return this.#controlFrame(buffer, opcode, from + header, length, key);
    if (opcode !== CONTINUATION) {
      this.#kind = opcode;
      this.compressed = (first & RSV1) !== 0;
    }
    this.#last = (first & FIN) !== 0;
    this.#key = key;
    this.#remaining = length;
    this.#read = 0;
    this.#state = PAYLOAD_DATA;
    this.at = from + header;
    return null;
  }

  /** What the first two bytes of a frame have to obey (sections 5.1, 5.2, 5.4 and 5.5). */
  #isAllowed(first: number, second: number): boolean {
    if ((first & (RSV2 | RSV3)) !== 0 || (second & MASKED) !== this.#maskBit) return false;
    const opcode = first & OPCODE;
    const inMessage = this.#kind !== CONTINUATION;
    if (opcode >= CLOSE) {
      return opcode <= PONG && (first & (FIN | RSV1)) === FIN && (second & LENGTH) <= CONTROL_LIMIT;
    }
    if (opcode === CONTINUATION) return inMessage && (first & RSV1) === 0;
    return opcode <= BINARY && !inMessage && (this.compression || (first & RSV1) === 0);
  }

  #controlFrame(buffer: Buffer, opcode: number, from: number, length: number, key: number): Step {
    const to = from + length;
    if (to > buffer.length) return STEP.MORE;
    const payload = Buffer.allocUnsafe(length);
    copyUnmasked(buffer, from, to, key, payload);
    this.opcode = opcode;
    this.payload = payload;
    this.at = to;
    return STEP.CONTROL;
  }

  /** @returns null: the frame is over and the message is not */
  #payloadData(buffer: Buffer): Step | null {
    const from = this.at;
    const available = buffer.length - from;
    const collected = this.#collected;
    if (available >= this.#remaining && this.#last && this.#isAlone()) return this.#wholeMessage(buffer, from);
    const count = Math.min(available, this.#remaining);
    const to = from + count;
    const begun = collected.length;
    collected.append(buffer, from, to, this.#remaining - count, this.#last);
    applyMask(collected.memory, begun, begun + count, this.#key, this.#read);
    this.at = to;
    this.#read += count;
    this.#remaining -= count;
    const checked = this.#kind === TEXT && !this.compressed;
    if (checked && !this.#text.push(collected.memory, begun, begun + count))
      return this.#fail(CLOSE_CODES.INVALID_PAYLOAD);
    if (this.#remaining > 0) return STEP.MORE;
    this.#state = FRAME_HEADER;
    if (!this.#last) return null;
    if (checked && !this.#text.complete) return this.#fail(CLOSE_CODES.INVALID_PAYLOAD);
    return this.#messageDone();
  }

  /** True when the frame under way holds all of a message that needs no more than unmasking. */
  #isAlone(): boolean {
    return this.#read === 0 && this.#collected.length === 0 && !this.compressed;
  }

  #messageDone(): Step {
    const collected = this.#collected;
    this.isText = this.#kind === TEXT;
    this.#kind = CONTINUATION;
    if (this.compressed) {
      this.payload = collected.take();
    } else if (this.isText) {
      this.#message = collected.memory.toString('utf8', 0, collected.length);
      collected.clear();
    } else {
      this.#message = collected.take();
    }
    return STEP.MESSAGE;
  }

  /** A message of one frame that lies in the buffer. */
  #wholeMessage(buffer: Buffer, from: number): Step {
    const length = this.#remaining;
    const to = from + length;
    this.at = to;
    this.#state = FRAME_HEADER;
    this.isText = this.#kind === TEXT;
    this.#kind = CONTINUATION;
    if (!this.isText) {
      this.#message = this.#ownBytes(buffer, from, to);
      return STEP.MESSAGE;
    }
    const text = this.#maskBit === 0 ? textOf(buffer, from, to) : maskedTextOf(buffer, from, to, this.#key);
    if (text === null) return this.#fail(CLOSE_CODES.INVALID_PAYLOAD);
    this.#message = text;
    return STEP.MESSAGE;
  }

  /** The bytes for the user. What would keep much memory alive that is not its own is copied. */
  #ownBytes(buffer: Buffer, from: number, to: number): Buffer {
    const length = to - from;
    if (this.#maskBit === 0 && length * 2 >= buffer.buffer.byteLength) return buffer.subarray(from, to);
    return unmasked(buffer, from, to, this.#key);
  }

  #fail(code: FailCode): Step {
    this.failure = code;
    this.#collected.clear();
    return STEP.FAILED;
  }
}

function unmasked(buffer: Buffer, from: number, to: number, key: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  copyUnmasked(buffer, from, to, key, bytes);
  return bytes;
}

/** Null when it is no UTF-8. */
function textOf(bytes: Buffer, from: number, to: number): string | null {
  return isUtf8(bytes.subarray(from, to)) ? bytes.toString('utf8', from, to) : null;
}

/** As {@link textOf}; short texts need no memory of their own on the way. */
function maskedTextOf(bytes: Buffer, from: number, to: number, key: number): string | null {
  const length = to - from;
  if (length > SCRATCH.length) {
    const own = Buffer.allocUnsafeSlow(length);
    copyUnmasked(bytes, from, to, key, own);
    return textOf(own, 0, length);
  }
  if (unmaskToScratch(bytes, from, to, key)) return SCRATCH.toString('latin1', 0, length);
  return textOf(SCRATCH, 0, length);
}
