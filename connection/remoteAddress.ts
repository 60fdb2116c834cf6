import { WorkermanError } from '../errors.js';

/** What the address of a client connection says. */
export interface RemoteAddress {
  /** `'tcp'` when the address has none. */
  scheme: string;
  /** As written, IPv6 in brackets; empty for unix. */
  host: string;
  /** 0 when there is none. */
  port: number;
  /** Path and query, beginning with `/`; empty for unix. */
  uri: string;
  /** Path of a unix socket; empty for all others. */
  path: string;
}

/** `sun_path` less its closing zero. Node 20 cuts a longer path without a word, and would connect to another socket. */
const MAX_UNIX_PATH = process.platform === 'darwin' ? 103 : 107;
const UNIX = 'unix://';

/** scheme, user info, host, port, path, query, fragment. User info and fragment are dropped. */
const ADDRESS =
  /^(?:([^:/?#@]+):\/\/|\/\/|(?![^/?#]*:\/\/))(?:[^/?#]*@)?(\[[\da-fA-F:.]+\]|[^\s:/?#@[\]\p{Cc}]+)(?::(\d*))?(\/[^?#]*)?(\?[^#]*)?(?:#.*)?$/su;

const CONTROL = /\p{Cc}/gu;

/**
 * Takes `scheme://user:password@host:port/path?query#fragment` apart; everything but the host may be missing. Control
 * characters in path and query become `_`, as with PHP's `parse_url`, so that none ends up in a request line.
 *
 * @throws WorkermanError `WM_BAD_REMOTE_ADDRESS`
 */
export function parseRemoteAddress(address: string): RemoteAddress {
  if (typeof address !== 'string') throw bad();
  if (address.startsWith(UNIX)) {
    const path = address.slice(UNIX.length);
    if (path === '' || path.includes('\0') || Buffer.byteLength(path) > MAX_UNIX_PATH) throw bad();
    return { scheme: 'unix', host: '', port: 0, uri: '', path };
  }
  const match = ADDRESS.exec(address);
  if (match === null) throw bad();
  const [, scheme = 'tcp', host = '', digits = '', path = '/', query = ''] = match;
  const port = Number(digits);
  if (port > 65535) throw bad();
  return { scheme, host, port, uri: (path + query).replace(CONTROL, '_'), path: '' };
}

/** An IPv6 address without its brackets, as the system wants it; every other host as it is. */
export function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** `ip:port` of `bindto`, or `host:port` of a proxy. @returns null when it can not be parsed */
export function parseHostPort(text: string): { host: string; port: number } | null {
  const match = /^(\[[\da-fA-F:.]+\]|[^\s:/?#@[\]\p{Cc}]+):(\d{1,5})$/u.exec(text);
  if (match === null) return null;
  const port = Number(match[2]);
  return port > 65535 ? null : { host: bareHost(match[1] as string), port };
}

function bad(): WorkermanError {
  return new WorkermanError('WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress');
}
