import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import type { Request } from '../../../protocols/http/Request.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { frame, OPCODES, openingRequest } from '../../support/websocket.js';
import { catchReports, closeAll, open } from '../connection/peers.js';

type ServerConnection = Parameters<typeof Websocket.input>[1];

const hello = frame({ opcode: OPCODES.text, payload: 'hi' });

/** One port for both: the protocol that has seen the first bytes gives the connection to the other one. */
describe('a connection that is handed over', () => {
  const echo = (connection: TcpConnection, data: unknown): void => void connection.send(data);

  const reports = catchReports();
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

  it('goes from Websocket to Http when it asks for no upgrade', async () => {
    class Either extends Websocket {
      static override input(buffer: Buffer, connection: ServerConnection & { protocol: unknown }): number {
        if (buffer.includes('\r\n\r\n') && !/^upgrade:/im.test(buffer.toString('latin1'))) {
          connection.protocol = Http;
          return Http.input(buffer, connection as unknown as Parameters<typeof Http.input>[1]);
        }
        return super.input(buffer, connection);
      }
    }
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
