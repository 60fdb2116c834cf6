import { isUtf8 } from 'node:buffer';
import { beginRecord, endRecord } from './record.js';

/** Any value that JSON can carry. Objects have no prototype. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

/** Arrays and objects inside each other, PHP's default for `json_decode`. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** An escape that may be half of a surrogate pair; PHP refuses a half that stands alone, `JSON.parse` does not. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** With the u flag a whole pair is one character of another kind. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A JSON body as `(array) json_decode($body, true)` gives it in PHP: an object as it is but without a prototype at any
 * level, an array as it is, any other value but `null` as an array of one element.
 *
 * @returns An empty object for `null` and for whatever is no JSON: invalid UTF-8, a byte order mark, half a surrogate
 * pair, more than 512 levels. Never throws.
 */
export function parseJson(body: Buffer): Record<string, JsonValue> | JsonValue[] {
  const value = decodeJson(body);
  if (value === null || value === undefined) return endRecord(beginRecord<JsonValue>());
  return typeof value === 'object' ? value : [value];
}

function decodeJson(body: Buffer): JsonValue | undefined {
  if (!isUtf8(body) || isTooDeep(body)) return undefined;
  const text = body.toString('utf8');
  try {
    const value = JSON.parse(text) as JsonValue;
    return purify(value, SURROGATE_ESCAPE.test(text)) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Counts brackets outside of strings. This comes before `JSON.parse`, which builds millions of levels out of a small
 * body and takes seconds for it. What is no JSON may be counted wrong; it is refused anyway.
 */
function isTooDeep(body: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/**
 * Takes the prototype from every object in `value`, in place; that keeps the order of the keys, and a key `__proto__`,
 * which `JSON.parse` made an own property, stays one. At most {@link MAX_DEPTH} calls deep.
 *
 * @returns False when `strict` and some text in it is no Unicode.
 */
function purify(value: JsonValue, strict: boolean): boolean {
  if (typeof value === 'string') return !strict || !LONE_SURROGATE.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const element of value) {
      if (!purify(element, strict)) return false;
    }
    return true;
  }
  Object.setPrototypeOf(value, null);
  for (const name in value) {
    if ((strict && LONE_SURROGATE.test(name)) || !purify(value[name]!, strict)) return false;
  }
  return true;
}
