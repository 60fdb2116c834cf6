import { HEADER_LIMIT } from '../http/parse/head.js';
import { PayloadBuffer } from './PayloadBuffer.js';

const EMPTY_LINE = '\r\n\r\n';

/**
 * Takes the head of a handshake off the front of the input. Its bytes are collected here, so that the connection's
 * limit for packages does not apply to a head that comes in pieces.
 */
export class HeadReader {
  /** The head, complete with its empty line, once {@link read} has said so. Memory of its own. */
  head: Buffer = Buffer.alloc(0);
  readonly #collected: PayloadBuffer = new PayloadBuffer();

  /** What there is of the head. */
  get bytes(): Buffer {
    return this.#collected.memory.subarray(0, this.#collected.length);
  }

  /**
   * The next bytes of the input.
   *
   * @returns how many of them belong to the head, and are taken: fewer than there are means that it is complete
   */
  read(buffer: Buffer): { used: number; state: 'more' | 'complete' | 'too long' } {
    const collected = this.#collected;
    const before = collected.length;
    const room = HEADER_LIMIT + EMPTY_LINE.length - 1 - before;
    collected.append(buffer, 0, Math.min(buffer.length, room), 0, false);
    const { bytes } = this;
    const end = bytes.indexOf(EMPTY_LINE, Math.max(0, before - EMPTY_LINE.length + 1));
    if (end < 0) return { used: bytes.length - before, state: bytes.length >= HEADER_LIMIT ? 'too long' : 'more' };
    const length = end + EMPTY_LINE.length;
    this.head = Buffer.from(bytes.subarray(0, length));
    collected.clear();
    return { used: length - before, state: 'complete' };
  }
}
