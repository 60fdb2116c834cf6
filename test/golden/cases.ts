import { readFileSync } from 'node:fs';

/**
 * The recorded conversations in `data/`: what a client sent to a small program on Workerman 5.2.2 and what came back.
 * One file per program, one case per line.
 */

/** Bytes in base64, or a run of them. */
export interface Piece {
  b64: string;
  repeat?: number;
}

/** One write of the client (one datagram over UDP). */
export interface Send {
  b64?: string;
  pieces?: Piece[];
  /** Milliseconds to wait before it. */
  delay_ms?: number;
  /** Wait until what came back so far (as latin1) matches; the groups become variables of these names. */
  await?: { re: string; names?: string[] };
  /** Replace `{{name}}` by those variables. */
  subst?: boolean;
  /** Close the writing side after it. */
  fin?: boolean;
}

/** A stretch of the answer: literal bytes, a pattern over latin1, or a digest of a long body. */
export type Part = Piece | { re: string } | { sha256: string; length: number };

/** All that has to come back, and whether the server closes. `null`: either. */
export interface Answer {
  b64?: string;
  parts?: Part[];
  closed?: boolean | null;
}

export interface Expectation extends Answer {
  /** Several answers are right. */
  anyOf?: Answer[];
  /** UDP: what comes back, in this order. */
  datagrams?: { b64: string }[];
}

export interface Case {
  id: string;
  group: string;
  description: string;
  send: Send[];
  expect: Expectation;
  /** Limit for the whole case. */
  timeout_ms?: number;
  /** The client does not read for so long. */
  read_after_ms?: number;
  /** How long to wait for bytes too many. */
  settle_ms?: number;
  /** Not at the same time as other cases. */
  alone?: boolean;
  /** Another, idle connection has to survive the case. */
  witness?: boolean;
}

export type Transport = 'tcp' | 'unix' | 'udp';

export interface Recording {
  app: string;
  transport: Transport;
  cases: Case[];
}

/** The recording of a program. */
export function loadRecording(app: string): Recording {
  return JSON.parse(readFileSync(new URL(`data/${app}.json`, import.meta.url), 'utf8')) as Recording;
}
