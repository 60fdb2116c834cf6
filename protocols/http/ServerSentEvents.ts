import { WorkermanTypeError } from '../../errors.js';
import { toBody } from './body.js';

/** A value of a field. `null` and `undefined` leave the field out. */
export type ServerSentEventValue = string | number | bigint | boolean | null | undefined;

/** Fields of one event of `text/event-stream`; others are ignored. */
export interface ServerSentEventFields {
  /** Comment, ignored by the browser: keeps the connection from looking idle to what stands in between. */
  ''?: ServerSentEventValue;
  /** Name under which the browser dispatches the event; `message` when there is none. Cut at its first line end. */
  event?: ServerSentEventValue;
  /** Comes back as `Last-Event-ID` after a reconnect. Cut at its first line end; NUL is taken out. */
  id?: ServerSentEventValue;
  /** Milliseconds that the browser waits before it reconnects. Left out unless it is all digits. */
  retry?: ServerSentEventValue;
  /** The payload, of any number of lines. Without it the browser dispatches nothing (but keeps the id). */
  data?: ServerSentEventValue;
}

const LINE_END = /\r\n|\r|\n/;
const DIGITS = /^[0-9]+$/;

/** The text of a field; null when the field is to be left out. */
function textOf(name: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = toBody(value);
  if (typeof text === 'string') return text;
  throw new WorkermanTypeError('WM_BAD_DATA', `The field '${name}' of an event must be text, got bytes`);
}

const firstLine = (text: string): string => text.split(LINE_END, 1)[0] as string;

/**
 * Every line of the text behind the prefix. CR, LF and CRLF all end a line for the browser (WHATWG HTML 9.2.6), so
 * all of them are split here: a text can neither lose a part nor become a field of its own.
 */
function prefixed(prefix: string, text: string): string {
  if (!LINE_END.test(text)) return `${prefix}${text}\n`;
  return text.split(LINE_END).map((line) => `${prefix}${line}\n`).join('');
}

/**
 * One event of a stream that was begun with `Content-Type: text/event-stream`:
 *
 *     connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
 *     connection.send(new ServerSentEvents({ event: 'tick', data: '1', id: 1 }));
 *
 * Fields are written in the order comment, event, id, retry, data, whatever the order of the keys.
 */
export class ServerSentEvents {
  private readonly text: string;

  /**
   * @throws TypeError `WM_BAD_DATA` when a field is neither a scalar nor an object with a text of its own.
   */
  constructor(fields: ServerSentEventFields) {
    const comment = textOf('', fields['']);
    const event = textOf('event', fields.event);
    const id = textOf('id', fields.id);
    const retry = textOf('retry', fields.retry);
    const data = textOf('data', fields.data);
    let text = '';
    if (comment !== null) text += prefixed(': ', comment);
    if (event !== null) text += `event: ${firstLine(event)}\n`;
    // An id with NUL would be ignored as a whole by the browser.
    if (id !== null) text += `id: ${firstLine(id).replaceAll('\0', '')}\n`;
    if (retry !== null && DIGITS.test(retry)) text += `retry: ${retry}\n`;
    if (data !== null) text += prefixed('data: ', data);
    this.text = `${text}\n`;
  }

  /** The event as it goes to the wire, with the empty line that ends it. */
  toString(): string {
    return this.text;
  }
}
