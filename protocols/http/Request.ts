import type { TcpConnection } from '../../connection/TcpConnection.js';
import { WorkermanError } from '../../errors.js';
import { type BodyStream, readWhole, type RequestBody } from './BodyStream.js';
import type { UserValue } from '../ProtocolInterface.js';
import { httpStateOf } from './HttpState.js';
import { looseHead, lowerAscii, parseFields } from './parse/head.js';
import type { Head, LooseHead } from './parse/head.js';
import { parseCookie } from './parse/cookie.js';
import { parseJson } from './parse/json.js';
import type { JsonValue } from './parse/json.js';
import { type BodyKind, bodyKindOf } from './parse/bodyKind.js';
import { parseMultipart } from './parse/multipart.js';
import type { Multipart } from './parse/multipart.js';
import { nestPairs, parseStr, queryOf } from './parse/query.js';
import type { Nested, NestedRecord } from './parse/query.js';
import { beginRecord, endRecord } from './parse/record.js';
import type { Session } from './Session.js';
import { beginSessions, giveNewSessionId, giveSessionId, sessionIdOf } from './session/ofRequest.js';
import type { RequestSessions } from './session/RequestSessions.js';
import { createSessionId, isClientSessionId, isUsableSessionId } from './session/sessionId.js';
import { TempFiles } from './uploads.js';
import type { FileValue } from './uploads.js';
import { toWebRequest } from './web.js';

/** What a name in a query string can stand for: text, or lists and records of text where the name had brackets. */
export type QueryValue = Nested<string>;

/** What a name in a body can stand for; other than text and nesting only in JSON bodies. */
export type PostValue = JsonValue;

const HASH = 0x23;
const QUESTION_MARK = 0x3f;

/** What is made of a request when it is asked for. */
interface Made {
  whole?: Promise<Buffer>;
  looseHead?: LooseHead | undefined;
  headers?: Record<string, string> | undefined;
  get?: NestedRecord<string>;
  post?: Record<string, PostValue>;
  cookies?: Record<string, string>;
  trailers?: Record<string, string>;
  multipart?: Multipart | null;
  files?: Record<string, FileValue>;
  tempFiles?: TempFiles;
  bodyText?: string;
  text?: string;
}

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

  /** A request carries whatever an application hangs on it. */
  [property: string]: UserValue;

  /** The connection that brought the request; `null` for a request made by hand and after `destroy()`. */
  connection: TcpConnection | null = null;

  /** @internal For the Http protocol: the head of the answer has been sent, so that nothing can be added to it. */
  _isAnswered: boolean = false;

  /** @internal For the Http protocol: what the answer depends on. */
  _asked: Head | null = null;

  /** Null: the head has it all, as text. */
  #ownBytes: Buffer | null;
  #head: Head | undefined;
  /** The body, while it is read in pieces. */
  #stream: BodyStream | null = null;
  #sessions: RequestSessions | null = null;
  /** What has been made of the message so far; most requests are asked for very little. */
  #made: Made | null = null;
  #context: Record<string, unknown> | null = null;
  #properties: Record<string, unknown> | null = null;

  /**
   * A request made by hand; those of connections come from the Http protocol.
   *
   * @param buffer The whole message, body included and not chunked. It is not copied.
   * @param head What `parseHead` says about this very buffer, to save looking again. For the package: null as the buffer
   * stands for a known head without a body.
   */
  constructor(buffer: Buffer | string | null, head?: Head) {
    this.#ownBytes = typeof buffer === 'string' ? Buffer.from(buffer) : buffer;
    this.#head = head;
  }

  /** What the framework remembers about this request: the id of its session as `sid`, and the session. Default `{}`. */
  get context(): Record<string, unknown> {
    return (this.#context ??= {});
  }

  set context(value: Record<string, unknown>) {
    this.#context = value;
  }

  /** Free for the application, default `{}`; `request.user = …` on the request itself does as well. */
  get properties(): Record<string, unknown> {
    return (this.#properties ??= {});
  }

  set properties(value: Record<string, unknown>) {
    this.#properties = value;
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
    for (let at = 0; at < uri.length; at++) {
      const code = uri.charCodeAt(at);
      if (code === QUESTION_MARK || code === HASH) return uri.slice(0, at);
    }
    return uri;
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
    const head = this.#head;
    if (name !== null && head?.known && this.#made?.headers === undefined) return head.known.field(name) ?? defaultValue;
    this.#lazy.headers ??= parseFields(this.#buffer, this.#headEnd());
    return name === null ? this.#lazy.headers : (this.#lazy.headers[lowerAscii(name)] ?? defaultValue);
  }

  /**
   * All parameters of the query string, nested like PHP's `$_GET`, or the one whose outermost name is `name`.
   * Name the type where you know it: `request.get<string>('id')`; nothing checks it.
   */
  get(name?: null): Record<string, QueryValue>;
  get<Value = QueryValue>(name: string): Value | null;
  get<Value = QueryValue, Default = Value>(name: string, defaultValue: Default): Value | Default;
  get(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#lazy.get ??= parseStr(queryOf(this.#buffer));
    return name === null ? this.#lazy.get : pick(this.#lazy.get, name, defaultValue);
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
    this.#lazy.post ??= this.#parsePost();
    return name === null ? this.#lazy.post : pick(this.#lazy.post, name, defaultValue);
  }

  /**
   * All uploaded files, nested like PHP's `$_FILES` should be, or what stands under the outermost name `name`. The
   * first call writes them to `Http.uploadTmpDir()`; they are removed when the request is done with, unless they were
   * moved. A call after that parses and writes all of them anew. Name the type where you know it:
   * `request.file<UploadedFile>('avatar')`; nothing checks it.
   */
  file(name?: null): Record<string, FileValue>;
  file<Value = FileValue>(name: string): Value | null;
  file(name: string | null = null): unknown {
    if (this.#lazy.files === undefined || this.#lazy.tempFiles?.wereMoved) this.#lazy.files = this.#storeFiles();
    return name === null ? this.#lazy.files : (this.#lazy.files[name] ?? null);
  }

  /** All cookies, or the one called `name`. Values are as they were sent: not URL-decoded, quotes kept. */
  cookie(name?: null): Record<string, string>;
  cookie(name: string): string | null;
  cookie<Default>(name: string, defaultValue: Default): string | Default;
  cookie(name: string | null = null, defaultValue: unknown = null): unknown {
    this.#lazy.cookies ??= parseCookie(this.header('cookie', ''));
    return name === null ? this.#lazy.cookies : pick(this.#lazy.cookies, name, defaultValue);
  }

  /** All trailer fields of a chunked request, or the one called `name` in any case. They are no headers. */
  trailer(name?: null): Record<string, string>;
  trailer(name: string): string | null;
  trailer<Default>(name: string, defaultValue: Default): string | Default;
  trailer(name: string | null = null, defaultValue: unknown = null): unknown {
    const trailers = this.#lazy.trailers ?? endRecord(beginRecord<string>());
    return name === null ? trailers : pick(trailers, lowerAscii(name), defaultValue);
  }

  /** For the Http protocol: the trailer fields. The first call counts, later ones are ignored. */
  setChunkTrailers(trailers: Readonly<Record<string, string>>): void {
    if (this.#lazy.trailers !== undefined) return;
    const record = beginRecord<string>();
    for (const name of Object.keys(trailers)) record[lowerAscii(name)] = trailers[name]!;
    this.#lazy.trailers = endRecord(record);
  }

  /**
   * The session of this request, the same object for every call. It is read from the store when it is first asked for.
   * Rejects when that fails, and with `WM_SESSION` where {@link sessionId} throws.
   */
  async session(): Promise<Session> {
    const id = this.sessionId();
    this.#sessions ??= beginSessions(this);
    const session = await this.#sessions.load(id);
    this.context['session'] = session;
    return session;
  }

  /**
   * The id of the session: that of the cookie `Session.name`, or a new one, which the next answer gives to the client.
   * With an argument, gives this request another session: changes of the present one are stored, its data stays there.
   *
   * @throws WorkermanError `WM_SESSION` when a cookie would have to be sent and there is no connection or the answer
   * has been sent, and for an argument that is not `[a-zA-Z0-9,-]{1,256}`.
   */
  sessionId(id: string | null = null): string {
    if (id === null) return sessionIdOf(this);
    if (!isUsableSessionId(id)) throw new WorkermanError('WM_SESSION', 'A session id has 1 to 256 of a-z A-Z 0-9,-');
    giveSessionId(this, id);
    this.#sessions?.leave();
    return id;
  }

  /**
   * Moves the data of the session to a new id, which the next answer gives to the client: do so when a user logs in.
   * With `deleteOld` nothing is left under the old id.
   *
   * @returns the new id. Rejects with `WM_SESSION` like {@link sessionId}.
   */
  async sessionRegenerateId(deleteOld: boolean = false): Promise<string> {
    const old = await this.session();
    const id = giveNewSessionId(this);
    this.context['session'] = this.#sessions!.move(old, id, deleteOld);
    return id;
  }

  /** True for what is accepted as the id of a session from a client: 16 to 256 of `a-z A-Z 0-9 , -`. */
  isValidSessionId(id: unknown): boolean {
    return isClientSessionId(id);
  }

  /** A new id for a session: 26 characters of `0-9 a-v` that nobody can guess. A subclass may make its own. */
  static createSessionId(): string {
    return createSessionId();
  }

  /** Request line and headers, without the empty line. */
  rawHead(): string {
    return this.#buffer.toString('utf8', 0, this.#headEnd());
  }

  /** The body as text. For bytes that are none, use `rawBodyBytes()`. */
  rawBody(): string {
    return (this.#lazy.bodyText ??= this.rawBodyBytes().toString('utf8'));
  }

  /** The body as it came. The bytes are those of the request, not a copy. */
  rawBodyBytes(): Buffer {
    this.#expectWhole();
    return this.#buffer.subarray(this.#head?.length ?? this.#loose().bodyStart);
  }

  /** The whole message as text. */
  rawBuffer(): string {
    this.#expectWhole();
    return (this.#lazy.text ??= this.#buffer.toString('utf8'));
  }

  /** The same as `rawBuffer()`, so that `String(request)` shows the message. Of a streamed one the head. */
  toString(): string {
    return this.#stream === null ? this.rawBuffer() : this.#buffer.toString('utf8');
  }

  /**
   * The body in pieces: `for await (const piece of request.body)`. With `worker.streamBodies` as they arrive, once, and
   * the client is made to wait while nobody reads; otherwise the whole body is one piece. Assigning replaces the property.
   */
  get body(): RequestBody {
    return this.#stream ?? onePiece(this.rawBodyBytes());
  }

  set body(value: unknown) {
    Object.defineProperty(this, 'body', { value, writable: true, enumerable: true, configurable: true });
  }

  /**
   * The whole body; from then on `rawBody()`, `post()` and `file()` work on a streamed request too.
   *
   * @param limit most bytes; without one, the connection's `maxPackageSize`
   * @throws (rejects) WorkermanError `WM_BODY_TOO_LARGE`, `WM_CLIENT_GONE`, or `WM_BODY_STREAMED` when it was read in pieces
   */
  readBody(limit: number = this.connection?.maxPackageSize ?? Infinity): Promise<Buffer> {
    this.#lazy.whole ??= this.#readBody(limit);
    return this.#lazy.whole;
  }

  /** This request as a standard `Request`. Its signal is aborted when the client leaves before it is answered. */
  toWeb(): globalThis.Request {
    const { connection } = this;
    const abort = new AbortController();
    const state = httpStateOf(connection);
    if (state?.closed === true) abort.abort(new WorkermanError('WM_CLIENT_GONE', 'The client is gone'));
    else if (state) (state.aborts ??= new Set()).add(abort);
    return toWebRequest({
      method: this.method(),
      target: this.uri(),
      host: this.host(),
      isSecure: connection?.transport === 'ssl',
      head: this.#buffer.toString('latin1', 0, this.#headEnd()),
      body: this.#stream ?? this.rawBodyBytes(),
      signal: abort.signal,
    });
  }

  /** @internal For the Http protocol: what is known about these bytes, when they are still those of this request. */
  _tellHead(head: Head, bytes: Buffer): void {
    if (this.#ownBytes === bytes) this.#head = head;
  }

  /** @internal For the Http protocol: the body is yet to come. */
  _stream(body: BodyStream): void {
    this.#stream = body;
  }

  async #readBody(limit: number): Promise<Buffer> {
    const stream = this.#stream;
    const body = await readWhole(this.body, limit, stream === null ? this.rawBodyBytes().length : stream.left);
    if (stream !== null) this.#becomeWhole(body);
    return body;
  }

  /** What it would have been from the start, had it not been streamed. */
  #becomeWhole(body: Buffer): void {
    const head = this.#buffer.subarray(0, this.#headEnd() + 2);
    const hasLength = this.header('content-length') !== null;
    const rest = Buffer.from(hasLength ? '\r\n' : `Content-Length: ${body.length}\r\n\r\n`);
    this.#ownBytes = Buffer.concat([head, rest, body]);
    if (this.#head) this.#head = { ...this.#head, length: head.length + rest.length, contentLength: body.length, known: null };
    this.#lazy.looseHead = undefined;
    this.#lazy.headers = undefined;
    this.#stream = null;
  }

  #expectWhole(): void {
    if (this.#stream === null) return;
    throw new WorkermanError(
      'WM_BODY_STREAMED', 'The body of this request is streamed: read request.body, or await request.readBody() first',
    );
  }

  /** Lets go of the connection and of all that was hung on `context` and `properties`. */
  destroy(): void {
    this.context = {};
    this.properties = {};
    this.connection = null;
  }

  /** The kinds of body, in the order in which the Content-Type is asked. */
  #parsePost(): Record<string, PostValue> {
    const multipart = this.#parts();
    if (multipart !== null) return nestPairs<string>(multipart.fields);
    const body = this.rawBodyBytes();
    if (body.length === 0) return endRecord(beginRecord<PostValue>());
    // A list is as good as a record for whoever asks by name.
    if (this.#bodyKind().isJson) return parseJson(body) as Record<string, PostValue>;
    return parseStr(body);
  }

  /** The parts of the body; null when it is of another kind. */
  #parts(): Multipart | null {
    if (this.#lazy.multipart !== undefined) return this.#lazy.multipart;
    const { boundary } = this.#bodyKind();
    this.#lazy.multipart = boundary === null
      ? null
      : parseMultipart(this.rawBodyBytes(), boundary, { maxParts: Request.maxFileUploads });
    return this.#lazy.multipart;
  }

  /** Of a known head it is known too, unless the application has taken its headers into its own hands. */
  #bodyKind(): BodyKind {
    const known = this.#made?.headers === undefined ? this.#head?.known : null;
    return known ? known.bodyKind : bodyKindOf(this.header('content-type', ''));
  }

  #storeFiles(): Record<string, FileValue> {
    const multipart = this.#parts();
    if (multipart === null) return endRecord(beginRecord<FileValue>());
    this.#lazy.tempFiles ??= new TempFiles(this);
    httpStateOf(this.connection)?.keepFiles(this);
    return this.#lazy.tempFiles.store(multipart.files);
  }

  /** @internal For the Http protocol: this request is over. */
  _removeFiles(): void {
    this.#made?.tempFiles?.remove();
  }

  /** @internal For the Http protocol: the sessions that were asked for. */
  get _sessions(): RequestSessions | null {
    return this.#sessions;
  }

  get #lazy(): Made {
    return (this.#made ??= {});
  }

  /** The message. Made when it is asked for where the head is known: an application may write to what it gets. */
  get #buffer(): Buffer {
    return (this.#ownBytes ??= this.#head?.known?.copy() ?? Buffer.alloc(0));
  }

  #loose(): LooseHead {
    return (this.#lazy.looseHead ??= looseHead(this.#buffer));
  }

  #headEnd(): number {
    return this.#head ? this.#head.length - 4 : this.#loose().headEnd;
  }
}

async function* onePiece(body: Buffer): AsyncIterable<Buffer> {
  if (body.length > 0) yield body;
}

/** The entry called `name`; of a list only its elements, not what every Array inherits or `length`. */
function pick(data: Readonly<Record<string, unknown>>, name: string, defaultValue: unknown): unknown {
  if (Array.isArray(data) && !Object.prototype.propertyIsEnumerable.call(data, name)) return defaultValue;
  return data[name] ?? defaultValue;
}
