import { type BodyKind, bodyKindOf } from './bodyKind.js';
import { findEmptyLine, type Head, lowerAscii, parseFields, parseHead } from './head.js';

/**
 * Heads that have come before, by their exact bytes.
 *
 * A client on a kept connection sends the same head over and over, and most clients of a service send one of a few. What
 * parsing such a head gives depends on nothing but its bytes and is never changed, so it can be used again whoever sends
 * it: nothing of one client reaches another but the time that it takes.
 *
 * Bounded: two generations of so many heads, none of them long. A flood of heads that never come again turns the
 * generations over and displaces what was useful, which costs the others one parsing each.
 */

const GENERATION = 256;
const LONGEST = 2048;

/** Up to so many bytes are compared one by one where they do not lie on a word; a call into native code costs more. */
const FEW_BYTES = 192;

let young = new Map<string, KnownHead>();
let old = new Map<string, KnownHead>();

/** A head that is kept for the next time it comes. */
export class KnownHead {
  readonly head: Head;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #fields: Readonly<Record<string, string>> | null = null;
  #bodyKind: BodyKind | null = null;

  constructor(bytes: Buffer, head: Head) {
    this.head = { ...head, known: this };
    const memory = new ArrayBuffer((bytes.length + 3) & ~3);
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory, 0, bytes.length);
    this.#bytes.set(bytes);
  }

  /** True when exactly these bytes begin at `from`. */
  isAt(buffer: Buffer, from: number, to: number): boolean {
    const bytes = this.#bytes;
    const { length } = bytes;
    if (to - from < length) return false;
    if (from === 0 && buffer.byteOffset % 4 === 0) return this.#isAtStart(buffer);
    if (length > FEW_BYTES) return buffer.compare(bytes, 0, length, from, from + length) === 0;
    for (let i = 0; i < length; i++) if (buffer[from + i] !== bytes[i]) return false;
    return true;
  }

  #isAtStart(buffer: Buffer): boolean {
    const known = this.#words;
    const words = wordsOf(buffer);
    const bytes = this.#bytes;
    const whole = bytes.length >> 2;
    for (let i = 0; i < whole; i++) if (words[i] !== known[i]) return false;
    for (let i = whole << 2; i < bytes.length; i++) if (buffer[i] !== bytes[i]) return false;
    return true;
  }

  /** Its bytes, for somebody who may write to them. */
  copy(): Buffer {
    return Buffer.from(this.#bytes);
  }

  /** What its `Content-Type` says about the body. */
  get bodyKind(): BodyKind {
    return (this.#bodyKind ??= bodyKindOf(this.field('content-type') ?? ''));
  }

  /** A field, its name in any case. */
  field(name: string): string | undefined {
    this.#fields ??= Object.freeze(parseFields(this.copy(), this.head.length - 4));
    return this.#fields[name] ?? this.#fields[lowerAscii(name)];
  }
}

let viewed: Buffer | null = null;
let words: Int32Array = new Int32Array(0);

/** The same memory in words. It is nearly always the memory that all connections read into. */
function wordsOf(buffer: Buffer): Int32Array {
  if (buffer === viewed) return words;
  viewed = buffer;
  words = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  return words;
}

/** The head that came last: what a client begins with is often what the client before it began with. */
let latest: KnownHead | null = null;

/**
 * The head that begins at `from` in `buffer`, when it ends before `to`, is not very long and is right; else undefined, and
 * `parseHead` says what is the matter with it.
 *
 * The number of its field lines has not been judged.
 *
 * @param likely the one that this client has sent before
 */
export function knownHead(buffer: Buffer, from: number, to: number, likely: KnownHead | null): KnownHead | undefined {
  const guess = likely ?? latest;
  if (guess !== null && guess.isAt(buffer, from, to)) return guess;
  const end = findEmptyLine(buffer, from, to, 0) + 4;
  if (end < 4 || end - from > LONGEST) return undefined;
  const text = buffer.toString('latin1', from, end);
  const known = young.get(text) ?? firstSight(text, buffer.subarray(from, end));
  if (known !== undefined) latest = known;
  return known;
}

function firstSight(text: string, bytes: Buffer): KnownHead | undefined {
  const known = old.get(text) ?? parseKept(bytes);
  if (known === undefined) return undefined;
  if (young.size >= GENERATION) {
    old = young;
    young = new Map();
  }
  young.set(text, known);
  return known;
}

function parseKept(bytes: Buffer): KnownHead | undefined {
  const head = parseHead(bytes);
  return typeof head === 'number' ? undefined : new KnownHead(bytes, head);
}

/** How many heads are kept. */
export const knownHeadCount = (): number => young.size + old.size;
