/** `Sec-WebSocket-Extensions`: grammar (RFC 6455 section 9.1) and what we agree to of permessage-deflate (RFC 7692). */

/** One extension of a header: its name and its parameters in order. A value is `true` where none was given. */
export interface Extension {
  readonly name: string;
  readonly params: readonly (readonly [name: string, value: string | true])[];
}

export const PERMESSAGE_DEFLATE = 'permessage-deflate';

const BLANKS = /[ \t]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
/** Behind unescaping, what is in quotes has to be a token as well. */
const QUOTED = /"((?:\\?[!#$%&'*+\-.^_`|~0-9A-Za-z])+)"/y;

/** Reads one header value piece by piece. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#match(BLANKS);
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  /** Takes the character, and the blanks behind it. */
  eat(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#match(BLANKS);
    return true;
  }

  token(): string | null {
    const token = this.#match(TOKEN)?.[0] ?? null;
    this.#match(BLANKS);
    return token;
  }

  quoted(): string | null {
    const match = this.#match(QUOTED);
    this.#match(BLANKS);
    return match === null ? null : (match[1] as string).replaceAll('\\', '');
  }
}

function parseExtension(scanner: Scanner): Extension | null {
  const name = scanner.token();
  if (name === null) return null;
  const params: [string, string | true][] = [];
  while (scanner.eat(';')) {
    const param = scanner.token();
    if (param === null) return null;
    let value: string | true | null = true;
    if (scanner.eat('=')) value = scanner.quoted() ?? scanner.token();
    if (value === null) return null;
    params.push([param, value]);
  }
  return { name, params };
}

/**
 * Parses a header value; several lines are joined with commas before. Empty elements of the list are skipped (RFC 9110
 * section 5.6.1.2).
 *
 * @returns null when it does not parse
 */
export function parseExtensions(header: string): Extension[] | null {
  const scanner = new Scanner(header);
  const list: Extension[] = [];
  while (!scanner.done) {
    if (scanner.eat(',')) continue;
    const extension = parseExtension(scanner);
    if (extension === null) return null;
    list.push(extension);
    if (!scanner.done && !scanner.eat(',')) return null;
  }
  return list;
}

/** The parameters of one permessage-deflate, by name; null when one is unknown or repeated. */
function paramsOf(extension: Extension): Map<string, string | true> | null {
  const params = new Map<string, string | true>();
  for (const [name, value] of extension.params) {
    if (!PARAMETERS.has(name) || params.has(name)) return null;
    params.set(name, value);
  }
  return params;
}

const PARAMETERS = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
]);

/** 8 to 15, as it has to be written; NaN for anything else. */
function windowBits(value: string | true): number {
  return typeof value === 'string' && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : NaN;
}

/** How one end compresses, and what it can count on when it inflates. */
export interface DeflateAgreement {
  /** Window for compressing, 9 to 15. */
  readonly windowBits: number;
  /** Each message sent is compressed by itself. */
  readonly resetDeflate: boolean;
  /** Each message received was compressed by itself. */
  readonly resetInflate: boolean;
}

/** A server's choice: how it compresses, and the line with which it says so. */
export interface DeflateAnswer extends DeflateAgreement {
  readonly header: string;
}

/** An offer that a server takes, or null: try the next one (RFC 7692 section 7.1). */
function acceptOffer(offer: Extension): DeflateAnswer | null {
  const params = paramsOf(offer);
  if (params === null) return null;
  const serverReset = params.get('server_no_context_takeover') ?? false;
  const clientReset = params.get('client_no_context_takeover') ?? false;
  if (typeof serverReset === 'string' || typeof clientReset === 'string') return null;
  const clientBits = params.get('client_max_window_bits') ?? true;
  if (clientBits !== true && Number.isNaN(windowBits(clientBits))) return null;
  const offered = params.get('server_max_window_bits');
  const bits = offered === undefined ? 15 : windowBits(offered);
  // zlib has no raw window of 8 bits: it would silently use 9, and the peer could not read it.
  if (!(bits > 8)) return null;
  let header = PERMESSAGE_DEFLATE;
  if (serverReset) header += '; server_no_context_takeover';
  if (offered !== undefined) header += `; server_max_window_bits=${bits}`;
  return { header, windowBits: bits, resetDeflate: serverReset, resetInflate: false };
}

/** The first offer of permessage-deflate that a server can take; null when there is none. */
export function negotiate(offers: readonly Extension[]): DeflateAnswer | null {
  for (const offer of offers) {
    const answer = offer.name === PERMESSAGE_DEFLATE ? acceptOffer(offer) : null;
    if (answer !== null) return answer;
  }
  return null;
}

/**
 * What a server's answer means for the client that offered `offered`.
 *
 * @returns null: nothing was agreed on; false: the answer breaks a rule, or names what was not offered
 */
export function readAnswer(
  answer: readonly Extension[],
  offered: readonly Extension[],
): DeflateAgreement | null | false {
  const first = answer[0];
  if (first === undefined) return null;
  const offers = offered.filter(({ name }) => name === PERMESSAGE_DEFLATE);
  if (answer.length > 1 || first.name !== PERMESSAGE_DEFLATE || offers.length === 0) return false;
  const params = paramsOf(first);
  if (params === null) return false;
  const serverReset = params.get('server_no_context_takeover') ?? false;
  const clientReset = params.get('client_no_context_takeover') ?? false;
  if (typeof serverReset === 'string' || typeof clientReset === 'string') return false;
  const serverBits = params.get('server_max_window_bits');
  if (serverBits !== undefined && Number.isNaN(windowBits(serverBits))) return false;
  const clientBits = params.get('client_max_window_bits');
  if (clientBits === undefined) return { windowBits: 15, resetDeflate: clientReset, resetInflate: serverReset };
  const wasOffered = offers.some((offer) => offer.params.some(([name]) => name === 'client_max_window_bits'));
  const bits = windowBits(clientBits);
  if (!wasOffered || !(bits > 8)) return false;
  return { windowBits: bits, resetDeflate: clientReset, resetInflate: serverReset };
}
