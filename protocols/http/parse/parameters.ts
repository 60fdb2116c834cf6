/**
 * Parameters behind a header value, `form-data; name="a"; filename=b.txt`, as browsers and other programs really write
 * them: in whatever order, with or without quotes and spaces, names in either case.
 */

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const SP = 0x20;
const HTAB = 0x09;

/**
 * The parameters by their names in lower case. Of a repeated one the first counts. Within quotes, `\"` and `\\` stand
 * for the second character (RFC 9110 section 5.6.4); any other backslash is one, since browsers write paths of Windows
 * without escaping anything. A quote that is never closed runs to the end.
 */
export function parseParameters(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  let at = skipTo(value, 0, SEMICOLON);
  while (at < value.length) {
    const begin = at + 1;
    let end = begin;
    while (end < value.length && value.charCodeAt(end) !== EQUALS && value.charCodeAt(end) !== SEMICOLON) end++;
    at = end;
    if (value.charCodeAt(end) !== EQUALS) continue;
    const name = value.slice(begin, end).trim().toLowerCase();
    let from = end + 1;
    while (value.charCodeAt(from) === SP || value.charCodeAt(from) === HTAB) from++;
    const isQuoted = value.charCodeAt(from) === QUOTE;
    const to = isQuoted ? closingQuote(value, from + 1) : skipTo(value, from, SEMICOLON);
    at = isQuoted ? skipTo(value, to, SEMICOLON) : to;
    if (name === '' || parameters.has(name)) continue;
    parameters.set(name, isQuoted ? unescape(value.slice(from + 1, to)) : value.slice(from, to).trim());
  }
  return parameters;
}

function skipTo(text: string, from: number, code: number): number {
  const at = text.indexOf(String.fromCharCode(code), from);
  return at < 0 ? text.length : at;
}

function closingQuote(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH && isEscapable(text.charCodeAt(at + 1))) at++;
  }
  return text.length;
}

const isEscapable = (code: number): boolean => code === QUOTE || code === BACKSLASH;

const unescape = (text: string): string => (text.includes('\\') ? text.replace(/\\(["\\])/g, '$1') : text);

/**
 * The value of a parameter like `filename*` (RFC 8187): `charset'language'percent-encoded`. UTF-8 and ISO-8859-1 are
 * known, anything else is read as UTF-8; a value of another form is given as it is.
 */
export function decodeExtended(value: string): string {
  const match = /^([^']*)'[^']*'/.exec(value);
  if (match === null) return value;
  const bytes = percentDecode(value.slice(match[0].length));
  return bytes.toString(/^iso-8859-1$/i.test(match[1] as string) ? 'latin1' : 'utf8');
}

function percentDecode(text: string): Buffer {
  const raw = Buffer.from(text);
  const decoded = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    const hex = raw[at] === 0x25 ? raw.toString('latin1', at + 1, at + 3) : '';
    const isEscape = /^[0-9a-fA-F]{2}$/.test(hex);
    decoded[length++] = isEscape ? Number.parseInt(hex, 16) : raw[at]!;
    if (isEscape) at += 2;
  }
  return decoded.subarray(0, length);
}
