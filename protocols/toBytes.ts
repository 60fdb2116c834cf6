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
  if (typeof data === 'number' || typeof data === 'bigint') return numberText(data);
  const shown = typeof data === 'object' ? (data.constructor?.name ?? 'object') : typeof data;
  throw new WorkermanTypeError('WM_BAD_DATA', `${who} sends strings, bytes and scalars, got ${shown}`);
}

/** Digits that PHP shows of a float, its setting `precision`. */
const PRECISION = 14;
/** From here on a whole number is a float in PHP. */
const INT_RANGE = 2 ** 63;

/**
 * A number as PHP's `(string)` writes it: whole numbers of 64 bits digit by digit, all others with 14 significant digits,
 * very large and very small ones as `1.0E+25`, and `NAN`, `INF`, `-INF`.
 */
export function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') return String(value);
  if (Number.isSafeInteger(value)) return String(value);
  // Beyond the safe ones JavaScript writes zeros in place of the last digits.
  if (Number.isInteger(value) && value >= -INT_RANGE && value < INT_RANGE) return String(BigInt(value));
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INF' : '-INF';
  const settled = tieToEven(value);
  const [mantissa = '', exponent = ''] = settled.toExponential(PRECISION - 1).split('e');
  const power = Number(exponent);
  const digits = withoutZeros(mantissa);
  if (power < -4 || power >= PRECISION) {
    return `${digits.includes('.') ? digits : `${digits}.0`}E${power < 0 ? '-' : '+'}${Math.abs(power)}`;
  }
  return withoutZeros(settled.toFixed(Math.max(0, PRECISION - 1 - power)));
}

/** The number, cut where it lies just between two of 14 digits: PHP takes the even one, JavaScript the larger. */
function tieToEven(value: number): number {
  const oneMore = value.toExponential(PRECISION);
  const isTie = /[02468]5e/.test(oneMore) && value.toExponential(100).replace(/0+e/, 'e') === oneMore;
  return isTie ? Number(oneMore.replace('5e', 'e')) : value;
}

/** Those behind the point, and the point when nothing else is there. */
const withoutZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
