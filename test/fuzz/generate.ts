/**
 * Inputs for the differential fuzz: connections full of requests, right ones, wrong ones, and right ones that were
 * changed in a few places. Everything comes from one pseudo-random sequence, so a seed names an input for ever.
 */

/** Pseudo-random numbers from 0 to below 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One input: the bytes of a connection, one character for each, and where a network cuts them. */
export interface Input {
  readonly bytes: string;
  readonly cuts: readonly number[];
}

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'];
const ODD_METHODS = ['get', 'TRACE', 'CONNECT', 'PURGE', 'GETX', 'G', 'PRI', '', 'POST\0', 'M-SEARCH', 'SOURCE'];
const TARGETS = ['/', '/a', '/a?b=c', '/a#b', '/%00', '//x', '/a/../b', '/*', `/${'x'.repeat(300)}`, '/?', '/a;b', '/"', '/<>', '/{}|\\^`'];
const ODD_TARGETS = ['*', 'http://h/', 'h:80', '', '?', '#', 'a', '/a b', '/a\tb', '/\x7f', '/\xe4', '/\xc3\xa4', '/\x80\xff', '/\0', '/\x01'];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'];
const ODD_VERSIONS = ['HTTP/1.2', 'HTTP/1.9', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'http/1.1', 'HTTP/1.', 'HTTP/01.1', 'HTTP/1.1 ', 'HTTP /1.1', 'ICE/1.0', 'RTSP/1.0'];
const HOSTS = ['h', 'h:80', '[::1]', '[::1]:80', 'a,b', 'u@h', '"h"', '*'];
const ODD_HOSTS = ['', 'h:', 'h/', ':80', 'h:80:90', 'a b', '::1', 'h\th', '[]', 'h\x80'];
const NAMES = ['X-A', 'x-a', 'Accept', 'Cookie', 'Content-Type', 'Upgrade', 'Keep-Alive', 'Trailer', 'TE', 'Range', '__proto__', "!#$%&'*+-.^_`|~"];
const ODD_NAMES = ['X A', 'X-A ', ' X-A', '\tX-A', 'X\0', 'X\x80', 'X(', '"X"', '', 'X-A\r', 'Ä', 'X/', 'X[', 'X{'];
const VALUES = ['', '1', 'a b', '  a  ', '\ta\t', 'a,b', 'a;b="c"', '\xe4', '\xc3\xa4', '\x80\xff', 'chunked', 'close', 'x'.repeat(500)];
const ODD_VALUES = ['a\0b', 'a\x01', 'a\x7f', 'a\x0b', 'a\rb', 'a\nb', '\r', '\n', 'a\r', '\x1b[0m'];
const CONNECTIONS = ['close', 'keep-alive', 'Keep-Alive, close', 'upgrade', 'x', 'close, ', ',close', ' CLOSE ', 'keep-alive,', 'upgrade, keep-alive'];
const LENGTHS = ['+5', '-1', '5 ', ' 5', '0x5', '5,5', '5, 5', '', '5;', '05', '00000000000000000005', '1e1', '5.0', '18446744073709551616', '٥', '5\t', '5 5', '5_', '9007199254740993'];
const CODINGS = ['chunked', 'Chunked', 'CHUNKED', ' chunked ', '\tchunked'];
const ODD_CODINGS = ['chunked, chunked', 'gzip, chunked', 'chunked, gzip', 'identity', 'xchunked', 'chunked;q=1', 'chunked,', ',chunked', '"chunked"', 'chunked\0', 'chunked\x0b', '', 'gzip', 'chunkedx', 'chunk ed'];
const SIZES = ['+3', '-3', '0x3', '3 ', ' 3', '3\t', '03', '0000000000000003', '00000000000000003', '3h', '', 'g', '3;', '3;;', '3;a=', '3; a=b', '3 ;a=b', '3;a =b', '3;a= b', '3;a="', '3;a="b"c', '3;=b', '3;a=b ', '3;"a"=b', '3;a\0', '3;a="\x80"', '3;a=\x80', '7fffffffffffffff', '8000000000000000', 'ffffffffffffffff', 'fffffffffffffffff'];
const EXTENSIONS = ['', '', '', '', ';a', ';a=b', ';a="b"', ';a="b;c\\"d"', ';a;b=c', ';a="\t \xe4"'];
const TRAILERS = ['A: 1', 'B:2', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: x', 'a:', 'X: \xe4'];
const ODD_TRAILERS = ['no colon', ' folded', 'A : 1', ': x', 'A\0: 1', 'A: \0', '\x80: 1', 'A:\r1', 'A: 1\n', '(: 1', '0'];
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r\n', '\r\n\r', '', '\r\n ', '\r\n\t', '\v\r\n', ' \r\n'];
const SNIPPETS = [
  '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', ' ', '\t', '\0', ':', ',', ';', '=', '"', '\\', '0', '1', '5', 'a', 'A', '\x7f', '\x80', '\xff', '\x0b', '\x1f',
  'Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:5\r\n', 'Transfer-Encoding: chunked\r\n', 'transfer-encoding:chunked\r\n',
  'Transfer-Encoding: identity\r\n', 'Host: h\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n', 'Expect: x\r\n', '0\r\n\r\n', '1\r\na\r\n',
  'GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP/1.1', ' HTTP/1.1\r\n', 'X: y\r\n', '\r\n\t', '\r\n ', 'Content-Length', 'Transfer-Encoding', 'chunked',
];

/** Writes one input after the other. */
export class Generator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  next(): Input {
    let bytes = '';
    for (let i = this.#upTo(3); i >= 0; i--) bytes += this.#request();
    if (this.#chance(0.5)) bytes = this.#change(bytes);
    const cuts = Array.from({ length: this.#upTo(6) }, () => this.#upTo(bytes.length));
    return { bytes, cuts: this.#chance(0.05) ? Array.from({ length: bytes.length }, (_, i) => i) : cuts };
  }

  #upTo(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #chance(p: number): boolean {
    return this.#random() < p;
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#upTo(list.length)] as T;
  }

  /** Usually one of the first, sometimes one of the second. */
  #pick(usual: readonly string[], odd: readonly string[], p = 0.03): string {
    return this.#one(this.#chance(p) ? odd : usual);
  }

  #request(): string {
    const lines = [`${this.#pick(METHODS, ODD_METHODS)} ${this.#pick(TARGETS, ODD_TARGETS)} ${this.#pick(VERSIONS, ODD_VERSIONS)}`];
    if (this.#chance(0.97)) lines.push(`Host: ${this.#pick(HOSTS, ODD_HOSTS)}`);
    if (this.#chance(0.01)) lines.push('Host: h');
    for (let i = this.#upTo(3); i > 0; i--) lines.push(this.#field());
    if (this.#chance(0.15)) lines.push(`Connection: ${this.#one(CONNECTIONS)}`);
    if (this.#chance(0.05)) lines.push(`Expect: ${this.#pick(['100-continue'], ['x', '100-Continue, x', ''], 0.3)}`);
    const body = this.#body(lines);
    this.#shuffle(lines);
    const ends = lines.map(() => (this.#chance(0.01) ? this.#one(LINE_ENDS) : '\r\n'));
    return `${lines.map((line, i) => line + ends[i]).join('')}\r\n${body}`;
  }

  #field(): string {
    const colon = this.#chance(0.03) ? this.#one([' : ', ':', ' :', '', '::', '=']) : ': ';
    return this.#pick(NAMES, ODD_NAMES) + colon + this.#pick(VALUES, ODD_VALUES);
  }

  /** Adds the lines that frame a body. */
  #body(lines: string[]): string {
    const kind = this.#random();
    if (kind < 0.35) return '';
    const data = this.#data();
    if (kind < 0.6) {
      const length = this.#chance(0.08) ? this.#one(LENGTHS) : String(data.length + (this.#chance(0.05) ? this.#upTo(3) - 1 : 0));
      lines.push(`${this.#one(['Content-Length', 'content-length', 'CONTENT-LENGTH'])}: ${length}`);
      if (this.#chance(0.02)) lines.push(`Content-Length: ${this.#chance(0.5) ? length : '0'}`);
      if (this.#chance(0.03)) lines.push(`Transfer-Encoding: ${this.#pick(CODINGS, ODD_CODINGS, 0.5)}`);
      return data;
    }
    lines.push(`${this.#one(['Transfer-Encoding', 'transfer-encoding'])}: ${this.#pick(CODINGS, ODD_CODINGS, 0.06)}`);
    if (this.#chance(0.03)) lines.push(`Transfer-Encoding: ${this.#one(CODINGS)}`);
    if (this.#chance(0.03)) lines.push(`Content-Length: ${data.length}`);
    return this.#chunks();
  }

  #data(): string {
    return this.#one(['', 'a', 'hello', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', '\r\n', '0\r\n\r\n', 'x'.repeat(this.#upTo(400)), '\0\x80\xff']);
  }

  #chunks(): string {
    let body = '';
    for (let i = this.#upTo(4); i > 0; i--) {
      const data = this.#data() || 'x';
      const hex = data.length.toString(16);
      const size = this.#chance(0.03) ? this.#one(SIZES) : (this.#chance(0.3) ? `0${hex.toUpperCase()}` : hex);
      const end = this.#chance(0.02) ? this.#one(LINE_ENDS) : '\r\n';
      body += `${size}${this.#one(EXTENSIONS)}\r\n${data}${end}`;
    }
    body += `${this.#chance(0.05) ? this.#one(['00', '000', '0;a', '0 ', '0x0', '-0', '']) : '0'}\r\n`;
    for (let i = this.#chance(0.2) ? this.#upTo(3) : 0; i > 0; i--) body += `${this.#pick(TRAILERS, ODD_TRAILERS, 0.15)}\r\n`;
    return `${body}${this.#chance(0.02) ? this.#one(LINE_ENDS) : '\r\n'}`;
  }

  /** Any order of the header lines, the request line in front. */
  #shuffle(lines: string[]): void {
    for (let i = lines.length - 1; i > 1; i--) {
      const j = 1 + this.#upTo(i);
      [lines[i], lines[j]] = [lines[j]!, lines[i]!];
    }
  }

  /** Puts in, takes out, doubles or replaces a few bytes. */
  #change(bytes: string): string {
    let changed = bytes;
    for (let i = 1 + this.#upTo(3); i > 0; i--) {
      const at = this.#upTo(changed.length + 1);
      const length = this.#upTo(6);
      const front = changed.slice(0, at);
      switch (this.#upTo(5)) {
        case 0: changed = front + this.#one(SNIPPETS) + changed.slice(at); break;
        case 1: changed = front + changed.slice(at + 1 + length); break;
        case 2: changed = front + changed.slice(at, at + 20 * length) + changed.slice(at); break;
        case 3: changed = front + this.#one(SNIPPETS) + changed.slice(at + length); break;
        default: changed = front + String.fromCharCode(this.#upTo(256)) + changed.slice(at + 1);
      }
    }
    return changed;
  }
}
