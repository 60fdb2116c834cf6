import { NOTHING, wait, type ProxyDialogue, type ProxyStep } from './ProxyDialogue.js';

const FAILED = 'Proxy CONNECT failed';
/** Bytes that the head of an answer may have. */
const HEAD_LIMIT = 16_384;
const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/;

/**
 * The client's part of an HTTP tunnel (RFC 9110 section 9.3.6): one CONNECT, one answer whose head is all that belongs
 * to the proxy. Only 200 opens the tunnel.
 */
export class HttpProxyDialogue implements ProxyDialogue {
  readonly #target: string;
  readonly #authorization: string;
  #received: Buffer = NOTHING;
  #statusSeen = false;

  /**
   * @param host as written, IPv6 in brackets
   * @param authorization value of `Proxy-Authorization`; empty: no such line. Line ends in it are taken out
   */
  constructor(host: string, port: number, authorization: string) {
    this.#target = `${host}:${port}`;
    this.#authorization = authorization.replace(/[\r\n\0]/g, '');
  }

  begin(): ProxyStep {
    const lines = [`CONNECT ${this.#target} HTTP/1.1`, `Host: ${this.#target}`];
    if (this.#authorization !== '') lines.push(`Proxy-Authorization: ${this.#authorization}`);
    lines.push('Proxy-Connection: keep-alive', '', '');
    return { state: 'open', send: Buffer.from(lines.join('\r\n')) };
  }

  receive(bytes: Buffer): ProxyStep {
    // Only the last three bytes of what was searched before can be part of an end of the head.
    const searched = Math.max(0, this.#received.length - HEAD_END.length + 1);
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const refusal = this.#statusSeen ? null : this.#readStatus();
    if (refusal !== null) return refusal;
    const end = this.#received.indexOf(HEAD_END, searched);
    const length = end < 0 ? this.#received.length : end + HEAD_END.length;
    if (length > HEAD_LIMIT) return { state: 'failed', reason: FAILED };
    return end < 0 ? wait() : { state: 'connected', send: NOTHING, rest: this.#received.subarray(length) };
  }

  interrupted(): string {
    return FAILED;
  }

  /** @returns the refusal when the first line is there and is one */
  #readStatus(): ProxyStep | null {
    const end = this.#received.indexOf('\n');
    if (end < 0) return null;
    this.#statusSeen = true;
    const line = this.#received.toString('latin1', 0, end).replace(/\r$/, '');
    const match = STATUS_LINE.exec(line);
    if (match === null) return { state: 'failed', reason: FAILED };
    const [, status, phrase = ''] = match;
    if (status === '200') return null;
    return { state: 'failed', reason: `${FAILED}: ${status} ${phrase.replace(/\p{Cc}/gu, '')}`.trimEnd() };
  }
}
