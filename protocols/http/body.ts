import { isUint8Array } from 'node:util/types';
import { WorkermanTypeError } from '../../errors.js';
import { numberText } from '../toBytes.js';

/** A body as it is kept until it is written: text, which goes out as UTF-8, or bytes, which go out as they are. */
export type Body = string | Uint8Array;

/** Length on the wire, in bytes. */
export const byteSize = (body: Body): number => (typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength);

/** Head and body in one piece: text stays text (one UTF-8 write), bytes are appended to the encoded head. */
export function joinBody(head: string, body: Body): string | Buffer {
  if (typeof body === 'string') return head + body;
  if (body.byteLength === 0) return head;
  const headSize = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headSize + body.byteLength);
  bytes.write(head, 0, 'utf8');
  bytes.set(body, headSize);
  return bytes;
}

/**
 * True for an object that says itself what its text is: it brings a `toString` other than that of plain objects.
 * Arrays and typed arrays are no text although they have a `toString`.
 */
export function isStringable(value: object): boolean {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const toText: unknown = value.toString;
  return typeof toText === 'function' && toText !== Object.prototype.toString;
}

/**
 * Text or bytes of a value, by the rules of PHP's `(string)`: `null`, `undefined` and `false` are empty, `true` is
 * `1`, numbers are written out; a `Uint8Array` stays what it is; an object is asked for its text.
 *
 * @throws TypeError `WM_BAD_DATA` for arrays, plain objects, functions and symbols.
 */
export function toBody(value: unknown): Body {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
      return numberText(value);
    case 'boolean':
      return value ? '1' : '';
    case 'undefined':
      return '';
    case 'object':
      if (value === null) return '';
      if (isUint8Array(value)) return value;
      if (isStringable(value)) return String(value.toString());
  }
  throw new WorkermanTypeError(
    'WM_BAD_DATA',
    `Expected a string, a number, a Uint8Array or an object with a toString() of its own, got ${describe(value)}`,
  );
}

const describe = (value: unknown): string =>
  Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'a plain object' : `a ${typeof value}`;
