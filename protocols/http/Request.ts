import type { TcpConnection } from '../../connection/TcpConnection.js';
import { looseHead, lowerAscii, parseFields } from './parse/head.js';
import type { Head, LooseHead } from './parse/head.js';
import { parseCookie } from './parse/cookie.js';
import { parseJson } from './parse/json.js';
import type { JsonValue } from './parse/json.js';
import { parseStr } from './parse/query.js';
import type { Nested, NestedRecord } from './parse/query.js';
import { beginRecord, endRecord } from './parse/record.js';

/** What a name in a query string can stand for: text, or lists and records of text where the name had brackets. */
export type QueryValue = Nested<string>;

/** What a name in a body can stand for; other than text and nesting only in JSON bodies. */
export type PostValue = JsonValue;

const CR = 0x0d;
const SP = 0x20;
const HASH = 0x23;
const QUESTION_MARK = 0x3f;

/**
 * One HTTP request. Nothing is parsed before it is asked for, and nothing twice.
 *
 * Text is read as UTF-8 with U+FFFD for what is none. Objects returned by `get`, `post`, `header`, `cookie` and
 * `trailer` have no prototype, so that a client's `__proto__` is a name like any other. "Absent" is `null`.
 *
 * The bytes given to the constructor may be anything; only requests that come from the Http protocol have been checked.
 */
export class Request {
  /** Most parts, fields and files together, that are read of a multipart body. The rest is ignored. */
  static maxFileUploads: number = 1024;

  /** Kept for scripts that name it. Nothing is cached across requests here. */
  static readonly MAX_CACHE_STRING_LENGTH: number = 4096;

  /** Kept for scripts that name it. Nothing is cached across requests here. */
  static readonly MAX_CACHE_SIZE: number = 256;

  // A request carries whatever an application hangs on it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [property: string]: any;

  /** The connection that brought the request; `null` for a request made by hand and after `destroy()`. */
  connection: TcpConnection | null = null;

  /** What the framework remembers about this request. */
  context: Record<string, unknown> = {};

  /** Free for the application; `request.user = …` on the request itself does as well. */
  properties: Record<string, unknown> = {};

  readonly #buffer: Buffer;
  readonly #head: Head | undefined;
  #looseHead: LooseHead | undefined;
  #headers: Record<string, string> | undefined;
  #get: NestedRecord<string> | undefined;
  #post: Record<string, PostValue> | undefined;
  #cookies: Record<string, string> | undefined;
  #trailers: Record<string, string> | undefined;
  #bodyText: string | undefined;
  #text: string | undefined;

  /**
   * @param buffer The whole message, body included and not chunked. It is not copied.
   * @param head What `parseHead` says about this very buffer, to save looking again.
   */
  constructor(buffer: Buffer | string, head?: Head) {
    this.#buffer = typeof buffer === 'string' ? Buffer.from(buffer) : buffer;
    this.#head = head;
  }

  /** First word of the request line: `'GET'`. */
  method(): string {
    return (this.#head ?? this.#loose()).method;
  }

  /** The request target as it was sent, with query and fragment; `'/'` when the line has none. */
  uri(): string {
    return (this.#head ?? this.#loose()).target;
  }

  /**
   * The target up to the first `?` or `#`, neither decoded nor normalised. Workerman asks `parse_url`, which takes
   * `//x/admin` for host and path; here a path stays what the client sent.
   */
  path(): string {
    const uri = this.uri();
    const end = uri.search(/[?#]/);
    return end < 0 ? uri : uri.slice(0, end);
  }

  /** What stands between the first `?` and a `#`, not decoded; `''` without a query. */
  queryString(): string {
    const uri = this.uri();
    const hash = uri.indexOf('#');
    const end = hash < 0 ? uri.length : hash;
    const mark = uri.indexOf('?');
    return mark < 0 || mark > end ? '' : uri.slice(mark + 1, end);
  }

  /** `'1.1'`, `'1.0'` …; `'1.0'` when the request line names none. */
  protocolVersion(): string {
    return this.#head ? `1.${this.#head.minor}` : this.#loose().version;
  }

  /** The Host header, or `null`. With `withoutPort` a colon and one to five digits at its end are taken off. */
  host(withoutPort: boolean = false): string | null {
    const host = this.header('host');
    return host !== null && withoutPort ? host.replace(/:[0-9]{1,5}$/, '') : host;
  }

  /**
   * All headers with their names in lower case, or the one called `name` in any case, or `defaultValue` when it is
   * absent. Repeated headers are joined with `,`, Cookie headers with `; `.
   */
  header(name?: null): Record<string, string>;
  header(name: string): string | null;
  header<Default>(name: string, defaultValue: Default): string | Default;
  header(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#headers ??= parseFields(this.#buffer, this.#headEnd());
    return name === null ? this.#headers : (this.#headers[lowerAscii(name)] ?? defaultValue);
  }

  /**
   * All parameters of the query string, nested like PHP's `$_GET`, or the one whose outermost name is `name`.
   * Name the type where you know it: `request.get<string>('id')`; nothing checks it.
   */
  get(name?: null): Record<string, QueryValue>;
  get<Value = QueryValue>(name: string): Value | null;
  get<Value = QueryValue, Default = Value>(name: string, defaultValue: Default): Value | Default;
  get(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#get ??= parseStr(this.#queryBytes());
    return name === null ? this.#get : pick(this.#get, name, defaultValue);
  }

  /**
   * All fields of the body, whatever the method, or the one whose outermost name is `name`; a `null` in JSON counts as
   * absent. A JSON body that is a list gives an Array. Name the type where you know it: `request.post<string>('name')`;
   * nothing checks it.
   */
  post(name?: null): Record<string, PostValue>;
  post<Value = PostValue>(name: string): Value | null;
  post<Value = PostValue, Default = Value>(name: string, defaultValue: Default): Value | Default;
  post(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#post ??= this.#parsePost();
    return name === null ? this.#post : pick(this.#post, name, defaultValue);
  }

  /** All cookies, or the one called `name`. Values are as they were sent: not URL-decoded, quotes kept. */
  cookie(name?: null): Record<string, string>;
  cookie(name: string): string | null;
  cookie<Default>(name: string, defaultValue: Default): string | Default;
  cookie(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#cookies ??= parseCookie(this.header('cookie', ''));
    return name === null ? this.#cookies : pick(this.#cookies, name, defaultValue);
  }

  /** All trailer fields of a chunked request, or the one called `name` in any case. They are no headers. */
  trailer(name?: null): Record<string, string>;
  trailer(name: string): string | null;
  trailer<Default>(name: string, defaultValue: Default): string | Default;
  trailer(name: string | null = null, defaultValue: unknown = null): unknown {
    const trailers = this.#trailers ?? endRecord(beginRecord<string>());
    return name === null ? trailers : pick(trailers, lowerAscii(name), defaultValue);
  }

  /** For the Http protocol: the trailer fields. The first call counts, later ones are ignored. */
  setChunkTrailers(trailers: Readonly<Record<string, string>>): void {
    if (this.#trailers !== undefined) return;
    const record = beginRecord<string>();
    for (const name of Object.keys(trailers)) record[lowerAscii(name)] = trailers[name]!;
    this.#trailers = endRecord(record);
  }

  /** Request line and headers, without the empty line. */
  rawHead(): string {
    return this.#buffer.toString('utf8', 0, this.#headEnd());
  }

  /** The body as text. For bytes that are none, use `rawBodyBytes()`. */
  rawBody(): string {
    return (this.#bodyText ??= this.rawBodyBytes().toString('utf8'));
  }

  /** The body as it came. The bytes are those of the request, not a copy. */
  rawBodyBytes(): Buffer {
    return this.#buffer.subarray(this.#head?.length ?? this.#loose().bodyStart);
  }

  /** The whole message as text. */
  rawBuffer(): string {
    return (this.#text ??= this.#buffer.toString('utf8'));
  }

  /** The same as `rawBuffer()`, so that `String(request)` shows the message. */
  toString(): string {
    return this.rawBuffer();
  }

  /** Lets go of the connection and of all that was hung on `context` and `properties`. */
  destroy(): void {
    this.context = {};
    this.properties = {};
    this.connection = null;
  }

  /** The kinds of body, in the order in which the Content-Type is asked. */
  #parsePost(): Record<string, PostValue> {
    const body = this.rawBodyBytes();
    if (body.length === 0) return endRecord(beginRecord<PostValue>());
    const type = lowerAscii(this.header('content-type', ''));
    // A list is as good as a record for whoever asks by name.
    if (type.includes('json')) return parseJson(body) as Record<string, PostValue>;
    return parseStr(body);
  }

  /** The bytes of the query: `%` sequences and raw bytes beside them may be parts of one character. */
  #queryBytes(): Buffer {
    const buffer = this.#buffer;
    let start = 0;
    while (start < buffer.length && buffer[start] !== SP && buffer[start] !== CR) start++;
    let mark = -1;
    let end = start + 1;
    for (; end < buffer.length; end++) {
      const byte = buffer[end]!;
      if (byte === SP || byte === CR || byte === HASH) break;
      if (byte === QUESTION_MARK && mark < 0) mark = end;
    }
    return mark < 0 ? buffer.subarray(0, 0) : buffer.subarray(mark + 1, end);
  }

  #loose(): LooseHead {
    return (this.#looseHead ??= looseHead(this.#buffer));
  }

  #headEnd(): number {
    return this.#head ? this.#head.length - 4 : this.#loose().headEnd;
  }
}

/** The entry called `name`; of a list only its elements, not what every Array inherits or `length`. */
function pick(data: Readonly<Record<string, unknown>>, name: string, defaultValue: unknown): unknown {
  if (Array.isArray(data) && !Object.prototype.propertyIsEnumerable.call(data, name)) return defaultValue;
  return data[name] ?? defaultValue;
}
