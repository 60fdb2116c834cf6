import { Response, ServerSentEvents, Timer } from 'workerman-ts';
import type { TcpConnection } from 'workerman-ts';

/** Event streams: the events that are sent after the head, each as its fields. */
export const eventStreams: Record<string, Record<string, unknown>[]> = {
  '/sse/start': [],
  '/sse/data': [{ data: 'hello' }],
  '/sse/event-data': [{ event: 'tick', data: '1' }],
  '/sse/event-only': [{ event: 'tick' }],
  '/sse/id': [{ id: 7, data: 'x' }],
  '/sse/id-string': [{ id: 'a-1', data: 'x' }],
  '/sse/id-zero': [{ id: 0, data: 'x' }],
  '/sse/id-zero-string': [{ id: '0', data: 'x' }],
  '/sse/id-empty': [{ id: '', data: 'x' }],
  '/sse/id-only': [{ id: 9 }],
  '/sse/retry': [{ retry: 5000 }],
  '/sse/retry-zero': [{ retry: 0 }],
  '/sse/retry-data': [{ retry: 100, data: 'x' }],
  '/sse/all': [{ event: 'e', data: 'd', id: 1, retry: 10 }],
  '/sse/all-reverse-order': [{ retry: 10, id: 1, data: 'd', event: 'e' }],
  '/sse/comment': [{ '': 'keep-alive' }],
  '/sse/comment-empty': [{ '': '' }],
  '/sse/comment-data': [{ data: 'x', '': 'note' }],
  '/sse/comment-all': [{ '': 'note', event: 'e', data: 'd', id: 1, retry: 10 }],
  '/sse/multiline': [{ data: 'one\ntwo\nthree' }],
  '/sse/multiline-trailing': [{ data: 'one\n' }],
  '/sse/multiline-leading': [{ data: '\none' }],
  '/sse/multiline-blank': [{ data: 'one\n\ntwo' }],
  '/sse/empty-data': [{ data: '' }],
  '/sse/empty-event': [{ event: '', data: 'x' }],
  '/sse/empty': [{}],
  '/sse/null-fields': [{ event: null, data: 'x', id: null, retry: null }],
  '/sse/unknown-field': [{ data: 'x', other: 'ignored' }],
  '/sse/utf8': [{ event: 'é', data: '你好 🎉' }],
  '/sse/json': [{ data: '{"a":[1,2,{"b":"c\\n"}]}' }],
  '/sse/colon-space': [{ data: ': x: y', event: ' spaced ' }],
  '/sse/three': [{ data: '1' }, { event: 'b', data: '2' }, { id: 3, data: '3' }],
  '/sse/cr-data': [{ data: 'one\rtwo' }],
  '/sse/crlf-data': [{ data: 'one\r\ntwo' }],
  '/sse/newline-event': [{ event: 'a\ndata: injected', data: 'x' }],
  '/sse/newline-id': [{ id: '1\nevent: injected', data: 'x' }],
  '/sse/cr-id': [{ id: '1\revent: injected', data: 'x' }],
  '/sse/newline-retry': [{ retry: '1\ndata: injected', data: 'x' }],
  '/sse/newline-comment': [{ '': 'note\ndata: injected' }],
  '/sse/number-data': [{ data: 5 }],
};

/** Sends the head of a stream, and then `events`. */
export function sendEvents(connection: TcpConnection, head: Response, events: Record<string, unknown>[]): void {
  connection.send(head);
  for (const fields of events) connection.send(new ServerSentEvents(fields));
}

export const eventStream = (): Response => new Response(200, { 'Content-Type': 'text/event-stream' });

const oneEvent = (head: Response) => (connection: TcpConnection): void => sendEvents(connection, head, [{ data: 'x' }]);

/** Event streams with another head, or another course. */
export const eventRoutes: Record<string, (connection: TcpConnection) => void> = {
  '/sse/extra-headers': oneEvent(
    new Response(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-A': ['1', '2'] }),
  ),
  '/sse/body-ignored': oneEvent(new Response(200, { 'Content-Type': 'text/event-stream' }, '\r\n')),
  '/sse/with-header': oneEvent(
    new Response().withHeader('Content-Type', 'text/event-stream').withHeader('Connection', 'keep-alive'),
  ),
  '/sse/charset': oneEvent(new Response(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })),
  '/sse/lower-name': oneEvent(new Response(200, { 'content-type': 'text/event-stream' })),
  '/sse/close': (c) => {
    c.send(eventStream());
    c.close(new ServerSentEvents({ data: 'last' }));
  },
  '/sse/timer': (c) => {
    c.send(eventStream());
    let id = 0;
    const timer = Timer.add(0.01, () => {
      c.send(new ServerSentEvents({ id: ++id, data: 'tick' }));
      if (id === 3) Timer.del(timer);
    });
  },
  '/sse/string': (c) => {
    const text = String(new ServerSentEvents({ event: 'e', data: 'd' }));
    c.send(new Response(200, { 'Content-Type': 'text/plain' }, text));
  },
};
