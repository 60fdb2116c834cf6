import { statSync } from 'node:fs';
import { type Body, toBody } from './body.js';
import { cookieLine } from './cookie.js';
import { type AnswerParts, encodeResponse, PLAIN_CONTEXT } from './encode.js';
import { type HeaderObject, HeaderStore, type HeaderValue, type StoredValue, toText } from './headers.js';
import { mimeType } from './mimeTypes.js';
import { PHRASES } from './phrases.js';
import { findInDirectory, type DirectoryOptions } from './directory.js';
import { fileHead, NOT_FOUND_BODY, type FileRange } from './sendFile.js';
import { streamHead } from './sendStream.js';
import { isStreamBody, type StreamBody } from './streamBody.js';

// As in header values: what would end the line, or cut it short in a C program behind us.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const LINE_BREAKS = /[\r\n\0]/g;

const withoutBreaks = (text: string): string => String(text).replace(LINE_BREAKS, '');

/**
 * An HTTP answer, as Workerman 5.2.2 has it. Setters return the response itself.
 *
 *     connection.send(new Response(200, { 'Content-Type': 'application/json' }, '{"ok":true}'));
 *
 * Header names are found without regard to case and written as they were spelled. Headers that could not be written
 * as one line each (a name that is no token, CR, LF or NUL in a value) are left out of the answer without a word.
 * `Content-Length` is always counted; a default `Content-Type: text/html;charset=utf-8` and the `Connection` line are
 * added when they were not set.
 */
export class Response {
  /** Status code → registered reason phrase. */
  static readonly PHRASES: Readonly<Record<number, string>> = PHRASES;

  /** The file that is sent instead of the body, as given to {@link withFile}; null when there is none. */
  file: FileRange | null = null;

  /** @internal What the response is made of. For the encoder; applications use the methods. */
  readonly parts: AnswerParts;

  /**
   * @param status status code, 200.
   * @param headers name → value; an array gives one line per element, numbers are written in decimal.
   * @param body text (sent as UTF-8) or bytes; other scalars are converted. Or a stream of them, which is sent piece by
   * piece as the client takes it: an async iterable, a Node `Readable`, a web `ReadableStream`.
   * @throws TypeError `WM_BAD_DATA` when the body is an array or a plain object.
   */
  constructor(status: number = 200, headers: HeaderObject = {}, body: Body | StreamBody = '') {
    const store = new HeaderStore();
    if (headers) store.addAll(headers);
    this.parts = {
      status: toStatus(status), reason: null, version: '1.1', headers: store, body: '', stream: null, isReused: false,
    };
    this.withBody(body);
  }

  /**
   * The file that a request path names in a directory, or a 404. The path is decoded once; nothing outside the directory
   * is ever sent, whatever dots, encoded characters or symbolic links say. A directory stands for its `index.html`.
   *
   *     connection.send(Response.fromDirectory('/srv/site', request.path()));
   *
   * @param root the directory. What a link in it leads to is served only when that lies in it too.
   * @param path as it came: `request.path()`, or what is left of it behind a prefix.
   */
  static fromDirectory(root: string, path: string, options: DirectoryOptions = {}): Response {
    const file = findInDirectory(root, path, options);
    return file === null ? new Response(404, {}, NOT_FOUND_BODY) : new Response().withFile(file);
  }

  /** Sets a header, replacing the one that was set. */
  header(name: string, value: HeaderValue): this {
    return this.withHeader(name, value);
  }

  /** Sets a header, replacing the one that was set. */
  withHeader(name: string, value: HeaderValue): this {
    this.parts.headers.set(name, value);
    return this;
  }

  /**
   * Adds headers: one that is set already gets another line. Of `Content-Type`, `Content-Length`, `Content-Range`,
   * `Connection`, `Transfer-Encoding`, `Location`, `Last-Modified`, `ETag`, `Date` and `Server` an answer has one, so
   * there the new value replaces the old.
   */
  withHeaders(headers: HeaderObject): this {
    this.parts.headers.addAll(headers);
    return this;
  }

  /** Removes a header. */
  withoutHeader(name: string): this {
    this.parts.headers.remove(name);
    return this;
  }

  /** Value of a header: text, an array when it has several lines, null when it was not set. */
  getHeader(name: string): StoredValue | null {
    const value = this.parts.headers.get(name);
    return Array.isArray(value) ? value.slice() : value;
  }

  /** All headers that were set, in the order of the wire; an object without a prototype. */
  getHeaders(): Record<string, StoredValue> {
    return this.parts.headers.toObject();
  }

  /**
   * Sets the status code.
   *
   * @param reason phrase for the status line; CR, LF and NUL are taken out. Null or empty: the registered phrase.
   */
  withStatus(code: number, reason: string | null = null): this {
    this.parts.status = toStatus(code);
    this.parts.reason = reason === null ? null : withoutBreaks(reason);
    return this;
  }

  /** The status code. */
  getStatusCode(): number {
    return this.parts.status;
  }

  /** The phrase given to {@link withStatus}, or null; never the registered phrase. */
  getReasonPhrase(): string | null {
    return this.parts.reason;
  }

  /** Sets the version of the status line, `'1.1'` by default; CR, LF and NUL are taken out. */
  withProtocolVersion(version: string): this {
    this.parts.version = withoutBreaks(version);
    return this;
  }

  /**
   * Replaces the body.
   *
   * @throws TypeError `WM_BAD_DATA` when it is an array or a plain object.
   */
  withBody(body: Body | StreamBody): this {
    const { parts } = this;
    parts.stream = isStreamBody(body) ? body : null;
    parts.body = parts.stream === null ? toBody(body) : '';
    return this;
  }

  /** The body as it was given; empty when it is a stream. */
  rawBody(): Body {
    return this.parts.body;
  }

  /**
   * Sends a file, or a part of it, instead of the body. Its `Content-Type` comes of its extension unless one is set.
   * What is not a regular file makes a 404 of the response.
   *
   * @param file path. A path that comes from the network has to be checked by the application.
   * @param offset bytes to skip, 0. Anything but 0 makes the answer a 206.
   * @param length bytes to send, 0 for all up to the end. Anything but 0 makes the answer a 206.
   */
  withFile(file: string, offset: number = 0, length: number = 0): this {
    if (isRegularFile(file)) {
      this.file = { file, offset, length };
      return this;
    }
    this.file = null;
    return this.withStatus(404).withBody(NOT_FOUND_BODY);
  }

  /** MIME type of an extension without its dot, compared with its case; `application/octet-stream` when unknown. */
  getMimeType(extension: string): string {
    return mimeType(extension);
  }

  /**
   * Adds a `Set-Cookie` line; those that were set stay. `cookie(name, '', 0)` deletes a cookie.
   *
   * A cookie that can not be written safely is left out without a word: a name that is empty or has `=`, `,`, `;`,
   * white space or a control character; a domain, path or sameSite with `;` or a control character.
   *
   * @param value percent-encoded by this method.
   * @param maxAge seconds to live; null leaves it to the browser's session.
   * @param path path prefix, empty for the directory of the request.
   * @param domain empty for this host alone.
   * @param secure over TLS only.
   * @param httpOnly out of reach of scripts.
   * @param sameSite `Lax`, `Strict`, `None` or empty.
   */
  cookie(
    name: string,
    value: string | number = '',
    maxAge: number | null = null,
    path: string = '',
    domain: string = '',
    secure: boolean = false,
    httpOnly: boolean = false,
    sameSite: string = '',
  ): this {
    const line = cookieLine(name, toText(value), { maxAge, path, domain, secure, httpOnly, sameSite });
    // In an array from the first on, so that reading it back always gives an array.
    if (line !== null) this.parts.headers.add('Set-Cookie', [line]);
    return this;
  }

  /**
   * The whole message as text, as it answers a GET over a persistent HTTP/1.1 connection; of a file or stream the head.
   * Body bytes that are not UTF-8 become U+FFFD.
   */
  toString(): string {
    if (this.file) return fileHead(this);
    return this.parts.stream ? streamHead(this.parts) : encodeResponse(this, PLAIN_CONTEXT).bytes.toString();
  }
}

/** A number whatever a caller without types has given: nothing else may reach the status line. */
const toStatus = (status: number): number => Number(status) | 0;

function isRegularFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    // Missing, out of reach, or no path at all (too long, a NUL in it).
    return false;
  }
}
