import { WorkermanError } from '../../errors.js';
import {
  type AnswerContext, type AnswerParts, connectionLine, type EncodedAnswer, encodeResponse, HTML, isBodiless, isLength,
  linesOf, PLAIN_CONTEXT, saysClose, statusLine,
} from './encode.js';
import { type HeaderObject, isEmptyHeaders } from './headers.js';
import { produce, type Producer, type StreamBody } from './streamBody.js';
import { type OpenHead, StreamSource } from './StreamSource.js';

/** The bytes of a streamed answer: `answer.bytes` first, then everything that `source` gives. */
export interface EncodedStream {
  readonly answer: EncodedAnswer;
  /** Null when there is no body to send; the stream has been told. */
  readonly source: StreamSource | null;
}

/** Streams that were sent: a second answer would get what the first one has left. */
const sent = new WeakSet<object>();

/**
 * What `send(response)` writes for a response with a stream.
 *
 * The body is chunked, unless the application has set a `Content-Length` (then the stream has to keep to it) or the
 * request is HTTP/1.0 (then the end of the connection ends it). The lines are in the order of any answer.
 *
 * @param onDone the last byte has gone to the operating system
 * @throws WorkermanError `WM_BAD_DATA` when the stream has been sent before
 */
export function encodeStream(
  response: { readonly parts: AnswerParts }, context: AnswerContext, extraHeaders: HeaderObject | null, onDone: () => void,
): EncodedStream {
  const { parts } = response;
  const producer = take(parts.stream as StreamBody);
  if (isBodiless(parts.status)) {
    producer.cancel(new Error(`An answer with status ${parts.status} has no body`));
    return { answer: encodeResponse({ parts: { ...parts, body: '' } }, context, extraHeaders), source: null };
  }
  const { head, chunked, length, closes } = plan(parts, context, extraHeaders);
  const answer = { closes, streaming: 'none', mute: context.head, interim: false, headed: true } as const;
  if (context.head) {
    producer.cancel(new Error('The answer to a HEAD request has no body'));
    return { answer: { ...answer, bytes: head.write(length) }, source: null };
  }
  // A standard Response hides a finished text in a stream: it gets its length back.
  const isOpen = parts.isBare === true && chunked;
  return {
    answer: { ...answer, bytes: isOpen ? '' : head.write(length) },
    source: new StreamSource(producer, { chunked, length }, onDone, isOpen ? head : null),
  };
}

function take(stream: StreamBody): Producer {
  if (sent.has(stream)) throw new WorkermanError('WM_BAD_DATA', 'The stream of this response has been sent before');
  sent.add(stream);
  return produce(stream);
}

/** Tells a stream that nothing of it will be sent. @throws as {@link encodeStream} */
export function dropStream(stream: StreamBody): void {
  take(stream).cancel(new Error('Behind the last answer of a connection nothing is sent'));
}

/** The head of a streamed answer as text, for `Response.toString`. The stream is not touched. */
export function streamHead(parts: AnswerParts): string {
  const { head, length } = plan(parts, PLAIN_CONTEXT, null);
  return head.write(length);
}

interface StreamPlan {
  readonly head: OpenHead;
  readonly chunked: boolean;
  readonly length: number;
  readonly closes: boolean;
}

function plan(parts: AnswerParts, context: AnswerContext, extraHeaders: HeaderObject | null): StreamPlan {
  const headers = parts.headers.with(isEmptyHeaders(extraHeaders) ? {} : (extraHeaders as HeaderObject));
  const given = headers.get('Content-Length');
  const length = given !== null && isLength(given) ? Number(given) : -1;
  const chunked = length < 0 && !context.http10;
  // Without chunks and without a length only the end of the connection ends the body.
  const identity = length < 0 && !chunked;
  const connection = headers.indexOf('Connection');
  const start = statusLine(parts.version, parts.status, parts.reason)
    + linesOf(headers, headers.indexOf('Content-Length'), headers.indexOf('Transfer-Encoding'), identity ? connection : -1)
    + (identity || connection < 0 ? connectionLine(context.close || identity) : '')
    + (headers.indexOf('Content-Type') < 0 && parts.isBare !== true ? HTML : '');
  return {
    head: { write: (size) => start + lengthLine(size, chunked) },
    chunked,
    length,
    closes: context.close || identity || saysClose(headers, connection),
  };
}

function lengthLine(length: number, chunked: boolean): string {
  if (length >= 0) return `Content-Length: ${length}\r\n\r\n`;
  return chunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n';
}
