import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import { bufferedBytes } from '../../../protocols/http/buffered.js';
import type { Request } from '../../../protocols/http/Request.js';
import { Response } from '../../../protocols/http/Response.js';
import { Text } from '../../../protocols/Text.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { withClock } from '../../support/clock.js';
import { frame, OPCODES, openingRequest } from '../../support/websocket.js';
import { catchReports, closeAll, open, type Peer, settle, until } from '../connection/peers.js';

type ServerConnection = Parameters<typeof Websocket.input>[1];

const hello = frame({ opcode: OPCODES.text, payload: 'hi' });

/** One port for both: the protocol that has seen the first bytes gives the connection to the other one. */
describe('a connection that is handed over', () => {
  const echoing = { input: (bytes: Buffer) => bytes.length, decode: String, encode: String };
  const echo = (connection: TcpConnection, data: unknown): void => void connection.send(data);

  const reports = catchReports();
  const clock = withClock();
  afterEach(closeAll);

  for (const [how, pause] of [['at once', undefined], ['after a wait', Promise.resolve()]] as const) {
    it(`goes from Http to Websocket with the request that a handler has got, ${how}`, async () => {
      const { peer } = await open((connection) => {
        connection.protocol = Http;
        connection.onMessage = (c: TcpConnection, request: Request) => {
          const upgrade = (): void => {
            c.protocol = Websocket;
            c.onMessage = echo;
            Websocket.dealHandshake(Buffer.from(request.rawBuffer()), c as unknown as ServerConnection);
          };
          return pause === undefined ? upgrade() : pause.then(upgrade);
        };
      });
      await peer.write(openingRequest());
      await peer.gets(/^HTTP\/1\.1 101[^]*\r\n\r\n$/);
      const head = peer.length;
      await peer.write(hello);
      await peer.gets(head + 4);
      expect(peer.text.slice(head)).to.equal('\x81\x02hi');
      expect(reports.failures).to.deep.equal([]);
    });
  }

  class Either extends Websocket {
    static override input(buffer: Buffer, connection: ServerConnection & { protocol: unknown }): number {
      if (buffer.includes('\r\n\r\n') && !/^upgrade:/im.test(buffer.toString('latin1'))) {
        connection.protocol = Http;
        return Http.input(buffer, connection as unknown as Parameters<typeof Http.input>[1]);
      }
      return super.input(buffer, connection);
    }
  }

  it('goes from Websocket to Http when it asks for no upgrade', async () => {
    const { peer } = await open((connection) => {
      connection.protocol = Either;
      Websocket.onAccept(connection as unknown as ServerConnection);
      connection.onMessage = (c: TcpConnection, request: Request) => void c.send(request.path());
    });
    for (const path of ['/a', '/b']) {
      await peer.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await peer.gets(new RegExp(`\r\n\r\n${path}$`));
    }
  });

  for (const [what, answered, ending] of [
    ['a next request', '', /\/a$/], ['the rest of one', 'GET /b HTTP/1.1\r\n', /408 Request Timeout[^]*\r\n\r\n$/],
  ] as const) {
    it(`keeps the limits of Http from then on: it waits no longer for ${what}`, async () => {
      const { peer, connection } = await open((made) => {
        made.protocol = Either;
        made.onMessage = (c: TcpConnection, request: Request) => void c.send(request.path());
      });
      await peer.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
      await peer.gets(/\/a$/);
      await peer.write(answered);
      await until(() => connection.getRecvBufferQueueSize() === answered.length);
      clock.pass(100);
      await until(() => peer.ended);
      expect(peer.text).to.match(ending);
    });
  }

  for (const next of [null, Text]) {
    it(`takes with it what waits behind the request, of which Http counts nothing any more: to ${next?.name ?? 'none'}`, async () => {
      const behind = `${'x'.repeat(100_000)}\n`;
      let goOn = (): void => {};
      const got: string[] = [];
      const { peer } = await open((made) => {
        made.protocol = Http;
        made.onMessage = async (c: TcpConnection) => {
          await new Promise<void>((resolve) => (goOn = resolve));
          c.protocol = next;
          c.onMessage = (_c: TcpConnection, data: unknown) => got.push(String(data));
        };
      });
      await peer.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${behind}`);
      await until(() => bufferedBytes() === behind.length);
      goOn();
      await until(() => got.join('').length >= behind.length - 1);
      expect(got.join('').trimEnd()).to.equal(behind.trimEnd());
      expect(bufferedBytes()).to.equal(0);
    });
  }

  it('counts what waits also for a class that is derived from Http, and no longer than it waits', async () => {
    const behind = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`;
    let goOn = (): void => {};
    const { peer } = await open((made) => {
      made.protocol = Http;
      made.onMessage = async (c: TcpConnection, request: Request) => {
        if (request.method() === 'POST') return void c.send('second');
        await new Promise<void>((resolve) => (goOn = resolve));
        c.protocol = class extends Http {};
        c.send('first');
      };
    });
    await peer.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${behind.slice(0, -1)}`);
    await until(() => bufferedBytes() === behind.length - 1);
    goOn();
    await peer.gets(/first$/);
    expect(bufferedBytes()).to.equal(behind.length - 1);
    await peer.write(behind.slice(-1));
    await peer.gets(/second$/);
    expect(bufferedBytes()).to.equal(0);
  });

  for (const [how, leave] of [
    ['its client goes', (peer: Peer) => void peer.fin()],
    ['it is ended', (_peer: Peer, connection: TcpConnection) => connection.end()],
  ] as const) {
    it(`leaves a streamed body to its reader, who is told when ${how}`, async () => {
      const got: string[] = [];
      const { peer, connection } = await open((made) => {
        made.worker = { streamBodies: true };
        made.protocol = Http;
        made.onMessage = async (c: TcpConnection, request: Request) => {
          c.protocol = Text;
          try {
            for await (const piece of request.body) got.push(String(piece));
          } catch (error) {
            got.push((error as { code: string }).code);
          }
        };
      });
      await peer.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
      await until(() => got.length === 1);
      leave(peer, connection);
      await until(() => got.length === 2);
      expect(got).to.deep.equal(['abc', 'WM_CLIENT_GONE']);
    });
  }

  it('counts nothing of a streamed body that nobody has read when it is closed', async () => {
    const { peer, connection } = await open((made) => {
      made.worker = { streamBodies: true };
      made.protocol = Http;
      made.onMessage = (c: TcpConnection) => (c.protocol = null);
    });
    await peer.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
    await until(() => bufferedBytes() > 0);
    connection.destroy();
    expect(bufferedBytes()).to.equal(0);
  });

  it('is shown to the protocol at once, which counts its time from then on', async () => {
    const { peer } = await open((made) => {
      made.protocol = null;
      made.onMessage = (c: TcpConnection) => (c.protocol = Http);
    });
    await peer.write('x');
    await settle();
    clock.pass(60);
    await until(() => peer.ended);
    expect(peer.text).to.equal('');
  });

  it('is answered by the protocol that it was given to before that has seen a byte', async () => {
    const { peer } = await open((made) => {
      Websocket.onAccept(made as unknown as ServerConnection);
      made.protocol = Http;
      made.send('HTTP/1.1 103 Early Hints\r\n\r\n', true);
      made.close(new Response(503, {}, 'busy'));
    });
    await until(() => peer.ended);
    expect(peer.text).to.match(/^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 503 [^]*\r\n\r\nbusy$/);
    expect(reports.failures).to.deep.equal([]);
  });

  it('tells nobody when it is given to the protocol that it has', async () => {
    const told: string[] = [];
    const own = { ...echoing, onAccept: () => told.push('accept'), onLeave: () => told.push('leave') };
    const { connection } = await open((made) => (made.protocol = own));
    connection.protocol = own;
    expect(told).to.deep.equal(['accept']);
    connection.protocol = null;
    connection.protocol = null;
    expect(told).to.deep.equal(['accept', 'leave']);
  });

  it('stays with its protocol when another one only puts something into bytes for it', async () => {
    const { peer } = await open((made) => {
      made.protocol = Websocket;
      made.onMessage = (c: TcpConnection) => {
        expect(String(Http.encode('x', c as unknown as Parameters<typeof Http.encode>[1]))).to.match(/^HTTP\/1\.1 200 /);
        c.send('still here');
      };
    });
    await peer.write(openingRequest());
    await peer.gets(/\r\n\r\n$/);
    await peer.write(hello);
    await peer.gets(/still here$/);
    expect(reports.failures).to.deep.equal([]);
  });

  it('may be closed before the protocol that it was given to has seen a byte', async () => {
    const { connection } = await open((made) => {
      Websocket.onAccept(made as unknown as ServerConnection);
      made.protocol = Http;
    });
    connection.close();
    expect(reports.failures).to.deep.equal([]);
    expect(connection.getStatus(false)).to.equal('CLOSED');
  });
});
