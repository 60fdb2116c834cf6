/** How deep values may be nested, as in PHP. What is nested without end could be read, but not written again. */
const MAX_DEPTH = 512;

/**
 * Reads JSON as PHP does when objects become arrays: an empty object, or one whose keys count up from 0, is a list.
 * @returns null when it is no JSON
 */
export function fromJson(text: string): unknown {
  try {
    return asArrays(JSON.parse(text), MAX_DEPTH);
  } catch {
    return null;
  }
}

function asArrays(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) throw new RangeError('nested too deep');
  const entries = Object.entries(value).map(([key, inner]) => [key, asArrays(inner, depth - 1)] as const);
  const isList = entries.every(([key], index) => key === String(index));
  return isList ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/** Writes JSON as PHP does: plain ASCII, with `\/` for a slash. */
export function toJson(value: unknown): string {
  const escape = (char: string): string => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0');
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, escape).replaceAll('/', '\\/');
}
