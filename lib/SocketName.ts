import { isIPv6 } from 'node:net';
import { WorkermanError } from '../errors.js';

/** What `worker.transport` may be, and the kind of socket behind each; `Worker.BUILD_IN_TRANSPORTS`. */
export const BUILD_IN_TRANSPORTS = { tcp: 'tcp', udp: 'udp', unix: 'unix', ssl: 'tcp' } as const;

/** A key of `Worker.BUILD_IN_TRANSPORTS`. */
export type Transport = keyof typeof BUILD_IN_TRANSPORTS;

/** What the system opens for a transport. */
export type SocketKind = (typeof BUILD_IN_TRANSPORTS)[Transport];

/**
 * Bytes that the path of a unix socket may have (`sun_path` less its closing zero). Node 20 cuts a longer one without
 * a word and binds something else, so we refuse it.
 */
export const MAX_UNIX_PATH: number = process.platform === 'darwin' ? 103 : 107;

/** A protocol's name in front of `://`. */
const WORD = /^[a-zA-Z][a-zA-Z0-9]*$/;

/** Host and port; what may be inside brackets is checked as an IPv6 address, outside them there is no colon. */
const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^\s:/?#@[\]\\\x00-\x1f\x7f]+)):(\d+)$/;

/** A socket name in two parts. */
export interface SplitName {
  /** What stands before the first `:`. */
  scheme: string;
  /** What follows it, `//` included. */
  address: string;
  /** The scheme again when it names a protocol, which the caller looks up; `null` for `tcp udp unix ssl`. */
  protocolScheme: string | null;
}

/** Where a socket is opened. */
export interface ResolvedAddress {
  /** What the system opens. */
  kind: SocketKind;
  /** Name or IP address without brackets; empty for unix. */
  host: string;
  /** 0 to 65535, 0 lets the system choose; 0 for unix. */
  port: number;
  /** Path of a unix socket; empty for the other kinds. */
  path: string;
  /** Kind and address for messages, `tcp://127.0.0.1:80`. */
  display: string;
}

/** All that a socket name says. */
export interface ParsedSocketName extends ResolvedAddress {
  /** See {@link SplitName}. */
  scheme: string;
  /** See {@link SplitName}. */
  protocolScheme: string | null;
  /** The transport that is used in the end. */
  transport: Transport;
}

function isTransport(word: string): word is Transport {
  return Object.hasOwn(BUILD_IN_TRANSPORTS, word);
}

/**
 * Splits a socket name at its first `:`.
 *
 * @throws WorkermanError WM_INVALID_SCHEME when there is none, or what stands before it is no word
 */
export function splitScheme(name: string): SplitName {
  const colon = name.indexOf(':');
  const scheme = colon < 0 ? name : name.slice(0, colon);
  const builtIn = isTransport(scheme);
  if (colon < 0 || !(builtIn || WORD.test(scheme))) {
    throw new WorkermanError('WM_INVALID_SCHEME', `Invalid protocol scheme '${scheme}'`);
  }
  return { scheme, address: name.slice(colon + 1), protocolScheme: builtIn ? null : scheme };
}

/**
 * The transport that is used: the user's, unless that still is the default `'tcp'` and the scheme names another.
 *
 * @param scheme from {@link splitScheme}
 * @param transport `worker.transport`
 * @throws WorkermanError WM_BAD_TRANSPORT when the user's is none of ours
 */
export function resolveTransport(scheme: string, transport: string): Transport {
  if (!isTransport(transport)) {
    throw new WorkermanError('WM_BAD_TRANSPORT', `Bad worker->transport '${transport}'`);
  }
  return transport === 'tcp' && isTransport(scheme) ? scheme : transport;
}

function badAddress(address: string): WorkermanError {
  return new WorkermanError('WM_BAD_ADDRESS', `Failed to parse address "${address}"`);
}

function resolvePath(path: string): ResolvedAddress {
  if (path === '' || path.includes('\0')) throw badAddress(path);
  if (Buffer.byteLength(path) > MAX_UNIX_PATH) {
    throw new WorkermanError(
      'WM_BAD_ADDRESS',
      `The path of a unix socket can have ${MAX_UNIX_PATH} bytes at most: "${path}"`,
    );
  }
  return { kind: 'unix', host: '', port: 0, path, display: `unix://${path}` };
}

function resolveHost(text: string, kind: 'tcp' | 'udp'): ResolvedAddress {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) throw badAddress(text);
  const [, bracketed, plain = '', digits] = match;
  const port = Number(digits);
  if (port > 65535 || (bracketed !== undefined && !isIPv6(bracketed))) throw badAddress(text);
  return { kind, host: bracketed ?? plain, port, path: '', display: `${kind}://${text}` };
}

/**
 * Takes an address apart: `//host:port` with a name, an IPv4 or a bracketed IPv6 address as host, or `//path` for
 * unix. Stricter than PHP, which takes ports modulo 65536.
 *
 * @param address from {@link splitScheme}
 * @param transport from {@link resolveTransport}
 * @throws WorkermanError WM_BAD_ADDRESS
 */
export function resolveAddress(address: string, transport: Transport): ResolvedAddress {
  if (!address.startsWith('//')) throw badAddress(address);
  const text = address.slice(2);
  const kind = BUILD_IN_TRANSPORTS[transport];
  return kind === 'unix' ? resolvePath(text) : resolveHost(text, kind);
}

/**
 * Takes a whole socket name apart, in Workerman's order: scheme, protocol, transport, address.
 *
 * @param name `'http://0.0.0.0:80'` for example
 * @param transport `worker.transport`
 * @param lookUp called with the name of a protocol when it is that protocol's turn; throws when there is none
 * @throws WorkermanError WM_INVALID_SCHEME, WM_BAD_TRANSPORT, WM_BAD_ADDRESS, and whatever `lookUp` throws
 */
export function parseSocketName(
  name: string,
  transport: string = 'tcp',
  lookUp?: (protocolScheme: string) => void,
): ParsedSocketName {
  const { scheme, address, protocolScheme } = splitScheme(name);
  if (protocolScheme !== null) lookUp?.(protocolScheme);
  const used = resolveTransport(scheme, transport);
  return { scheme, protocolScheme, transport: used, ...resolveAddress(address, used) };
}

/** A socket name as it is shown: its first letter in lower case; `'none'` when there is no name. */
export function getSocketName(name: string | null | undefined): string {
  if (!name) return 'none';
  return name.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}
