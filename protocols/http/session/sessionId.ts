/** What a client may send as its session. */
const FROM_CLIENT = /^[a-zA-Z0-9,-]{16,256}$/;

/** What a program may choose. All that a store has to expect: nothing that means anything in a path or a key. */
const USABLE = /^[a-zA-Z0-9,-]{1,256}$/;

const DIGITS = '0123456789abcdefghijklmnopqrstuv';
const LENGTH = 26;

/** True for an id that is accepted from a cookie. */
export const isClientSessionId = (id: unknown): id is string => typeof id === 'string' && FROM_CLIENT.test(id);

/** True for an id that can be used at all. */
export const isUsableSessionId = (id: unknown): id is string => typeof id === 'string' && USABLE.test(id);

/** A new id: 26 characters, 130 bits that nobody can guess. */
export function createSessionId(): string {
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  let id = '';
  for (const byte of randomBytes(LENGTH)) id += DIGITS[byte & 31];
  return id;
}

/** What a session's cookie is made of; see `Session.getCookieParams`. */
export interface SessionCookieParams {
  /** Max-Age in seconds; 0: none, the cookie ends with the browser. */
  lifetime: number;
  /** `Session.cookiePath`. */
  path: string;
  /** `Session.domain`. */
  domain: string;
  /** `Session.secure`. */
  secure: boolean;
  /** `Session.httpOnly`. */
  httponly: boolean;
  /** `Session.sameSite`. */
  samesite: string;
}

/** The value of the Set-Cookie header. The order of the attributes is Workerman's. */
export function sessionCookie(name: string, id: string, params: SessionCookieParams): string {
  const { domain, lifetime, path, samesite, secure, httponly } = params;
  return `${name}=${id}`
    + (domain ? `; Domain=${domain}` : '')
    + (lifetime ? `; Max-Age=${lifetime}` : '')
    + (path ? `; Path=${path}` : '')
    + (samesite ? `; SameSite=${samesite}` : '')
    + (secure ? '; Secure' : '')
    + (httponly ? '; HttpOnly' : '');
}

/** Puts the cookie into the headers of the next answer; one of the same name that is there already is replaced. */
export function addSessionCookie(headers: Record<string, unknown>, name: string, cookie: string): void {
  const present = headers['Set-Cookie'] ?? [];
  const others = (Array.isArray(present) ? present : [present]).filter((one) => !String(one).startsWith(`${name}=`));
  headers['Set-Cookie'] = [...others, cookie];
}
