import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import { Response } from '../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../protocols/http/ServerSentEvents.js';
import { catchReports, closeAll, until } from '../connection/peers.js';
import { get, ok, serve } from './httpPeer.js';

describe('Http: when a request counts as answered', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  const head = (target = '/', headers = ''): string => get(target, headers, '1.1', 'HEAD');

  it('with an object whose text is a whole answer, as with that text sent raw', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const { peer } = await serve((c, r) => c.send(r.path() === '/by-hand' ? { toString: () => answer } : 'last'));
    await peer.write(get('/by-hand'));
    await peer.gets(answer.length);
    // Were it still waiting, the answer to HEAD would have its body, and this one would not be the last.
    await peer.write(head('/', 'Connection: close\r\n'));
    await until(() => peer.ended);
    expect(peer.text).to.equal(answer + ok('last', 'close').slice(0, -'last'.length));
  });

  describe('an event stream that HEAD asks for', () => {
    const HEAD_OF_EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: keep-alive\r\n\r\n';

    const stream = (c: TcpConnection): void => {
      c.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
      c.send(new ServerSentEvents({ data: 'swallowed' }));
    };

    it('is complete with its head: the next request is answered as any other', async () => {
      const { peer } = await serve((c, r) => (r.path() === '/events' ? stream(c) : void c.send('hidden')));
      await peer.write(head('/events'));
      await peer.gets(HEAD_OF_EVENTS.length);
      await peer.write(head() + get());
      expect(await peer.gets(/hidden$/)).to.equal(HEAD_OF_EVENTS + ok('hidden').slice(0, -'hidden'.length) + ok('hidden'));
    });

    it('ends the connection of a client that wants it closed', async () => {
      const { peer } = await serve(stream);
      await peer.write(head('/', 'Connection: close\r\n'));
      await until(() => peer.ended);
      expect(peer.text).to.equal(HEAD_OF_EVENTS.replace('keep-alive', 'close'));
    });

    it('gets no comment line to see whether its reader is there', async () => {
      const { peer, connection } = await serve(stream);
      await peer.write(head());
      await peer.gets(HEAD_OF_EVENTS.length);
      expect(Http.heartbeat(connection as never)).to.deep.equal({ bytes: '', answered: true });
    });
  });
});
