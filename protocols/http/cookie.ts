/** Attributes of a cookie that an answer sets. */
export interface CookieAttributes {
  /** Seconds to live, 0 deletes; null makes it last until the browser is closed. */
  maxAge: number | null;
  path: string;
  domain: string;
  secure: boolean;
  httpOnly: boolean;
  /** `Lax`, `Strict`, `None` or empty. */
  sameSite: string;
}

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_NAME = /[=,;\s\x00-\x1f\x7f]/;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_ATTRIBUTE = /[;\x00-\x1f\x7f]/;
const UNRESERVED = /^[A-Za-z0-9\-_.~]*$/;

/**
 * Percent-encoding of the UTF-8 bytes of a text: all but the unreserved characters of RFC 3986 2.3, as PHP's
 * `rawurlencode`. Half a surrogate pair counts as U+FFFD.
 */
export function rawUrlEncode(text: string): string {
  if (UNRESERVED.test(text)) return text;
  // Through bytes and back, because encodeURIComponent throws on half a surrogate pair.
  const encoded = encodeURIComponent(Buffer.from(text).toString());
  return encoded.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * The value of a `Set-Cookie` header, or null for a cookie that can not be written without becoming another one:
 * a name that is empty or has `=`, `,`, `;`, white space or control characters, or an attribute that has `;` or
 * control characters.
 */
export function cookieLine(name: string, value: string, attributes: CookieAttributes): string | null {
  const { maxAge, path, domain, sameSite } = attributes;
  if (name === '' || BAD_NAME.test(name)) return null;
  if (BAD_ATTRIBUTE.test(path) || BAD_ATTRIBUTE.test(domain) || BAD_ATTRIBUTE.test(sameSite)) return null;
  const seconds = maxAge === null ? NaN : Math.trunc(maxAge);
  let line = `${name}=${rawUrlEncode(value)}`;
  // A caller without types may well give null for what is not to be set.
  if (domain) line += `; Domain=${domain}`;
  if (Number.isFinite(seconds)) line += `; Max-Age=${seconds}`;
  if (path) line += `; Path=${path}`;
  if (attributes.secure) line += '; Secure';
  if (attributes.httpOnly) line += '; HttpOnly';
  if (sameSite) line += `; SameSite=${sameSite}`;
  return line;
}
