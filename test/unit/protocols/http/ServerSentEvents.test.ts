import { expect } from 'chai';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { ServerSentEvents, type ServerSentEventFields } from '../../../../protocols/http/ServerSentEvents.js';

const written = (fields: ServerSentEventFields): string => String(new ServerSentEvents(fields));

interface Seen {
  events: { event: string | undefined; id: string | undefined; data: string }[];
  comments: string[];
  retries: number[];
  errors: string[];
}

/** What a browser would make of the stream; fed in one piece or character by character. */
function browse(stream: string, pieces: Iterable<string> = [stream]): Seen {
  const seen: Seen = { events: [], comments: [], retries: [], errors: [] };
  const parser = createParser({
    onEvent: ({ event, id, data }) => seen.events.push({ event, id, data }),
    onComment: (comment) => seen.comments.push(comment),
    onRetry: (retry) => seen.retries.push(retry),
    onError: (error) => seen.errors.push(error.message),
  });
  for (const piece of pieces) parser.feed(piece);
  return seen;
}

describe('ServerSentEvents', () => {
  it('writes comment, event, id, retry and data in this order, whatever the order of the keys', () => {
    const expected = ': note\nevent: e\nid: 1\nretry: 10\ndata: d\n\n';
    expect(written({ '': 'note', 'event': 'e', 'id': 1, 'retry': 10, 'data': 'd' })).to.equal(expected);
    expect(written({ 'data': 'd', 'retry': 10, 'id': 1, 'event': 'e', '': 'note' })).to.equal(expected);
  });

  it('leaves out keys that are absent, null or unknown', () => {
    const fields = { data: 'x', id: null, event: undefined, other: 'y' } as ServerSentEventFields;
    expect(written(fields)).to.equal('data: x\n\n');
    expect(written({})).to.equal('\n');
  });

  it('writes zero and empty values', () => {
    expect(written({ id: 0 })).to.equal('id: 0\n\n');
    expect(written({ '': '', 'event': '', 'id': '', 'data': '' })).to.equal(': \nevent: \nid: \ndata: \n\n');
  });

  it('converts scalars', () => {
    expect(written({ data: 5 })).to.equal('data: 5\n\n');
    expect(written({ data: true, id: 10n, event: false })).to.equal('event: \nid: 10\ndata: 1\n\n');
  });

  it('refuses fields that have no text', () => {
    for (const data of [{}, [], new Uint8Array(1), () => '']) {
      expect(() => new ServerSentEvents({ data } as unknown as ServerSentEventFields))
        .to.throw(TypeError).with.property('code', 'WM_BAD_DATA');
    }
  });

  it('writes one data line per line, also for CR and CRLF', () => {
    expect(written({ data: 'a\nb' })).to.equal('data: a\ndata: b\n\n');
    expect(written({ data: 'a\rb\r\nc' })).to.equal('data: a\ndata: b\ndata: c\n\n');
    expect(written({ data: 'a\n' })).to.equal('data: a\ndata: \n\n');
    expect(written({ data: '\n\r' })).to.equal('data: \ndata: \ndata: \n\n');
    expect(written({ data: 'x\rid: 9' })).to.equal('data: x\ndata: id: 9\n\n');
  });

  it('writes one comment line per line', () => {
    expect(written({ '': 'a\ndata: b\r\nc\rd' })).to.equal(': a\n: data: b\n: c\n: d\n\n');
  });

  it('cuts event and id at the first line end', () => {
    expect(written({ event: 'a\ndata: x', id: '1\rdata: y' })).to.equal('event: a\nid: 1\n\n');
    expect(written({ event: '\nx', id: '\r\nx' })).to.equal('event: \nid: \n\n');
  });

  it('takes NUL out of the id, and out of nothing else', () => {
    expect(written({ id: '\0a\0b\0', event: 'e\0', data: '\0' })).to.equal('event: e\0\nid: ab\ndata: \0\n\n');
  });

  it('writes retry only when it is all digits', () => {
    expect(written({ retry: '007' })).to.equal('retry: 007\n\n');
    for (const retry of ['', '1\ndata: x', '1\n', ' 1', '-1', '1.5', '1e3', '٣', 1.5, -1, NaN, 1e21]) {
      expect(written({ retry }), String(retry)).to.equal('\n');
    }
  });

  /*
   * Property. The parser stands for the browser, and this is what it does with the edges that the strings reach:
   * - It is given the text after a way through UTF-8, so half a surrogate pair has become U+FFFD, as on the wire.
   *   (NUL is taken out of an id before that, so two halves around a NUL become one character.)
   * - It takes one space after the colon away. The encoder writes one, so leading spaces of a value survive.
   * - It drops a byte order mark only at the very start of a stream and there as three separate bytes (EF BB BF). A
   *   stream of ours begins with the name of a field, so U+FEFF in a value is a character like any other.
   * - It ignores an id with NUL; the encoder has taken NUL out, so it never sees one.
   * - An empty event name means none (undefined); an empty id is kept ('') and resets the last id of a browser.
   * - It hands out an event only if there was a data line; `data: ` is one, so empty data gives an event with ''.
   * - onEvent reports the id of this event alone, not the one remembered from events before.
   * - A field name of ours is never unknown and a retry never invalid, so onError stays silent.
   */
  describe('read by an independent parser (property)', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(
        '\r', '\n', '\r\n', '\0', ' ', ':', '\ufeff', '\ud800', '\udc00', 'data: x', 'id: 9', 'event: e', 'retry: 5',
        '\u2028', '\u0085', 'é', '🎉', '7',
      ), { maxLength: 8 }).map((parts) => parts.join('')),
    );
    const field = fc.option(nasty, { nil: undefined });
    const fields: fc.Arbitrary<ServerSentEventFields> = fc.record({
      '': field, 'event': field, 'id': field, 'retry': fc.oneof(field, fc.nat().map(String)), 'data': field,
    });
    const wire = (value: string): string => Buffer.from(value).toString();
    const lines = (value: string): string[] => wire(value).replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');

    function expected(all: ServerSentEventFields[]): Seen {
      const seen: Seen = { events: [], comments: [], retries: [], errors: [] };
      for (const given of all as Record<string, string | undefined>[]) {
        const { event, id, retry, data } = given;
        if (given[''] !== undefined) seen.comments.push(...lines(given['']));
        if (retry !== undefined && /^[0-9]+$/.test(retry)) seen.retries.push(Number.parseInt(retry, 10));
        if (data === undefined) continue;
        seen.events.push({
          event: event === undefined ? undefined : lines(event)[0] || undefined,
          id: id === undefined ? undefined : wire(/^[^\r\n]*/.exec(id.replaceAll('\0', ''))?.[0] as string),
          data: lines(data).join('\n'),
        });
      }
      return seen;
    }

    it('gives back every field and nothing else', () => {
      fc.assert(fc.property(fc.array(fields, { minLength: 1, maxLength: 3 }), (all) => {
        const stream = wire(all.map(written).join(''));
        expect(stream).not.to.contain('\r');
        expect(browse(stream)).to.deep.equal(expected(all));
        expect(browse(stream, stream)).to.deep.equal(expected(all));
      }), { numRuns: 500 });
    });
  });
});
