import { WorkermanError } from '../../errors.js';
import type { AnswerParts } from './encode.js';
import { HeaderStore } from './headers.js';
import type { StreamBody } from './streamBody.js';

/**
 * The bridge to the Fetch standard: our requests as standard `Request`s, standard `Response`s as ours.
 */

/** What of one of our requests becomes a standard one. */
export interface WebRequestParts {
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  readonly host: string | null;
  readonly isSecure: boolean;
  /** Request line and header lines, one character for each byte. */
  readonly head: string;
  /** Bytes, a stream of them, or null for none. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly signal: AbortSignal | null;
}

/** The standard `Request`. Not every TypeScript library has a type for `duplex` yet. */
interface StreamingInit extends RequestInit {
  duplex: 'half';
}

/**
 * @throws TypeError for a head that was not checked by the Http protocol and that no standard request can have
 */
export function toWebRequest(parts: WebRequestParts): globalThis.Request {
  const { method, body } = parts;
  // The standard knows no GET or HEAD with a body.
  const sent = method === 'GET' || method === 'HEAD' ? null : body;
  const init: RequestInit = { method, headers: webHeaders(parts.head) };
  if (parts.signal !== null) init.signal = parts.signal;
  if (sent instanceof Uint8Array) {
    if (sent.length > 0) init.body = sent as Uint8Array<ArrayBuffer>;
  } else if (sent !== null) {
    init.body = webStream(sent);
    (init as StreamingInit).duplex = 'half';
  }
  return new globalThis.Request(webUrl(parts), init);
}

/**
 * The URL that a request was made to. A Host header may be many things that are no authority of a URL (`user@host`, a
 * path); such a request is not refused, but neither may its host become another part of the URL: it is `localhost` then.
 */
function webUrl({ target, host, isSecure }: WebRequestParts): string {
  const hash = target.indexOf('#');
  const path = hash < 0 ? target : target.slice(0, hash);
  return origin(isSecure ? 'https' : 'http', host) + (path.startsWith('/') ? path : `/${path}`);
}

function origin(scheme: string, host: string | null): string {
  if (host !== null && /^[^\s@/\\?#]+$/.test(host)) {
    try {
      const url = new URL(`${scheme}://${host}/`);
      if (url.username === '' && url.pathname === '/' && url.search === '' && url.hash === '') return url.origin;
    } catch {
      // No authority of a URL.
    }
  }
  return `${scheme}://localhost`;
}

/** Every line a header of its own; values byte by byte, as the standard wants them. */
function webHeaders(head: string): Headers {
  const headers = new Headers();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return headers;
}

/** Asked for a piece only when somebody reads. */
function webStream(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  let iterator: AsyncIterator<Uint8Array> | null = null;
  const begin = (): AsyncIterator<Uint8Array> => (iterator ??= pieces[Symbol.asyncIterator]());
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await begin().next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await begin().return?.();
    },
  }, { highWaterMark: 0 });
}

/** A standard `Response`, of whatever implementation. */
export interface WebResponse {
  readonly status: number;
  readonly statusText: string;
  readonly bodyUsed: boolean;
  readonly body: StreamBody | null;
  readonly headers: Iterable<[name: string, value: string]>;
}

/**
 * True for a standard `Response`: Node's, or one of a package that brings its own. Known by what it can do: naming Node's
 * class would load its fetch, which a server that never uses it should not pay for.
 */
export function isWebResponse(value: unknown): value is WebResponse {
  if (typeof value !== 'object' || value === null) return false;
  const other = value as Record<string, unknown>;
  return typeof other['arrayBuffer'] === 'function' && typeof other['status'] === 'number'
    && typeof other['headers'] === 'object' && 'bodyUsed' in other;
}

/**
 * The standard gives one character for each byte of a header, and text is written as UTF-8 here: so the bytes are what
 * UTF-8 makes of this text. Bytes that are no UTF-8 are taken for what they look like.
 */
function toText(value: string): string {
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/**
 * The record of a `Response` of ours that says the same. Nothing is added to it but how long it is and whether the
 * connection persists. `Response.error()` is a 500.
 *
 * @throws WorkermanError `WM_BAD_DATA` when its body has been read
 */
export function webResponseParts(response: WebResponse): AnswerParts {
  if (response.bodyUsed) throw new WorkermanError('WM_BAD_DATA', 'The body of this Response has been read');
  const headers = new HeaderStore();
  // Set-Cookie comes once for each line, everything else joined: as the standard iterates.
  for (const [name, value] of response.headers) {
    const lower = name.toLowerCase();
    // How the body is framed is not for the application to say: a head copied from an upstream answer would lie.
    if (lower !== 'transfer-encoding') headers.add(name, lower === 'set-cookie' ? [toText(value)] : toText(value));
  }
  const status = response.status === 0 ? 500 : Number(response.status) | 0;
  // eslint-disable-next-line no-control-regex -- what no status line may have
  const reason = response.statusText ? String(response.statusText).replace(/[\r\n\0]/g, '') : null;
  return { status, reason, version: '1.1', headers, body: '', stream: response.body ?? null, isBare: true };
}
