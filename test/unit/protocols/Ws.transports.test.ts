import { expect } from 'chai';
import type { AsyncTcpConnection, TcpConnection } from '../../../connection/index.js';
import type { Worker } from '../../../lib/types.js';
import type { Request } from '../../../protocols/http/Request.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { Ws } from '../../../protocols/Ws.js';
import { authority, localhost } from '../../support/certificates.js';
import { catchReports, until } from '../connection/peers.js';
import { client, portOf, serve, socketPath, stopAll } from '../connection/workers.js';

/** Our client with our server, over everything that both can speak. */
const TRANSPORTS: Record<
  string,
  { serve: (prepare: (worker: Worker) => void) => Promise<Worker>; dial: (worker: Worker) => AsyncTcpConnection }
> = {
  tcp: {
    serve: (prepare) => serve('websocket://127.0.0.1:0', {}, prepare),
    dial: (worker) => client(`ws://127.0.0.1:${portOf(worker)}/path?q=1`),
  },
  ssl: {
    serve: (prepare) =>
      serve(
        'websocket://127.0.0.1:0',
        { ssl: { local_cert: localhost().cert, local_pk: localhost().key } },
        (worker) => {
          worker.transport = 'ssl';
          prepare(worker);
        },
      ),
    dial: (worker) => {
      const connection = client(`ws://127.0.0.1:${portOf(worker)}/path?q=1`, { ssl: { cafile: authority().cert } });
      connection.transport = 'ssl';
      return connection;
    },
  },
  unix: {
    serve: (prepare) =>
      serve(`unix://${socketPath()}`, {}, (worker) => {
        worker.protocol = Websocket;
        prepare(worker);
      }),
    dial: (worker) => {
      const connection = client(worker.getSocketName());
      connection.protocol = Ws;
      return connection;
    },
  },
};

describe('Ws with Websocket', function () {
  this.timeout(20_000);
  const reports = catchReports();
  afterEach(async () => {
    Ws.permessageDeflate = Websocket.permessageDeflate = false;
    await stopAll();
    expect(reports.failures).to.deep.equal([]);
  });

  for (const [name, { serve: start, dial }] of Object.entries(TRANSPORTS)) {
    for (const compress of [false, true]) {
      it(`exchanges everything in order over ${name}, ${compress ? 'compressed' : 'plain'}, and closes in order`, async () => {
        Ws.permessageDeflate = Websocket.permessageDeflate = compress;
        const calls: string[] = [];
        const worker = await start((w) => {
          w.onWebSocketConnect = (c: TcpConnection, request: Request) => void c.send(`path ${request.path()}`);
          w.onMessage = (c: TcpConnection, data: unknown) => {
            if (data === 'enough') c.close('bye');
            else c.send(data);
          };
          w.onClose = () => calls.push('server closed');
        });
        const sent: (string | Buffer)[] = Array.from({ length: 200 }, (_, i) => {
          const content = `${i}-`.repeat(1 + ((i * 37) % 900));
          return i % 3 === 0 ? Buffer.from(content) : content;
        });
        const got: unknown[] = [];
        const connection = dial(worker);
        connection.maxSendBufferSize = 10_000_000;
        connection.onMessage = (_c: AsyncTcpConnection, data: unknown) => got.push(data);
        connection.onWebSocketClose = (_c: AsyncTcpConnection, payload: Buffer) =>
          calls.push(`close ${payload.toString('hex')}`);
        connection.onClose = () => calls.push('client closed');
        connection.onWebSocketConnect = (c: AsyncTcpConnection) => {
          for (const one of sent) c.send(one);
        };
        connection.connect();
        await until(() => got.length === sent.length + 1);
        expect(got[0]).to.equal(name === 'unix' ? 'path /' : 'path /path');
        expect(
          got
            .slice(1)
            .every((one, i) => (typeof one === 'string' ? one === sent[i] : (one as Buffer).equals(sent[i] as Buffer))),
        ).to.equal(true);
        expect(connection.websocketType).to.equal(compress ? '\xc1' : '\x81');
        connection.send('enough');
        await until(() => calls.length === 3);
        expect(got.at(-1)).to.equal('bye');
        expect(calls.toSorted()).to.deep.equal(['client closed', 'close 03e8', 'server closed']);
      });
    }
  }
});
