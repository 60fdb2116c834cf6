import { toBytes } from '../toBytes.js';
import { isStill } from './sameJson.js';
import { CLOSE, OPCODE, RSV1 } from './wire.js';

/** From values of `send` to frames: what is sent, and as what. */

/** Frame types as users write them: one character whose code is the first byte of the frame. */
export const BINARY_TYPE_BLOB = '\x81';
export const BINARY_TYPE_BLOB_DEFLATE = '\xc1';
export const BINARY_TYPE_ARRAYBUFFER = '\x82';
export const BINARY_TYPE_ARRAYBUFFER_DEFLATE = '\xc2';

/** The type during `onWebSocketPing` and `onWebSocketPong`. */
export const PONG_TYPE = '\x8a';

/**
 * What goes into the frame: text and bytes as they are, scalars as PHP's `(string)` gives them, everything else as
 * JSON. PHP refuses numbers and booleans.
 *
 * @throws TypeError `WM_BAD_DATA` for what has no JSON form, functions for example
 */
export function toPayload(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (typeof data === 'object') {
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    const json = toJson(data);
    if (json !== undefined) return json;
  }
  return toBytes(data, 'A WebSocket');
}

/** The object that was sent last, its JSON, and, from the second time on, what that JSON says. */
let last: { readonly object: WeakRef<object>; readonly json: string; parsed: unknown } | null = null;

/** Objects up to this many characters are remembered: what a fan-out repeats is small, and one is kept. */
const LONGEST_KEPT = 65_536;

/** JSON of an object; of one that is sent many times in a row, and is still the same, only once. */
function toJson(data: object | null): string | undefined {
  if (data === null) return 'null';
  if (last?.object.deref() === data) {
    last.parsed ??= JSON.parse(last.json);
    if (isStill(data, last.parsed)) return last.json;
  }
  const json = JSON.stringify(data) as string | undefined;
  last = json === undefined || json.length > LONGEST_KEPT ? null : { object: new WeakRef(data), json, parsed: undefined };
  return json;
}

/**
 * The first byte of the frame for a payload. Bytes are sent as a binary message where the type says text, so that an
 * echo keeps the type of its message; every other type is taken by its word.
 *
 * @param type `connection.websocketType`
 * @param compression permessage-deflate was agreed on; without it RSV1 is taken off, as always for control frames
 */
export function firstByte(type: string | undefined, isBytes: boolean, compression: boolean): number {
  let first = type === undefined || type.length === 0 ? 0x81 : type.charCodeAt(0) & 0xff;
  if (isBytes && (first === 0x81 || first === 0xc1)) first++;
  if (!compression || (first & OPCODE) >= CLOSE) first &= ~RSV1;
  return first;
}

/** A type without the bit that asks for compression. */
export function plainType(type: string): string {
  const code = type.charCodeAt(0);
  return (code & RSV1) === 0 ? type : String.fromCharCode(code & ~RSV1);
}

/** A type with the bit that asks for compression. */
export function deflateType(type: string): string {
  return String.fromCharCode(type.charCodeAt(0) | RSV1);
}

/** True when the type asks for compression. */
export function isDeflateType(type: string | undefined): boolean {
  return type !== undefined && (type.charCodeAt(0) & RSV1) !== 0;
}
