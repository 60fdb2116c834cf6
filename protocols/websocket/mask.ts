/**
 * Masking and unmasking of payloads (RFC 6455 section 5.3): the same operation. A key is a 32-bit integer whose lowest
 * byte is the first byte of the key on the wire.
 */

/** Below this many bytes a plain loop is quicker than making a view of words. */
const WORDS_FROM = 64;

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

const swapped = (word: number): number =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);

/** The key for bytes that begin `by` bytes further on in the payload. */
export function rotateKey(key: number, by: number): number {
  const bits = (by & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/**
 * Masks `bytes[from..to)` in place.
 *
 * @param offset how many bytes of the same payload lie before `from`
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, key: number, offset = 0): void {
  if (key === 0) return;
  let turned = rotateKey(key, offset);
  if (to - from >= WORDS_FROM) {
    const first = from + ((4 - ((bytes.byteOffset + from) & 3)) & 3);
    const words = (to - first) >> 2;
    applyBytes(bytes, from, first, turned);
    turned = rotateKey(turned, first - from);
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + first, words);
    applyWords(view, words, LITTLE_ENDIAN ? turned : swapped(turned));
    from = first + words * 4;
  }
  applyBytes(bytes, from, to, turned);
}

function applyBytes(bytes: Uint8Array, from: number, to: number, key: number): void {
  for (let i = from; i < to; i++) {
    bytes[i]! ^= key;
    key = (key >>> 8) | (key << 24);
  }
}

/** @returns all resulting words or-ed together */
function applyWords(words: Int32Array, count: number, key: number): number {
  const fours = count & ~3;
  let seen = 0;
  let i = 0;
  for (; i < fours; i += 4) {
    const a = words[i]! ^ key;
    const b = words[i + 1]! ^ key;
    const c = words[i + 2]! ^ key;
    const d = words[i + 3]! ^ key;
    words[i] = a;
    words[i + 1] = b;
    words[i + 2] = c;
    words[i + 3] = d;
    seen |= a | b | c | d;
  }
  for (; i < count; i++) seen |= words[i]! ^= key;
  return seen;
}

/** Copies `source[from..to)` to the beginning of `target` and unmasks it on the way. */
export function copyUnmasked(source: Uint8Array, from: number, to: number, key: number, target: Uint8Array): void {
  const count = to - from;
  if (count >= WORDS_FROM) {
    target.set(source.subarray(from, to));
    applyMask(target, 0, count, key);
    return;
  }
  for (let i = 0; i < count; i++) {
    target[i] = source[from + i]! ^ key;
    key = (key >>> 8) | (key << 24);
  }
}

/** Where {@link unmaskToScratch} puts its result. Read it before anything else is unmasked. */
export const SCRATCH: Buffer = Buffer.allocUnsafeSlow(65_536);
const SCRATCH_WORDS = new Int32Array(SCRATCH.buffer, 0, SCRATCH.length / 4);
const NOT_ASCII = 0x80808080 | 0;

/**
 * Unmasks at most so many bytes as {@link SCRATCH} has, to its beginning.
 *
 * @returns true when all of them are ASCII
 */
export function unmaskToScratch(source: Uint8Array, from: number, to: number, key: number): boolean {
  const count = to - from;
  let at = 0;
  let seen = 0;
  if (count >= WORDS_FROM) {
    SCRATCH.set(source.subarray(from, to));
    const words = count >> 2;
    seen = applyWords(SCRATCH_WORDS, words, LITTLE_ENDIAN ? key : swapped(key)) & NOT_ASCII;
    at = words << 2;
  }
  for (; at < count; at++) {
    const byte = (source[from + at]! ^ key) & 0xff;
    SCRATCH[at] = byte;
    seen |= byte & 0x80;
    key = (key >>> 8) | (key << 24);
  }
  return seen === 0;
}

/** Keys are drawn from the generator in bulk: one call into native code for so many. */
const POOL = new Int32Array(1024);
let left = 0;

/** A fresh, unpredictable key, as a client needs one for each frame (section 10.3). */
export function randomKey(): number {
  if (left === 0) {
    process.getBuiltinModule('node:crypto').randomFillSync(POOL);
    left = POOL.length;
  }
  return POOL[--left]!;
}
