import { createHash } from 'node:crypto';
import type { Answer, Expectation, Part, Piece } from './cases.js';

/** How received bytes compare with an expected answer. */
export type Verdict =
  /** They are the answer. */
  | { kind: 'equal' }
  /** They begin it: more may come. */
  | { kind: 'begun'; at: number; why: string; wanted?: Buffer }
  /** They are the answer and more. */
  | { kind: 'surplus'; at: number; why: string }
  /** They can not become it. */
  | { kind: 'different'; at: number; why: string; wanted?: Buffer };

/** The bytes of a piece. */
export function bytesOf(piece: Piece): Buffer {
  const once = Buffer.from(piece.b64, 'base64');
  return piece.repeat === undefined ? once : Buffer.concat(Array<Buffer>(piece.repeat).fill(once));
}

/** The answers of which one has to come. */
export function answersOf(expectation: Expectation): Answer[] {
  return expectation.anyOf ?? [expectation];
}

export function partsOf(answer: Answer): Part[] {
  return answer.parts ?? [{ b64: answer.b64 ?? '' }];
}

function firstDifference(a: Buffer, b: Buffer, length: number): number {
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

/** One part against the bytes from `at` on: where it ends, or why it does not fit. */
function matchPart(part: Part, received: Buffer, at: number): number | Verdict {
  const there = received.length - at;
  if ('sha256' in part) {
    if (there < part.length)
      return { kind: 'begun', at: received.length, why: `${there} of ${part.length} bytes of a long body` };
    const digest = createHash('sha256')
      .update(received.subarray(at, at + part.length))
      .digest('hex');
    if (digest !== part.sha256)
      return { kind: 'different', at, why: `the next ${part.length} bytes have another sha256` };
    return at + part.length;
  }
  if ('re' in part) {
    const pattern = new RegExp(part.re, 'y');
    pattern.lastIndex = at;
    const match = pattern.exec(received.toString('latin1'));
    // A pattern that does not match yet may match when more has come.
    return match ? at + match[0].length : { kind: 'begun', at, why: `nothing that matches /${part.re}/` };
  }
  const wanted = bytesOf(part);
  const difference = firstDifference(wanted, received.subarray(at), Math.min(wanted.length, there));
  if (difference >= 0) {
    return { kind: 'different', at: at + difference, why: 'another byte', wanted: wanted.subarray(difference) };
  }
  if (there < wanted.length) {
    return {
      kind: 'begun',
      at: received.length,
      why: `${wanted.length - there} bytes are missing`,
      wanted: wanted.subarray(there),
    };
  }
  return at + wanted.length;
}

/** Compares what was received with an answer. */
export function compare(answer: Answer, received: Buffer): Verdict {
  let at = 0;
  for (const part of partsOf(answer)) {
    const end = matchPart(part, received, at);
    if (typeof end !== 'number') return end;
    at = end;
  }
  return at < received.length
    ? { kind: 'surplus', at, why: `${received.length - at} bytes too many` }
    : { kind: 'equal' };
}

/** True when the bytes are one of the answers and the connection is as that answer wants it. */
export function isRight(expectation: Expectation, received: Buffer, closed: boolean): boolean {
  return answersOf(expectation).some(
    (answer) => (answer.closed == null || answer.closed === closed) && compare(answer, received).kind === 'equal',
  );
}

/** True when waiting longer can not change the outcome for the better: an answer is complete, or none can be met. */
export function isDecided(expectation: Expectation, received: Buffer, closed: boolean): boolean {
  let possible = false;
  for (const answer of answersOf(expectation)) {
    const { kind } = compare(answer, received);
    if (kind === 'equal') {
      if (answer.closed !== true || closed) return true;
      possible = true;
    }
    if (kind === 'begun') possible = true;
  }
  return !possible;
}

/** True when the right answer is silence on a connection that stays open. */
export function isSilence(expectation: Expectation): boolean {
  return answersOf(expectation).every(
    (answer) => answer.closed !== true && partsOf(answer).every((part) => 'b64' in part && part.b64 === ''),
  );
}

/** Bytes as text, with everything unprintable escaped. */
export function show(bytes: Buffer, limit = 300): string {
  const text = JSON.stringify(bytes.subarray(0, limit).toString('latin1')).replace(
    /[\u007f-\u00ff]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16)}`,
  );
  return bytes.length > limit ? `${text}… (${bytes.length} bytes)` : text;
}

/** Why an outcome is wrong, for the person who has to mend it. */
export function explain(expectation: Expectation, received: Buffer, closed: boolean): string {
  const lines = answersOf(expectation).map((answer, index, all) => {
    const title = all.length > 1 ? `answer ${index + 1}: ` : '';
    const verdict = compare(answer, received);
    if (verdict.kind === 'equal')
      return `${title}the bytes are right, but the connection is ${closed ? 'closed' : 'still open'}`;
    const context = received.subarray(Math.max(0, verdict.at - 60), verdict.at);
    return [
      `${title}${verdict.why}, at byte ${verdict.at}`,
      `  after    ${show(context)}`,
      ...('wanted' in verdict && verdict.wanted ? [`  expected ${show(verdict.wanted)}`] : []),
      `  received ${show(received.subarray(verdict.at))}`,
    ].join('\n');
  });
  return lines.join('\n');
}
