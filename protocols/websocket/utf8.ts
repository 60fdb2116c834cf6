import { isUtf8 } from 'node:buffer';

/** Below this many bytes a call into native code costs more than it saves. */
const NATIVE_FROM = 32;

/**
 * Checks text that arrives in pieces, and fails at the first byte that can not continue what came before it: no
 * overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629 section 4). `TextDecoder` is of no use here, because
 * it reports some of these one byte later or only at the end.
 */
export class Utf8Validator {
  /** Continuation bytes that the character under way still needs. */
  #missing = 0;
  /** What the next continuation byte may be: narrower only behind E0, ED, F0 and F4. */
  #low = 0x80;
  #high = 0xbf;

  /** True when the text may end here. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Back to the beginning of a text. */
  reset(): void {
    this.#missing = 0;
    this.#low = 0x80;
    this.#high = 0xbf;
  }

  /** The next piece of the text, `bytes[from..to)`. @returns false: no UTF-8, whatever may follow. */
  push(bytes: Uint8Array, from: number, to: number): boolean {
    let at = from;
    while (at < to && this.#missing > 0) if (!this.#accept(bytes[at++]!)) return false;
    if (to - at >= NATIVE_FROM) {
      const end = lastBoundary(bytes, to);
      if (!isUtf8(bytes.subarray(at, end))) return false;
      at = end;
    }
    while (at < to) if (!this.#accept(bytes[at++]!)) return false;
    return true;
  }

  #accept(byte: number): boolean {
    if (this.#missing > 0) {
      if (byte < this.#low || byte > this.#high) return false;
      this.#low = 0x80;
      this.#high = 0xbf;
      this.#missing--;
      return true;
    }
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#missing = sequenceLength(byte) - 1;
    if (byte === 0xe0) this.#low = 0xa0;
    else if (byte === 0xf0) this.#low = 0x90;
    else if (byte === 0xed) this.#high = 0x9f;
    else if (byte === 0xf4) this.#high = 0x8f;
    return true;
  }
}

/** Bytes of the character that begins with `lead`. */
function sequenceLength(lead: number): number {
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** The end of the last character that is whole before `to`; at least 3 bytes lie before `to`. */
function lastBoundary(bytes: Uint8Array, to: number): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[to - back]!;
    if (byte < 0x80) return to;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? to - back : to;
  }
  return to;
}
