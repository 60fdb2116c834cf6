import { Chunk } from './Chunk.js';
import { encodePiece, encodeShared, encodeValue, textHead, type AnswerContext, type EncodedAnswer } from './encode.js';
import { HeldAnswer } from './HeldAnswer.js';
import { isEmptyHeaders } from './headers.js';
import type { HttpConnection } from './HttpConnection.js';
import type { HttpState } from './HttpState.js';
import { seeOff } from './lifecycle.js';
import type { Request } from './Request.js';
import { Response } from './Response.js';
import { dropStream, encodeStream } from './sendStream.js';
import { ServerSentEvents } from './ServerSentEvents.js';
import type { RequestSessions } from './session/RequestSessions.js';
import { isWebResponse } from './web.js';

/*
 * From what was given to `send` to bytes, and what that means for the requests that wait for an answer.
 */

/** Status line of an answer that is not an interim one. */
const FINAL_ANSWER = /^HTTP\/1\.[01] [2-5]\d\d/;

/** One request waits, and nothing about it or its connection asks for more than the usual head of an answer. */
export function isPlainTurn(connection: HttpConnection, state: HttpState): boolean {
  const { outstanding } = state;
  if (outstanding.length !== 1 || state.sessions !== null || state.streaming !== null) return false;
  const asked = (outstanding[0] as Request)._asked;
  return asked !== null && asked.method !== 'HEAD' && asked.minor !== 0 && !connection._isLast && !connection._drains && !isLastAnswer(state)
    && isEmptyHeaders(connection.headers);
}

/** {@link encodeValue} for that. */
export function encodeText(text: string, state: HttpState): string {
  return answerWith(textHead(Buffer.byteLength(text)) + text, state);
}

/** What is not sent: a stream is told. */
export function drop(data: unknown, state: HttpState): '' {
  state.dropped = true;
  const stream = data instanceof Response ? data.parts.stream : isWebResponse(data) ? data.body : null;
  if (stream) dropStream(stream);
  return '';
}

/** {@link account} for that. */
export function answerWith(bytes: string, state: HttpState): string {
  (state.outstanding[0] as Request)._isAnswered = true;
  state.answered();
  return bytes;
}

export function contextOf(connection: HttpConnection, state: HttpState): AnswerContext {
  const { outstanding } = state;
  const current = outstanding[0];
  const alone = outstanding.length <= 1;
  return {
    head: outstanding.length === 1 && current?._asked?.method === 'HEAD',
    http10: current?._asked?.minor === 0,
    close: connection._isLast || (alone && (connection._drains || (current !== undefined && isLastAnswer(state)))),
  };
}

/** Nothing can follow the answer to the request that was handed out last. */
function isLastAnswer(state: HttpState): boolean {
  return state.lastSeen || state.body?.endsConnection === true;
}

/** A body that is made while it is sent. */
export function encodeStreamed(
  data: Response, unsaved: readonly RequestSessions[] | null, connection: HttpConnection, state: HttpState,
): '' {
  const extra = isEmptyHeaders(connection.headers) ? null : connection.headers;
  const { answer, source } = encodeStream(data, contextOf(connection, state), extra, () => {
    state.streams--;
    seeOff(connection, state);
  });
  if (source !== null) state.streams++;
  const bytes = account(answer, connection, state);
  if (unsaved !== null) hold(bytes, unsaved, connection, state);
  else if (bytes.length > 0) connection._push(bytes);
  if (source !== null) connection._pushSource(source);
  return '';
}

/** Anything but a file or a stream. */
export function encodeWhole(data: unknown, connection: HttpConnection, state: HttpState): string | Uint8Array {
  if (data instanceof Chunk || data instanceof ServerSentEvents) return encodeStreamPiece(data, state);
  const context = contextOf(connection, state);
  const extra = isEmptyHeaders(connection.headers) ? null : connection.headers;
  const answer = data instanceof Response ? encodeShared(data, context, extra) : encodeValue(data, extra, context);
  if (!answer.headed) noteRaw(answer.bytes, state);
  return account(answer, connection, state);
}

/** What was written as it is may be a whole answer. */
export function noteRaw(bytes: string | Uint8Array, state: HttpState): void {
  if (state.outstanding.length === 0 || (state.streaming !== null && !isHeadOfEvents(state.streaming))) return;
  const start = typeof bytes === 'string' ? bytes.slice(0, 12) : Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (FINAL_ANSWER.test(start)) state.answered();
}

/** The sessions that have to be stored before anything is sent: of the last request, and of the one being answered. */
export function unsavedSessions(state: HttpState): RequestSessions[] | null {
  const last = state.sessions;
  const answered = state.outstanding.length > 1 ? (state.outstanding[0] as Request)._sessions : null;
  if (last?.unsaved !== true && answered?.unsaved !== true) return null;
  return [last, answered].filter((sessions) => sessions?.unsaved === true) as RequestSessions[];
}

/** Sends `bytes` when the sessions are stored. When they can not be, the connection ends without them. */
export function hold(
  bytes: string | Uint8Array, unsaved: readonly RequestSessions[], connection: HttpConnection, state: HttpState,
): '' {
  const stored = Promise.all(unsaved.map((sessions) => sessions.store()));
  connection._pushSource(new HeldAnswer(bytes, stored));
  stored.catch((error: unknown) => {
    state.report(connection, error);
    connection.destroy();
  });
  return '';
}

/** Keeps the books of an answer that begins here. @returns its bytes */
export function account(answer: EncodedAnswer, connection: HttpConnection, state: HttpState): string | Buffer {
  if (answer.headed && !isEmptyHeaders(connection.headers)) connection.headers = {};
  if (!answer.headed || answer.interim) return answer.bytes;
  const first = state.outstanding[0];
  if (first !== undefined) first._isAnswered = true;
  // What follows would be an answer behind the last one (RFC 9112 section 9.6).
  if (answer.closes) state.lastSeen = true;
  if (answer.streaming === 'none' || isHeadOfEvents(answer)) complete(answer, state);
  if (answer.streaming !== 'none') state.streaming = answer;
  return answer.bytes;
}

/** An event stream that was asked for by HEAD is complete with its head, and the events that follow are swallowed. */
export const isHeadOfEvents = (answer: EncodedAnswer): boolean => answer.streaming === 'event-stream' && answer.mute;

/** The last byte of an answer is queued. */
function complete(answer: EncodedAnswer, state: HttpState): void {
  state.answered();
  state.streaming = null;
  if (answer.closes) state.endNow = true;
}

function encodeStreamPiece(piece: Chunk | ServerSentEvents, state: HttpState): string | Buffer {
  const answer = state.streaming;
  if (answer === null) return piece instanceof Chunk ? piece.toBytes() : piece.toString();
  const bytes = encodePiece(piece, answer);
  if (piece instanceof Chunk && answer.streaming !== 'event-stream' && piece.data.length === 0) complete(answer, state);
  return bytes;
}
