import { WorkermanTypeError } from '../errors.js';
import type { Bytes } from './ProtocolInterface.js';

/**
 * Text form of a value as PHP's `(string)` gives it, bytes as they are.
 *
 * @throws TypeError `WM_BAD_DATA` for objects, arrays and functions.
 */
export function toBytes(data: unknown, who = 'A connection without a protocol'): Bytes {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data === null || data === undefined || data === false) return '';
  if (data === true) return '1';
  if (typeof data === 'number' || typeof data === 'bigint') return String(data);
  const shown = typeof data === 'object' ? (data.constructor?.name ?? 'object') : typeof data;
  throw new WorkermanTypeError('WM_BAD_DATA', `${who} sends strings, bytes and scalars, got ${shown}`);
}
