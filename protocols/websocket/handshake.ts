import { parseFields, parseHead } from '../http/parse/head.js';
import { Request } from '../http/Request.js';
import { parseExtensions, type Extension } from './extensions.js';
import type { HeaderLine } from './headerLines.js';

/** The server's side of the opening handshake (RFC 6455 section 4.2). Bytes in, bytes out. */

const BAD_REQUEST =
  'HTTP/1.1 400 Bad Request\r\n\r\n<div style="text-align:center"><h1>400 Bad Request</h1><hr>workerman</div>';
const NO_VERSION = 'HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\n';
const OTHER_VERSION =
  'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\r\n';
const TOO_LONG = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n';

/** What a client is told that can not be served. */
export const REFUSAL = {
  BAD_REQUEST: BAD_REQUEST as string,
  TOO_LONG: TOO_LONG as string,
  /** A callback has failed: nobody has decided to let this client in. */
  INTERNAL_ERROR: 'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n',
} as const;

/** Section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Bytes from which on Workerman looks at what is coming. */
const METHOD_LENGTH = 6;

/** A request that may become a WebSocket. */
export interface Opening {
  readonly request: Request;
  readonly key: string;
  /** In the order of the client's preference. */
  readonly offers: readonly Extension[];
}

/** Value of `Sec-WebSocket-Accept` for a key (section 4.2.2). */
export function acceptOf(key: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** False when it is clear that no request for a WebSocket is coming. */
export function beginsLikeRequest(bytes: Buffer, isComplete: boolean): boolean {
  return (!isComplete && bytes.length < METHOD_LENGTH) || bytes.toString('latin1', 0, 3) === 'GET';
}

/** True when the comma-separated list contains the token, in any case. */
export function listContains(list: string | undefined, token: string): boolean {
  return list !== undefined && list.split(',').some((item) => item.trim().toLowerCase() === token);
}

/**
 * Judges a whole head: Workerman's checks in its order, then the rest of section 4.2.1, which it leaves out.
 *
 * @returns what to refuse it with when it is not acceptable
 */
export function readOpening(head: Buffer): Opening | string {
  const fields = parseFields(head, head.length - 4);
  const version = fields['sec-websocket-version'];
  if (version === undefined) return NO_VERSION;
  if (version !== '13') return OTHER_VERSION;
  const parsed = parseHead(head);
  const key = fields['sec-websocket-key'];
  if (key === undefined || !KEY.test(key) || typeof parsed === 'number') return BAD_REQUEST;
  if (parsed.method !== 'GET' || parsed.minor < 1 || parsed.chunked || parsed.contentLength > 0) return BAD_REQUEST;
  if (!listContains(fields['upgrade'], 'websocket') || !listContains(fields['connection'], 'upgrade'))
    return BAD_REQUEST;
  const offers = parseExtensions(fields['sec-websocket-extensions'] ?? '');
  if (offers === null) return BAD_REQUEST;
  return { request: new Request(head, parsed), key, offers };
}

/** Lines that are ours to write. */
const OURS = new Set(['sec-websocket-accept', 'upgrade', 'connection', 'sec-websocket-extensions']);

/**
 * The answer that opens the connection. Workerman's reason phrase is the singular one.
 *
 * @param extensions value of `Sec-WebSocket-Extensions`; null: none
 */
export function openingAnswer(key: string, lines: readonly HeaderLine[], extensions: string | null): string {
  let answer =
    'HTTP/1.1 101 Switching Protocol\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n`;
  if (extensions !== null) answer += `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  for (const { name, text } of lines) if (!OURS.has(name)) answer += `${text}\r\n`;
  return `${answer}\r\n`;
}
