import type { Answer, Case, Expectation } from './cases.js';
import { partsOf } from './match.js';

/**
 * Cases that we answer otherwise than they were recorded, or where the recording lets several answers pass and we
 * have promised one of them. `EXCEPTIONS.md` gives the reasons; a test compares the two lists.
 */
export interface Exception {
  /** The id of a case, or its beginning and `*`. */
  cases: string;
  change: (expectation: Expectation) => Expectation;
}

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

const BAD_REQUEST: Answer = { b64: base64('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), closed: true };

/** A Close frame with a code and no reason, as a server sends it. */
const closeFrame = (code: number): string => String.fromCharCode(0x88, 2, code >> 8, code & 255);

/** The recorded head of the 101, without an extension that no client asked for, and then these frames. */
const handshakeThen =
  (frames: string, closed: boolean) =>
  (expectation: Expectation): Expectation => {
    const first = partsOf((expectation.anyOf ?? [expectation])[0]!)[0]!;
    const recorded = 'b64' in first ? Buffer.from(first.b64, 'base64').toString('latin1') : '';
    const head = recorded
      .slice(0, recorded.indexOf('\r\n\r\n') + 4)
      .replace(/Sec-WebSocket-Extensions: [^\r]*\r\n/, '');
    return { b64: base64(head + frames), closed };
  };

export const EXCEPTIONS: readonly Exception[] = [
  { cases: 'echo.smuggle.chunk-ext-request', change: () => BAD_REQUEST },
  { cases: 'responses.resp.conn-close', change: (expectation) => ({ ...expectation, closed: true }) },
  { cases: 'websocket.deflate.plain', change: handshakeThen('\x81\x0enot compressed', false) },
  { cases: 'websocket.deflate.text', change: handshakeThen(closeFrame(1002), true) },
  {
    cases: 'websocket.deflate.plain-and-compressed',
    change: handshakeThen(`\x81\x0bplain first${closeFrame(1002)}`, true),
  },
  { cases: 'websocket.violation.unmasked-*', change: handshakeThen(closeFrame(1002), true) },
  { cases: 'websocket.violation.opcode-*', change: handshakeThen(closeFrame(1002), true) },
  { cases: 'websocket.violation.length-top-bit', change: handshakeThen(closeFrame(1002), true) },
  { cases: 'websocket.violation.length-terabyte', change: handshakeThen(closeFrame(1009), true) },
  { cases: 'websocket.violation.length-over', change: handshakeThen(closeFrame(1009), true) },
  { cases: 'websocket-limits.limit.over*', change: handshakeThen(closeFrame(1009), true) },
  { cases: 'websocket.close.server-data', change: handshakeThen(`\x81\x03bye${closeFrame(1000)}`, true) },
  { cases: 'websocket.close.1*', change: handshakeThen(closeFrame(1000), true) },
  { cases: 'websocket.close.3*', change: handshakeThen(closeFrame(1000), true) },
  { cases: 'websocket.close.4*', change: handshakeThen(closeFrame(1000), true) },
  { cases: 'websocket.close.reason', change: handshakeThen(closeFrame(1000), true) },
  { cases: 'websocket.close.then-text', change: handshakeThen(closeFrame(1000), true) },
];

const covers = (pattern: string, id: string): boolean =>
  pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;

/** The exception that covers a case. */
export function exceptionOf(id: string): Exception | undefined {
  return EXCEPTIONS.find(({ cases }) => covers(cases, id));
}

/** The case as this package has to pass it. */
export function adapt(test: Case): Case {
  const exception = exceptionOf(test.id);
  return exception ? { ...test, expect: exception.change(test.expect) } : test;
}
