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

let young = new Map<string, Head>();
let old = new Map<string, Head>();

/** Fields of known heads that somebody has asked for. They share the fate of their heads. */
const fieldsOf = new WeakMap<Head, Readonly<Record<string, string>>>();

/**
 * The head that begins at `from` in `buffer`, when it ends before `to`, is not very long and is right; else undefined, and
 * `parseHead` says what is the matter with it.
 *
 * The number of its field lines has not been judged.
 */
export function knownHead(buffer: Buffer, from: number, to: number): Head | undefined {
  const end = findEmptyLine(buffer, from, to, 0) + 4;
  if (end < 4 || end - from > LONGEST) return undefined;
  const text = buffer.toString('latin1', from, end);
  const head = young.get(text);
  return head !== undefined ? head : firstSight(text, buffer.subarray(from, end));
}

function firstSight(text: string, bytes: Buffer): Head | undefined {
  const head = old.get(text) ?? parseKept(text, bytes);
  if (head === undefined) return undefined;
  if (young.size >= GENERATION) {
    old = young;
    young = new Map();
  }
  young.set(text, head);
  return head;
}

function parseKept(text: string, bytes: Buffer): Head | undefined {
  const head = parseHead(bytes);
  return typeof head === 'number' ? undefined : Object.assign(head, { text });
}

/** A field of a known head, its name in any case. */
export function knownField(head: Head, name: string): string | undefined {
  let fields = fieldsOf.get(head);
  if (fields === undefined) {
    fields = Object.freeze(parseFields(Buffer.from(head.text as string, 'latin1'), head.length - 4));
    fieldsOf.set(head, fields);
  }
  return fields[name] ?? fields[lowerAscii(name)];
}

/** How many heads are kept. */
export const knownHeadCount = (): number => young.size + old.size;
