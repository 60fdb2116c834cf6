import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { limits } from '../../../protocols/http/limits.js';
import type { Request } from '../../../protocols/http/Request.js';
import { resolveProtocol } from '../../../protocols/registry.js';
import { Websocket } from '../../../protocols/Websocket.js';
import '../../../protocols/builtIns.js';
import { withClock } from '../../support/clock.js';
import { deliveries } from '../../support/feed.js';
import { frame, OPENED, openingRequest } from '../../support/websocket.js';
import { catchReports, closeAll, settle, until } from '../connection/peers.js';
import { accept, echo, headArrives, shakeHands } from './websocketPeers.js';

const H400 =
  'HTTP/1.1 400 Bad Request\r\n\r\n<div style="text-align:center"><h1>400 Bad Request</h1><hr>workerman</div>';
const H431 = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n';

/** A promise and the way to settle it. */
function later(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = (): void => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('the handshake of Websocket', () => {
  const reports = catchReports();
  const clock = withClock();
  afterEach(closeAll);

  it('belongs to the scheme websocket, and its types are the first bytes of frames', () => {
    expect(resolveProtocol('websocket')).to.equal(Websocket);
    expect([
      Websocket.BINARY_TYPE_BLOB,
      Websocket.BINARY_TYPE_BLOB_DEFLATE,
      Websocket.BINARY_TYPE_ARRAYBUFFER,
      Websocket.BINARY_TYPE_ARRAYBUFFER_DEFLATE,
    ]).to.deep.equal(['\x81', '\xc1', '\x82', '\xc2']);
    expect(Websocket.permessageDeflate).to.equal(false);
  });

  it('is answered however the request comes, also when packages may not be that long', async () => {
    const bytes = Buffer.concat([
      Buffer.from(openingRequest()),
      frame({ opcode: 1, payload: 'one' }),
      frame({ opcode: 1, payload: 'two' }),
    ]);
    for (const { name, pieces } of deliveries(bytes, 1)) {
      const client = await accept((connection) => {
        connection.onMessage = echo;
        connection.maxPackageSize = 50;
      });
      for (const piece of pieces) await client.peer.write(piece);
      await headArrives(client);
      expect(client.head, name).to.equal(OPENED);
      expect(await client.gets(2), name).to.deep.equal(['81 one', '81 two']);
    }
  });

  it('calls back with the request before the answer, and again behind it', async () => {
    const calls: string[] = [];
    let seen: Request | null = null;
    const client = await shakeHands((connection) => {
      connection.onWebSocketConnect = (c: TcpConnection, request: Request) => {
        seen = request;
        calls.push(`connect ${request.path()} ${c.bytesWritten} ${c.websocketType}`);
      };
      connection.onWebSocketConnected = (c: TcpConnection, request: Request) => {
        calls.push(`connected ${request === seen} ${c.websocketType === Websocket.BINARY_TYPE_BLOB}`);
        c.send('welcome');
      };
    });
    expect(await client.gets(1)).to.deep.equal(['81 welcome']);
    expect(calls).to.deep.equal(['connect / 0 undefined', 'connected true true']);
    expect(seen!.connection).to.equal(null);
  });

  it('takes callbacks of the worker where the connection has none', async () => {
    const calls: string[] = [];
    await shakeHands((connection) => {
      connection.worker = {
        onWebSocketConnect: () => calls.push('worker connect'),
        onWebSocketConnected: () => calls.push('worker connected'),
      };
      connection.onWebSocketConnected = () => calls.push('own connected');
    });
    expect(calls).to.deep.equal(['worker connect', 'own connected']);
  });

  it('keeps the type that was set, and adds the lines of connection.headers', async () => {
    const client = await shakeHands((connection) => {
      connection.onMessage = echo;
      connection.onWebSocketConnect = (c: TcpConnection) => {
        c.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER;
        c.headers = {
          'Sec-WebSocket-Protocol': 'chat',
          'Set-Cookie': ['a=1', 'b=2'],
          'Upgrade': 'x',
          'X-Bad': 'a\r\nb',
        };
      };
    });
    expect(client.head).to.equal(
      `${OPENED.slice(0, -2)}Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n`,
    );
    await client.text('x');
    expect(await client.gets(1)).to.deep.equal(['82 x']);
  });

  it('keeps the order of what is sent in the callbacks', async () => {
    const results: unknown[] = [];
    const client = await shakeHands((connection) => {
      connection.onWebSocketConnect = (c: TcpConnection) => {
        results.push(c.send('early 1'), c.send(Buffer.of(0x62)), c.getSendBufferQueueSize());
      };
      connection.onWebSocketConnected = (c: TcpConnection) =>
        results.push(c.send('connected'), c.getSendBufferQueueSize());
    });
    expect(await client.gets(3)).to.deep.equal(['81 early 1', '82 b', '81 connected']);
    expect(client.head).to.equal(OPENED);
    expect(results).to.deep.equal([null, null, 12, true, 0]);
  });

  it('drops what is sent before it beyond the send buffer, and says so', async () => {
    const calls: unknown[] = [];
    const client = await shakeHands((connection) => {
      connection.maxSendBufferSize = 100;
      connection.onError = (_c: TcpConnection, code: number, text: string) => calls.push(`${code} ${text}`);
      connection.onBufferFull = () => calls.push('full');
      connection.onWebSocketConnect = (c: TcpConnection) => {
        for (let i = 0; i < 3; i++) calls.push(c.send('x'.repeat(50)));
      };
    });
    expect(await client.gets(2)).to.have.length(2);
    expect(calls).to.deep.equal([null, 'full', null, '2 send buffer full and drop package', false]);
  });

  it('is refused by close() without a word, and with one by a raw close()', async () => {
    const after: string[] = [];
    for (const [data, answer] of [
      [null, ''],
      ['HTTP/1.1 403 Forbidden\r\n\r\n', 'HTTP/1.1 403 Forbidden\r\n\r\n'],
    ] as const) {
      const client = await accept((connection) => {
        connection.onWebSocketConnect = (c: TcpConnection) => c.close(data, true);
        connection.onWebSocketConnected = () => after.push('connected');
        connection.onMessage = () => after.push('message');
        connection.onClose = () => after.push('closed');
      });
      await client.peer.write(Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: 1, payload: 'x' })]));
      await client.end();
      expect(client.peer.text).to.equal(answer);
    }
    expect(after).to.deep.equal(['closed', 'closed']);
  });

  it('waits for a callback that is async, and buffers what comes meanwhile', async () => {
    const { promise, resolve } = later();
    const messages: unknown[] = [];
    const client = await accept((connection) => {
      connection.onWebSocketConnect = () => promise;
      connection.onMessage = (_c: TcpConnection, data: unknown) => messages.push(data);
    });
    await client.peer.write(Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: 1, payload: 'same read' })]));
    await client.text('later');
    await settle();
    expect(client.peer.length).to.equal(0);
    expect(messages).to.deep.equal([]);
    resolve();
    await headArrives(client);
    await until(() => messages.length === 2);
    expect(messages).to.deep.equal(['same read', 'later']);
  });

  it('stops reading when too much comes before an async callback is done', async () => {
    const { promise, resolve } = later();
    let size = 0;
    const client = await accept((connection) => {
      connection.maxPackageSize = 100_000;
      connection.onWebSocketConnect = () => promise;
      connection.onMessage = (_c: TcpConnection, data: Buffer) => (size += data.length);
    });
    await client.peer.write(openingRequest());
    const one = frame({ opcode: 2, payload: Buffer.alloc(10_000) });
    for (let i = 0; i < 2000; i++) client.peer.socket.write(one);
    await settle();
    expect(client.connection.getRecvBufferQueueSize()).to.be.below(300_000);
    resolve();
    await until(() => size === 20_000_000);
  });

  it('does nothing more when the connection has gone before an async callback was done', async () => {
    const { promise, resolve } = later();
    const calls: string[] = [];
    const client = await accept((connection) => {
      connection.onWebSocketConnect = () => promise;
      connection.onWebSocketConnected = () => calls.push('connected');
      connection.onClose = () => calls.push('closed');
    });
    await client.peer.write(openingRequest());
    await settle();
    await client.peer.fin();
    await until(() => calls.length === 1);
    resolve();
    await settle();
    expect(calls).to.deep.equal(['closed']);
  });

  for (const [how, callback] of [
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    [
      'is rejected',
      async () => {
        throw new Error('no');
      },
    ],
  ] as const) {
    it(`lets nobody in when the callback ${how}, and reports it`, async () => {
      const errors: unknown[] = [];
      const client = await accept((connection) => {
        connection.errorHandler = (error) => errors.push(error);
        connection.onWebSocketConnect = callback;
      });
      await client.peer.write(openingRequest());
      await client.end();
      expect(client.peer.text).to.match(/^HTTP\/1\.1 500 /);
      expect(errors.map(String)).to.deep.equal(['Error: no']);
    });
  }

  it('is noted in the context of the connection, as in Workerman', async () => {
    const seen: unknown[] = [];
    const note = (connection: TcpConnection): void => void seen.push({ ...connection.context });
    const { connection } = await shakeHands((made) => {
      made.context = { own: 1 };
      made.onWebSocketConnect = note;
      made.onWebSocketConnected = note;
    });
    note(connection);
    const done = { own: 1, websocketHandshake: true };
    expect(seen).to.deep.equal([{ own: 1 }, done, done]);
  });

  it('goes on when the second callback throws, and reports it', async () => {
    const client = await shakeHands((connection) => {
      connection.onMessage = echo;
      connection.onWebSocketConnected = () => {
        throw new Error('later');
      };
    });
    await client.text('x');
    expect(await client.gets(1)).to.deep.equal(['81 x']);
    expect(reports.failures.map(String)).to.deep.equal(['Error: later']);
  });

  it('refuses with FIN, and reads on for a while so that the answer arrives', async () => {
    const cases: [request: string, answer: string][] = [
      ['POST / HTTP/1.1\r\n', H400],
      [openingRequest({}, 'GET / HTTP/1.0'), H400],
      [
        openingRequest({ 'Sec-WebSocket-Version': null }),
        'HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\n',
      ],
      [
        openingRequest({ 'Sec-WebSocket-Version': '12' }),
        'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
      ],
      [`GET / HTTP/1.1\r\nX: ${'x'.repeat(16_384)}`, H431],
      [openingRequest({ 'X': 'x'.repeat(16_384), 'Sec-WebSocket-Version': null }), H431],
      [`POST / HTTP/1.1\r\nX: ${'x'.repeat(16_384)}`, H400],
    ];
    for (const [request, answer] of cases) {
      const closed: string[] = [];
      const client = await accept((connection) => {
        connection.onWebSocketConnect = () => closed.push('connect');
        connection.onClose = () => closed.push('closed');
      });
      await client.peer.write(Buffer.concat([Buffer.from(request), Buffer.alloc(100_000)]));
      await client.end();
      expect(client.peer.text).to.equal(answer);
      expect(client.peer.error).to.equal(null);
      expect(client.connection.getStatus(false)).to.equal('ENDING');
      await client.peer.fin();
      await until(() => closed.length > 0);
      expect(closed).to.deep.equal(['closed']);
    }
  });

  it('may take as long as the headers of HTTP, then the connection is closed without a word', async () => {
    const { headersTimeout } = limits;
    const calls: string[] = [];
    const clients = await Promise.all(
      ['', 'GET / HT', openingRequest()].map(async (begun) => {
        const client = await accept((connection) => {
          connection.onWebSocketConnect = () => new Promise(() => {});
          connection.onClose = () => calls.push(`closed ${begun.length}`);
        });
        if (begun !== '') await client.peer.write(begun);
        return client;
      }),
    );
    await settle();
    try {
      clock.pass(59);
      limits.headersTimeout = 0;
      clock.pass(100);
      expect(calls).to.deep.equal([]);
      limits.headersTimeout = 60;
      clock.pass(1);
      expect(calls).to.deep.equal(['closed 0', 'closed 8']);
    } finally {
      limits.headersTimeout = headersTimeout;
    }
    for (const client of clients.slice(0, 2)) {
      await client.end();
      expect(client.peer.length).to.equal(0);
    }
  });

  it('lets the connection be paused in its callbacks', async () => {
    const messages: unknown[] = [];
    const client = await accept((connection) => {
      connection.onWebSocketConnected = (c: TcpConnection) => c.pauseRecv();
      connection.onMessage = (_c: TcpConnection, data: unknown) => messages.push(data);
    });
    await client.peer.write(Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: 1, payload: 'x' })]));
    await headArrives(client);
    await settle();
    expect(messages).to.deep.equal([]);
    client.connection.resumeRecv();
    expect(messages).to.deep.equal(['x']);
  });

  it('starts anew on a connection that has spoken another protocol', async () => {
    const client = await accept((connection) => {
      connection._state = { of: 'another' };
    });
    await client.peer.write(openingRequest());
    await headArrives(client);
    expect(client.head).to.equal(OPENED);
  });

  it('works for a subclass with an own encode and decode', async () => {
    class JsonWebsocket extends Websocket {
      static override decode(buffer: Buffer, connection: TcpConnection): string {
        return (JSON.parse(super.decode(buffer, connection) as string) as { word: string }).word;
      }
      static override encode(data: unknown, connection: TcpConnection): Uint8Array {
        return super.encode(JSON.stringify({ data }), connection);
      }
    }
    const client = await shakeHands((connection) => {
      connection.protocol = JsonWebsocket;
      connection.onMessage = (c: TcpConnection, word: string) => c.send(word.toUpperCase());
    });
    await client.text('{"word":"a"}');
    expect(await client.gets(1)).to.deep.equal(['81 {"data":"A"}']);
  });
});
