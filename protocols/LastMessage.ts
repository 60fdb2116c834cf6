import type { Bytes } from './ProtocolInterface.js';

/** Messages up to this many characters or bytes are remembered: what a fan-out repeats is small, and one is kept. */
const LONGEST = 65_536;

/**
 * The message that was encoded last, so that one which goes to many connections is encoded once, whoever loops over them.
 * Its memory is shared: nobody may write to it.
 */
export class LastMessage {
  #payload: Bytes | null = null;
  #kind = 0;
  #encoded: Buffer = Buffer.alloc(0);
  #offset = 0;

  /**
   * What came of this payload, or null when it is not the last one. Bytes may have been changed by their owner since:
   * they are the same when they are the same object and still what was encoded.
   *
   * @param kind payloads of different kinds are different messages
   */
  get(payload: Bytes, kind: number): Buffer | null {
    if (payload !== this.#payload || kind !== this.#kind) return null;
    if (typeof payload === 'string') return this.#encoded;
    return this.#encoded.subarray(this.#offset).equals(payload) ? this.#encoded : null;
  }

  /** Remembers a message. @param offset from where on `encoded` is the payload @returns `encoded` */
  set(payload: Bytes, kind: number, encoded: Buffer, offset: number): Buffer {
    if (payload.length > LONGEST) return encoded;
    this.#payload = payload;
    this.#kind = kind;
    this.#encoded = encoded;
    this.#offset = offset;
    return encoded;
  }
}
