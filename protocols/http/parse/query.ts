/**
 * Query strings, urlencoded bodies and the names of multipart parts, with the rules of PHP's `parse_str`:
 * `a[b][]=1` nests, `a.b` is read as `a_b`, and the last assignment wins.
 *
 * PHP's arrays remember the order in which their keys came and which integer key comes next, so a tree of
 * {@link Container}s is built first. Whether a container is a list can be said only when the last pair is in; then it
 * becomes an Array, or an object without a prototype, in which `__proto__` is a name like any other.
 */

import { beginRecord, endRecord } from './record.js';

/** A value, or a list or record of values, as nested by the names. */
export type Nested<Leaf> = Leaf | Nested<Leaf>[] | { [name: string]: Nested<Leaf> };

/** What `parseStr` gives: the values by their outermost name. It has no prototype. */
export type NestedRecord<Leaf> = Record<string, Nested<Leaf>>;

/** Pieces used of one input, PHP's `max_input_vars`. The rest is dropped, which bounds the work for one request. */
export const MAX_INPUT_VARS = 1000;

/**
 * Inputs up to this many bytes become text once, and plain values are parts of that text, which is quicker. V8 keeps
 * the whole text alive for such a part, so the values of a large body are cut out one by one.
 */
const SMALL = 4096;

/** More `[...]` groups than this, PHP's `max_input_nesting_level`, and the pair is ignored. */
const MAX_GROUPS = 64;

/** The step of a path that stands for "the next free integer". */
const APPEND = null;

/** A decimal without leading zeros; `-0` is none. */
const INTEGER = /^(?:0|-?[1-9][0-9]{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** What C's `isspace` accepts, one of which makes `[ ]` the same as `[]`. */
const WHITE_SPACE = ' \t\n\v\f\r';

const CR = 0x0d;
const SP = 0x20;
const HASH = 0x23;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const QUESTION_MARK = 0x3f;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;

/** Bytes that mean something in a name: what ends it, what is replaced, and what nests. */
const SPECIAL: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => ('\0 .['.includes(String.fromCharCode(byte)) ? 1 : 0));

/** Bytes that are not simply copied: these, those that the encoding uses, and what is not ASCII. */
const REMARKABLE: Uint8Array = SPECIAL.map((special, byte) => (special === 1 || '&=+%'.includes(String.fromCharCode(byte)) || byte >= 0x80 ? 1 : 0));

/** A PHP array while it grows. */
class Container<Leaf> {
  readonly entries: Map<string, Leaf | Container<Leaf>> = new Map();
  /** The keys so far are 0, 1, 2 … in the order in which they were first set. */
  isList = true;
  #next: bigint | undefined;

  set(key: string, value: Leaf | Container<Leaf>): void {
    if (!this.entries.has(key)) {
      if (this.isList && key !== String(this.entries.size)) this.isList = false;
      this.#noteInteger(key);
    }
    this.entries.set(key, value);
  }

  /** The key that an append uses: one above the largest integer key, `undefined` when there is none above it. */
  nextKey(): string | undefined {
    const next = this.#next ?? 0n;
    return next > INT64_MAX ? undefined : String(next);
  }

  #noteInteger(key: string): void {
    if (!INTEGER.test(key)) return;
    const value = BigInt(key);
    if (value < INT64_MIN || value > INT64_MAX) return;
    if (this.#next === undefined || value >= this.#next) this.#next = value + 1n;
  }

  /** At most {@link MAX_GROUPS} calls deep. */
  toValue(): Nested<Leaf> {
    if (this.isList) return Array.from(this.entries.values(), settle);
    const record = beginRecord<Nested<Leaf>>();
    for (const [key, value] of this.entries) record[key] = settle(value);
    return endRecord(record);
  }
}

function settle<Leaf>(value: Leaf | Container<Leaf>): Nested<Leaf> {
  return value instanceof Container ? value.toValue() : value;
}

/** Builds the nested result out of names and values that are decoded already. A value may be anything. */
export class NestedPairs<Leaf> {
  readonly #top: Record<string, Leaf | Container<Leaf>> = beginRecord();
  #nested = false;

  /** {@link add} for a name without any of the bytes that are {@link SPECIAL}. */
  addPlain(name: string, value: Leaf): void {
    if (name !== '') this.#top[name] = value;
  }

  /** Puts `value` where `name` says; a name that PHP would ignore is ignored. */
  add(name: string, value: Leaf): void {
    const nul = name.indexOf('\0');
    const cut = nul < 0 ? name : name.slice(0, nul);
    let from = 0;
    while (cut.charCodeAt(from) === SP) from++;
    const open = cut.indexOf('[', from);
    if (from === cut.length || open === from) return;
    if (open < 0 || !cut.includes(']', open)) {
      this.#top[baseName(cut.slice(from))] = value;
      return;
    }
    const path = readPath(cut, open);
    if (path !== undefined) this.#assign(baseName(cut.slice(from, open)), path, value);
  }

  /** The result. Call it once, after the last `add`. */
  toRecord(): NestedRecord<Leaf> {
    const top = this.#top as NestedRecord<Leaf>;
    if (this.#nested) {
      for (const name in this.#top) top[name] = settle(this.#top[name]!);
    }
    return endRecord(top);
  }

  #assign(base: string, path: readonly (string | null)[], value: Leaf): void {
    let container = this.#top[base];
    if (!(container instanceof Container)) {
      container = new Container<Leaf>();
      this.#top[base] = container;
      this.#nested = true;
    }
    for (let i = 0; i < path.length; i++) {
      const key = path[i] === APPEND ? container.nextKey() : path[i]!;
      if (key === undefined) return;
      if (i === path.length - 1) {
        container.set(key, value);
        return;
      }
      let inner = container.entries.get(key);
      if (!(inner instanceof Container)) {
        inner = new Container<Leaf>();
        container.set(key, inner);
      }
      container = inner;
    }
  }
}

/** Characters that can not be part of a PHP variable name become `_`. */
function baseName(name: string): string {
  return /[ .[]/.test(name) ? name.replace(/[ .[]/g, '_') : name;
}

/** The groups that begin at `open`, up to the first thing that is none; `undefined` when one too many is opened. */
function readPath(name: string, open: number): (string | null)[] | undefined {
  const path: (string | null)[] = [];
  let at = open;
  while (name[at] === '[') {
    if (path.length === MAX_GROUPS) return undefined;
    const close = name.indexOf(']', at + 1);
    if (close < 0) break;
    const isAppend = close === at + 1 || (close === at + 2 && WHITE_SPACE.includes(name[at + 1]!));
    path.push(isAppend ? APPEND : name.slice(at + 1, close));
    at = close + 1;
  }
  return path;
}

/**
 * Nests pairs of decoded names and values.
 *
 * @param limit How many pairs are used, default 1000; the rest is dropped.
 */
export function nestPairs<Leaf>(
  pairs: Iterable<readonly [name: string, value: Leaf]>,
  limit: number = MAX_INPUT_VARS,
): NestedRecord<Leaf> {
  const nested = new NestedPairs<Leaf>();
  let left = limit;
  for (const [name, value] of pairs) {
    if (left-- <= 0) break;
    nested.add(name, value);
  }
  return nested.toRecord();
}

/** The bytes of the query in a request's target: `%` sequences and raw bytes beside them may be parts of one character. */
export function queryOf(message: Buffer): Buffer {
  let start = 0;
  while (start < message.length && message[start] !== SP && message[start] !== CR) start++;
  let mark = -1;
  let end = start + 1;
  for (; end < message.length; end++) {
    const byte = message[end]!;
    if (byte === SP || byte === CR || byte === HASH) break;
    if (byte === QUESTION_MARK && mark < 0) mark = end;
  }
  return mark < 0 ? message.subarray(0, 0) : message.subarray(mark + 1, end);
}

/**
 * Parses `a=1&b[]=2` as PHP's `parse_str` does. `+` and `%XX` are decoded byte by byte and the result is read as UTF-8
 * (U+FFFD for what is none); a `%` without two hex digits stays. `;` separates nothing.
 *
 * @param limit How many non-empty pieces are used, default 1000; the rest is dropped.
 * @returns An object without a prototype; never throws.
 */
export function parseStr(input: string | Buffer, limit: number = MAX_INPUT_VARS): NestedRecord<string> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const nested = new NestedPairs<string>();
  if (bytes.length <= SMALL) parseSmall(bytes, limit, nested);
  else parseLarge(bytes, limit, nested);
  return nested.toRecord();
}

/** What a small input looks like when it is decoded. */
const scratch = Buffer.allocUnsafeSlow(SMALL);
/** For each pair in it: where its name begins and ends, where its value ends, and whether its name is a plain one. */
const places = new Int32Array(SMALL * 4);
/** All of its bytes, by their bits. */
let seen = 0;

/** All of it is decoded in one pass and becomes one text, of which names and values are parts. */
function parseSmall(bytes: Buffer, limit: number, nested: NestedPairs<string>): void {
  const count = decodeSmall(bytes, limit);
  if (count === 0) return;
  const end = places[count * 4 - 2] as number;
  const text = seen < 0x80 ? scratch.toString('latin1', 0, end) : null;
  for (let i = 0; i < count * 4; i += 4) {
    const from = places[i] as number;
    const equals = places[i + 1] as number;
    const to = places[i + 2] as number;
    const name = text === null ? scratch.toString('utf8', from, equals) : nameOf(text, i >> 2, from, equals);
    const value = text === null ? scratch.toString('utf8', equals, to) : text.slice(equals, to);
    if (places[i + 3] === 1) nested.addPlain(name, value);
    else nested.add(name, value);
  }
}

/**
 * The names of the last input, by their place. Forms come again with the same names in the same order, and a text that V8
 * has used as the name of a property before is used again for less: told by its bytes, it is the same text.
 */
const recentNames: string[] = [];
const MANY_NAMES = 64;
const LONGEST_NAME = 64;

function nameOf(text: string, place: number, from: number, to: number): string {
  const before = recentNames[place];
  if (before !== undefined && before.length === to - from && isAt(before, from)) return before;
  const name = text.slice(from, to);
  if (place < MANY_NAMES && name.length <= LONGEST_NAME) recentNames[place] = name;
  return name;
}

/** True when the bytes of an ASCII text begin at `from` in {@link scratch}. */
function isAt(text: string, from: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== scratch[from + i]) return false;
  return true;
}

/** Fills {@link scratch} and {@link places}. @returns the number of pairs */
function decodeSmall(bytes: Buffer, limit: number): number {
  const { length } = bytes;
  let count = 0;
  let out = 0;
  let bits = 0;
  for (let at = 0; at < length && count < limit; at++) {
    if (bytes[at] === AMPERSAND) continue;
    const start = out;
    let equals = -1;
    let isPlain = 1;
    for (; at < length; at++) {
      let byte = bytes[at] as number;
      // Nearly every byte is a letter or digit, told without looking it up.
      if ((byte < LOWER_A || byte > LOWER_Z) && REMARKABLE[byte] === 1) {
        if (byte === AMPERSAND) break;
        if (byte === EQUALS && equals < 0) {
          equals = out;
          continue;
        }
        const value = byte === PLUS ? SP : byte === PERCENT ? escapeAt(bytes, at) : -1;
        if (byte === PERCENT && value >= 0) at += 2;
        if (value >= 0) byte = value;
        if (equals < 0 && SPECIAL[byte] === 1) isPlain = 0;
        bits |= byte;
      }
      scratch[out++] = byte;
    }
    const place = count++ * 4;
    places[place] = start;
    places[place + 1] = equals < 0 ? out : equals;
    places[place + 2] = out;
    places[place + 3] = isPlain;
  }
  seen = bits;
  return count;
}

/** What `%XX` at this place stands for, or -1. No hex digit ends a piece, so what follows belongs to it. */
function escapeAt(bytes: Buffer, at: number): number {
  if (at + 2 >= bytes.length) return -1;
  return (hexValue(bytes[at + 1] as number) << 4) | hexValue(bytes[at + 2] as number);
}

/** A large input is not kept alive by its values: each is cut out by itself. */
function parseLarge(bytes: Buffer, limit: number, nested: NestedPairs<string>): void {
  let left = limit;
  for (let at = 0; at < bytes.length && left > 0; at++) {
    if (bytes[at] === AMPERSAND) continue;
    let end = bytes.indexOf(AMPERSAND, at);
    if (end < 0) end = bytes.length;
    let equals = at;
    while (equals < end && bytes[equals] !== EQUALS) equals++;
    nested.add(decode(bytes, at, equals), equals < end ? decode(bytes, equals + 1, end) : '');
    left--;
    at = end;
  }
}

/** The text of the bytes from `from` to `to`, `+` and `%XX` decoded. */
function decode(bytes: Buffer, from: number, to: number): string {
  let seen = 0;
  let at = from;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === PERCENT || byte === PLUS) return decodeEscapes(bytes, from, to);
    seen |= byte;
  }
  return bytes.toString(seen < 0x80 ? 'latin1' : 'utf8', from, to);
}

function decodeEscapes(bytes: Buffer, from: number, to: number): string {
  const decoded = Buffer.allocUnsafe(to - from);
  let length = 0;
  for (let i = from; i < to; i++) {
    let byte = bytes[i]!;
    if (byte === PLUS) {
      byte = SP;
    } else if (byte === PERCENT && i + 2 < to) {
      const value = (hexValue(bytes[i + 1]!) << 4) | hexValue(bytes[i + 2]!);
      if (value >= 0) {
        byte = value;
        i += 2;
      }
    }
    decoded[length++] = byte;
  }
  return decoded.toString('utf8', 0, length);
}

/** The value of a hex digit in either case, -1 for any other byte. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
