import { bareHost } from '../remoteAddress.js';
import { NOTHING, wait, type ProxyDialogue, type ProxyStep } from './ProxyDialogue.js';

/** RFC 1928. */
const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
const CONNECT = 1;
const SUCCEEDED = 0;
const ATYP_IPV4 = 1;
const ATYP_DOMAIN = 3;
const ATYP_IPV6 = 4;

/** RFC 1929. */
const NEGOTIATION_VERSION = 1;

const METHOD_FAILED = 'SOCKS5 authentication method negotiation failed';
const AUTHENTICATION_FAILED = 'SOCKS5 authentication failed';
const CONNECT_FAILED = 'SOCKS5 connect failed';

/** Every length on the wire is one byte. */
const LONGEST = 255;

/** Who one is at a proxy; both empty: nobody in particular. */
export interface Socks5Login {
  username: string;
  password: string;
}

/**
 * The client's part of SOCKS5 (RFC 1928, RFC 1929): method, then user name and password when the proxy wants them,
 * then the request. The target always goes out as a name, so that the proxy looks it up.
 */
export class Socks5Dialogue implements ProxyDialogue {
  readonly #host: Buffer;
  readonly #port: number;
  readonly #username: Buffer;
  readonly #password: Buffer;
  #received: Buffer = NOTHING;
  /** One method per state; it takes its answer off the front, or returns null when that is not complete. */
  #state: () => ProxyStep | null = this.#method;

  constructor(host: string, port: number, login: Socks5Login) {
    this.#host = Buffer.from(bareHost(host));
    this.#port = port;
    this.#username = Buffer.from(login.username);
    this.#password = Buffer.from(login.password);
  }

  begin(): ProxyStep {
    if (this.#host.length > LONGEST) return failed(`${CONNECT_FAILED}: the host name is too long`);
    if (this.#username.length > LONGEST || this.#password.length > LONGEST) return failed(AUTHENTICATION_FAILED);
    return say(this.#hasLogin ? [VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD] : [VERSION, 1, NO_AUTHENTICATION]);
  }

  receive(bytes: Buffer): ProxyStep {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const words: Buffer[] = [];
    for (;;) {
      const step = this.#state();
      if (step === null) return words.length === 0 ? wait() : { state: 'open', send: Buffer.concat(words) };
      if (step.state === 'failed') return step;
      words.push(step.send);
      if (step.state === 'connected') return { ...step, send: Buffer.concat(words) };
    }
  }

  interrupted(): string {
    if (this.#state === this.#method) return METHOD_FAILED;
    return this.#state === this.#authentication ? AUTHENTICATION_FAILED : CONNECT_FAILED;
  }

  get #hasLogin(): boolean {
    return this.#username.length > 0 || this.#password.length > 0;
  }

  #method(): ProxyStep | null {
    const answer = this.#take(2);
    if (answer === null) return null;
    const [version, method] = answer;
    if (version !== VERSION) return failed(METHOD_FAILED);
    if (method === NO_AUTHENTICATION) return this.#request();
    if (method !== USERNAME_PASSWORD || !this.#hasLogin) return failed(METHOD_FAILED);
    this.#state = this.#authentication;
    return say([
      NEGOTIATION_VERSION, this.#username.length, ...this.#username, this.#password.length, ...this.#password,
    ]);
  }

  #authentication(): ProxyStep | null {
    const answer = this.#take(2);
    if (answer === null) return null;
    if (answer[0] !== NEGOTIATION_VERSION || answer[1] !== 0) return failed(AUTHENTICATION_FAILED);
    return this.#request();
  }

  #request(): ProxyStep {
    this.#state = this.#reply;
    const port = [this.#port >> 8, this.#port & 0xff];
    return say([VERSION, CONNECT, 0, ATYP_DOMAIN, this.#host.length, ...this.#host, ...port]);
  }

  #reply(): ProxyStep | null {
    const received = this.#received;
    if (received.length > 0 && received[0] !== VERSION) return failed(CONNECT_FAILED);
    // A refusal is clear from its second byte on; not every proxy sends the rest of it.
    if (received.length > 1 && received[1] !== SUCCEEDED) return failed(`${CONNECT_FAILED}: ${received[1]}`);
    if (received.length < 5) return null;
    const length = replyLength(received[3] as number, received[4] as number);
    if (length === 0) return failed(CONNECT_FAILED);
    return this.#take(length) === null ? null : { state: 'connected', send: NOTHING, rest: this.#received };
  }

  #take(length: number): Buffer | null {
    const received = this.#received;
    if (received.length < length) return null;
    this.#received = received.subarray(length);
    return received.subarray(0, length);
  }
}

/** Bytes of a reply by the type of the address in it and that address's first byte; 0 for an unknown type. */
function replyLength(type: number, first: number): number {
  if (type === ATYP_IPV4) return 10;
  if (type === ATYP_IPV6) return 22;
  return type === ATYP_DOMAIN ? 7 + first : 0;
}

const say = (bytes: readonly number[]): ProxyStep => ({ state: 'open', send: Buffer.from(bytes) });

const failed = (reason: string): ProxyStep => ({ state: 'failed', reason });
