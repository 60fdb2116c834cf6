import { isSafeName, isSafeValue } from '../http/headers.js';
import { trimBlanks } from '../http/parse/head.js';
import { Response } from '../http/Response.js';
import { parseExtensions, PERMESSAGE_DEFLATE, readAnswer, type DeflateAgreement } from './extensions.js';
import { acceptOf, listContains } from './handshake.js';
import type { HeaderLine } from './headerLines.js';

/** The client's side of the opening handshake (RFC 6455 section 4.1). Text and bytes in, text out. */

/** What a request is made of. */
export interface OpeningOptions {
  /** Host of the URI; `''` for a unix socket. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly uri: string;
  readonly origin: string | undefined;
  /** Comma-separated. */
  readonly protocols: string | undefined;
  /** Offer compression, unless the user's own lines offer something. */
  readonly compress: boolean;
  readonly lines: readonly HeaderLine[];
}

/** A request that was sent, and what the answer has to fit to. */
export interface SentRequest {
  readonly text: string;
  readonly key: string;
  /** Subprotocols that were asked for. */
  readonly protocols: readonly string[];
  /** Value of `Sec-WebSocket-Extensions`. */
  readonly extensions: string;
}

const OFFER = `${PERMESSAGE_DEFLATE}; client_max_window_bits`;

/** Lines that are ours to write. */
const OURS = new Set(['connection', 'upgrade', 'sec-websocket-version', 'sec-websocket-key']);

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const withoutBreaks = (text: string): string => String(text).replace(/[\r\n\0]/g, '');

const valuesOf = (lines: readonly HeaderLine[], name: string): string =>
  lines
    .filter((line) => line.name === name)
    .map((line) => line.value)
    .join(',');

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function hostLine({ host, port }: OpeningOptions): string {
  if (host === '') return 'Host: localhost';
  return port === 80 || port === 443 || port === 0 ? `Host: ${host}` : `Host: ${host}:${port}`;
}

/** The request for a handshake, with a fresh key. The order of its lines is Workerman's. */
export function openingRequest(options: OpeningOptions): SentRequest {
  const key = process.getBuiltinModule('node:crypto').randomBytes(16).toString('base64');
  const own = options.lines.filter(({ name }) => !OURS.has(name));
  const has = (wanted: string): boolean => own.some(({ name }) => name === wanted);
  // What would end the request line, or take part of it for the version.
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  const uri = options.uri.replace(/[\0- \x7f]/g, encodeURIComponent);
  const lines = [`GET ${uri === '' ? '/' : uri} HTTP/1.1`];
  if (!has('host')) lines.push(hostLine(options));
  lines.push('Connection: Upgrade', 'Upgrade: websocket');
  if (options.origin) lines.push(`Origin: ${withoutBreaks(options.origin)}`);
  const protocols = withoutBreaks(options.protocols ?? '');
  if (protocols !== '') lines.push(`Sec-WebSocket-Protocol: ${protocols}`);
  lines.push('Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`);
  let extensions = valuesOf(own, 'sec-websocket-extensions');
  if (options.compress && extensions === '') {
    extensions = OFFER;
    lines.push(`Sec-WebSocket-Extensions: ${OFFER}`);
  }
  for (const { text } of own) lines.push(text);
  return {
    text: `${lines.join('\r\n')}\r\n\r\n`,
    key,
    protocols: [...listOf(protocols), ...listOf(valuesOf(own, 'sec-websocket-protocol'))],
    extensions,
  };
}

/** A server's answer that opens the connection. */
export interface Opened {
  readonly response: Response;
  readonly agreement: DeflateAgreement | null;
}

const STATUS_LINE = /^HTTP\/(1\.[1-9]) (\d{3})(?: ([^\r\n\0]*))?$/;

/** Name and value of each line; null when one is malformed. */
function parseLines(lines: readonly string[]): [name: string, value: string][] | null {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    const value = trimBlanks(line, colon + 1, line.length);
    if (!isSafeName(name) || !isSafeValue(value)) return null;
    fields.push([name, value]);
  }
  return fields;
}

/**
 * Judges the answer to a request.
 *
 * @param head its head with the empty line
 * @returns the reason when it does not open the connection
 */
export function readOpened(head: Buffer, sent: SentRequest): Opened | string {
  const [first = '', ...lines] = head.toString('utf8', 0, head.length - 4).split('\r\n');
  const fields = parseLines(lines);
  if (fields === null) return 'The answer to the handshake is malformed';
  const all = (name: string): string[] =>
    fields.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
  const accept = all('sec-websocket-accept');
  if (accept.length === 0) return 'Sec-WebSocket-Accept not found';
  if (accept.length > 1 || accept[0] !== acceptOf(sent.key)) return 'Sec-WebSocket-Accept not match';
  const status = STATUS_LINE.exec(first);
  if (status === null) return 'The answer to the handshake is malformed';
  if (status[2] !== '101') return `The answer to the handshake has the status ${status[2]}`;
  if (!listContains(all('upgrade').join(','), 'websocket')) return 'Upgrade not match';
  if (!listContains(all('connection').join(','), 'upgrade')) return 'Connection not match';
  const protocols = all('sec-websocket-protocol');
  if (protocols.length > 1 || protocols.some((name) => !sent.protocols.includes(name)))
    return 'Sec-WebSocket-Protocol not match';
  const answered = parseExtensions(all('sec-websocket-extensions').join(','));
  const agreement = answered === null ? false : readAnswer(answered, parseExtensions(sent.extensions) ?? []);
  if (agreement === false) return 'Sec-WebSocket-Extensions not match';
  return { response: responseOf(status, fields), agreement };
}

/** The answer as the application gets it: names as they were spelled, of a repeated one the last. */
function responseOf(status: RegExpExecArray, fields: readonly [name: string, value: string][]): Response {
  const byName = new Map<string, [string, string]>();
  for (const field of fields) byName.set(field[0].toLowerCase(), field);
  const headers = Object.fromEntries(byName.values());
  return new Response(Number(status[2]), headers)
    .withStatus(Number(status[2]), status[3] ?? '')
    .withProtocolVersion(status[1] as string);
}

/** A head for the console: whatever a server has sent, it can not steer the terminal. */
export function printable(head: Buffer): string {
  return head
    .toString('latin1')
    .replace(/[^\x20-\x7e\r\n\t]/g, '?')
    .trimEnd();
}
