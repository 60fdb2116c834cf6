import { isSafeName, isSafeValue } from '../http/headers.js';

/** One header line as it will be written. */
export interface HeaderLine {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** Without CRLF. */
  readonly text: string;
}

function lineOf(text: string): HeaderLine | null {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  if (!isSafeName(name) || !isSafeValue(text)) return null;
  return { name: name.toLowerCase(), value: text.slice(colon + 1).trim(), text };
}

const isWritable = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

/**
 * The header lines that a user has put into `connection.headers`: a list of whole lines, as Workerman's servers take
 * it, or an object of names and values, where a value may be a list. What would not be one well-formed line each is
 * left out without a word.
 */
export function headerLines(headers: unknown): HeaderLine[] {
  const lines: (HeaderLine | null)[] = [];
  if (Array.isArray(headers)) {
    for (const line of headers) if (typeof line === 'string') lines.push(lineOf(line));
  } else if (typeof headers === 'object' && headers !== null) {
    for (const [name, value] of Object.entries(headers)) {
      if (!isSafeName(name)) continue;
      const values: unknown[] = Array.isArray(value) ? value : [value];
      for (const item of values) if (isWritable(item)) lines.push(lineOf(`${name}: ${item}`));
    }
  }
  return lines.filter((line) => line !== null);
}
