import { constants, createDeflateRaw, deflateRawSync, inflateRawSync, type DeflateRaw } from 'node:zlib';
import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { fragments, frame, OPCODES, type ReadFrame } from '../../support/websocket.js';
import { catchReports, closeAll, countFromHere, settle, until } from '../connection/peers.js';
import { echo, shakeHands, type Client } from './websocketPeers.js';

const { text, binary, ping, close } = OPCODES;
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const TAIL = Buffer.of(0, 0, 0xff, 0xff);

/** One message compressed by itself. */
const packed = (data: string | Uint8Array): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** A compressed message as a client sends it. */
const message = (data: string | Uint8Array, opcode: number = text): Buffer =>
  frame({ opcode, rsv: 4, payload: packed(data) });

/** The messages of a connection that keeps its context, in order: their payloads are one stream. */
function unpack(frames: readonly ReadFrame[]): string[] {
  const pieces: Buffer[] = [];
  return frames.map(({ rsv, payload }) => {
    if (rsv === 0) return `plain ${payload.toString()}`;
    const before = inflateAll(pieces).length;
    pieces.push(payload, TAIL);
    return inflateAll(pieces).subarray(before).toString();
  });
}
const inflateAll = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 0
    ? Buffer.alloc(0)
    : inflateRawSync(Buffer.concat(pieces), { finishFlush: constants.Z_SYNC_FLUSH });

/** A client's own context, over several messages. */
class Packer {
  readonly #stream: DeflateRaw = createDeflateRaw();
  #out: Buffer[] = [];

  constructor() {
    this.#stream.on('data', (chunk: Buffer) => this.#out.push(chunk));
  }

  pack(data: string): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#stream.write(data);
      this.#stream.flush(constants.Z_SYNC_FLUSH, () => {
        const all = Buffer.concat(this.#out);
        this.#out = [];
        resolve(all.subarray(0, -4));
      });
    });
  }
}

/** A client whose connection has agreed to compress, and echoes. */
const compressing = (
  prepare: (connection: TcpConnection) => void = () => {},
  offer = 'permessage-deflate',
): Promise<Client> =>
  shakeHands(
    (connection) => {
      connection.onMessage = echo;
      connection.websocketType = Websocket.BINARY_TYPE_BLOB_DEFLATE;
      prepare(connection);
    },
    { 'Sec-WebSocket-Extensions': offer },
  );

const answered = (client: Client): string | null => /Sec-WebSocket-Extensions: ([^\r]*)/.exec(client.head)?.[1] ?? null;

describe('permessage-deflate of Websocket', () => {
  const reports = catchReports();
  afterEach(() => {
    Websocket.permessageDeflate = false;
  });
  afterEach(closeAll);

  it('is not used unless the server opts in', async () => {
    const client = await shakeHands((connection) => (connection.onMessage = echo), OFFER);
    expect(answered(client)).to.equal(null);
    expect(client.connection.websocketType).to.equal('\x81');
    await client.write(message('x'));
    expect(await client.end()).to.deep.equal(['88 1002']);
  });

  it('is used when the static setting, a type or a header line asks for it', async () => {
    const ways: [before: () => void, prepare: (connection: TcpConnection) => void, type: string][] = [
      [() => (Websocket.permessageDeflate = true), () => {}, '\xc1'],
      [() => (Websocket.permessageDeflate = true), (c) => (c.websocketType = '\x82'), '\xc2'],
      [() => {}, () => (Websocket.permessageDeflate = true), '\xc1'],
      [() => {}, (c) => (c.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER_DEFLATE), '\xc2'],
      [
        () => {},
        (c) => (c.headers = ['Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover']),
        '\xc1',
      ],
      [() => {}, (c) => (c.headers = { 'sec-websocket-extensions': 'x' }), '\xc1'],
    ];
    for (const [before, prepare, type] of ways) {
      Websocket.permessageDeflate = false;
      before();
      const client = await shakeHands((connection) => {
        connection.onMessage = echo;
        connection.onWebSocketConnect = prepare;
      }, OFFER);
      expect(answered(client)).to.equal('permessage-deflate');
      expect(client.head.match(/extensions/gi)).to.have.length(1);
      expect(client.connection.websocketType).to.equal(type);
      await client.write(message('Hello'));
      await client.gets(1);
      expect(client.frames[0]).to.include({ rsv: 4, opcode: type === '\xc1' ? text : binary });
      expect(unpack(client.frames)).to.deep.equal(['Hello']);
    }
  });

  it('is not agreed on without an offer that can be taken: no line, no bit', async () => {
    for (const offer of [null, 'permessage-deflate; server_max_window_bits=8', 'x-webkit-deflate-frame']) {
      const client = await shakeHands(
        (connection) => {
          connection.onMessage = echo;
          connection.headers = ['Sec-WebSocket-Extensions: permessage-deflate'];
          connection.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER_DEFLATE;
        },
        { 'Sec-WebSocket-Extensions': offer },
      );
      expect(answered(client)).to.equal(null);
      expect(client.connection.websocketType).to.equal('\x82');
      client.connection.websocketType = Websocket.BINARY_TYPE_BLOB_DEFLATE;
      client.connection.send('plain');
      expect(await client.gets(1)).to.deep.equal(['81 plain']);
    }
  });

  it('answers the offer that it takes', async () => {
    const client = await compressing(
      () => {},
      'foo, permessage-deflate; server_max_window_bits=8, permessage-deflate; server_no_context_takeover; server_max_window_bits=10',
    );
    expect(answered(client)).to.equal('permessage-deflate; server_no_context_takeover; server_max_window_bits=10');
    await client.write(message('Hello'), message('Hello'));
    await client.gets(2);
    expect(client.frames[0]!.payload.equals(client.frames[1]!.payload)).to.equal(true);
  });

  it('compresses exactly what has a type that asks for it', async () => {
    const client = await compressing();
    const { connection } = client;
    const send = (type: string, data: unknown): void => {
      connection.websocketType = type;
      connection.send(data);
    };
    send('\xc1', 'text');
    send('\x81', 'plain text');
    send('\xc1', Buffer.from('bytes'));
    send('\x82', 'plain bytes');
    send('\xc2', 'bytes again');
    send('\xc9', 'ping');
    send('\xc1', '');
    await client.gets(7);
    expect(client.frames.map(({ rsv, opcode }) => `${rsv} ${opcode}`)).to.deep.equal([
      '4 1',
      '0 1',
      '4 2',
      '0 2',
      '4 2',
      '0 9',
      '4 1',
    ]);
    expect(client.frames[6]!.payload.toString('hex')).to.equal('00');
    expect(unpack(client.frames)).to.deep.equal(
      ['text', 'plain text', 'bytes', 'plain bytes', 'bytes again', 'ping', ''].map((one, i) =>
        [1, 3, 5].includes(i) ? `plain ${one}` : one,
      ),
    );
  });

  it("keeps the client's context, reads plain messages between, and fragments with pings between", async () => {
    const client = await compressing();
    const packer = new Packer();
    const words = 'the same words again and again';
    const first = await packer.pack(words);
    const second = await packer.pack(words);
    expect(second.length).to.be.below(first.length);
    await client.write({ opcode: text, rsv: 4, payload: first }, { opcode: text, payload: 'plain' });
    await client.write(
      { opcode: binary, rsv: 4, payload: second.subarray(0, 1), fin: false },
      { opcode: ping, payload: 'p' },
      { opcode: 0, payload: second.subarray(1), fin: false },
      { opcode: 0 },
      { opcode: text, rsv: 4, payload: Buffer.of(0) },
    );
    await client.gets(5);
    const data = client.frames.filter(({ opcode }) => opcode !== OPCODES.pong);
    expect(unpack(data)).to.deep.equal([words, 'plain', words, ''].map((one) => one));
    expect(data.map(({ opcode }) => opcode)).to.deep.equal([text, text, binary, text]);
  });

  it('keeps the order of messages, pings and the Close frame while it inflates', async () => {
    const got: string[] = [];
    const client = await compressing((connection) => {
      connection.onMessage = (_c: TcpConnection, data: string) => got.push(data.slice(0, 10));
      connection.onWebSocketPing = (_c: TcpConnection, data: Buffer) => got.push(`ping ${data.toString()}`);
      connection.onWebSocketClose = () => got.push('close');
    });
    await client.write(
      message('1'.repeat(1_000_000)),
      { opcode: text, payload: '2' },
      { opcode: ping, payload: '3' },
      message('4'),
      { opcode: text, payload: '5' },
      { opcode: close },
    );
    expect(await client.end()).to.deep.equal(['88 1000']);
    expect(got).to.deep.equal(['1111111111', '2', 'ping 3', '4', '5', 'close']);
  });

  it('keeps the order of what is sent while it compresses, and the Close frame behind it', async () => {
    const client = await compressing();
    const { connection } = client;
    const big = 'x'.repeat(500_000);
    expect(connection.send(big)).to.equal(null);
    connection.websocketType = '\x81';
    expect(connection.send('plain')).to.equal(null);
    await client.write({ opcode: ping, payload: 'p' });
    connection.websocketType = '\xc1';
    connection.send('small');
    connection.close('last');
    expect(connection.getStatus(false)).to.equal('CLOSING');
    await client.end();
    expect(client.shown.at(-1)).to.equal('88 1000');
    expect(unpack(client.frames.slice(0, -1))).to.deep.equal([big, 'plain plain', 'small', 'last']);
  });

  it('sends what was sent before the handshake with the type that it had, compressed when that is agreed on', async () => {
    const client = await shakeHands((connection) => {
      connection.onWebSocketConnect = (c: TcpConnection) => {
        c.send('of whatever type');
        c.websocketType = '\x81';
        c.send('plain');
        c.websocketType = '\xc2';
        c.send('packed');
        c.websocketType = '\x82';
        c.send('bytes');
        c.websocketType = '\xc1';
      };
    }, OFFER);
    await client.gets(4);
    expect(unpack(client.frames)).to.deep.equal(['of whatever type', 'plain plain', 'packed', 'plain bytes']);
    expect(client.frames.map(({ opcode }) => opcode)).to.deep.equal([text, text, binary, binary]);
  });

  it('drops nothing of what was accepted before the handshake', async () => {
    const results: unknown[] = [];
    const client = await shakeHands((connection) => {
      connection.maxSendBufferSize = 1000;
      connection.websocketType = '\xc1';
      connection.onError = () => results.push('error');
      connection.onWebSocketConnect = (c: TcpConnection) => {
        results.push(c.send('a'.repeat(900)), c.send('b'.repeat(900)), c.send('c'));
      };
    }, OFFER);
    await client.gets(2);
    expect(unpack(client.frames)).to.deep.equal(['a'.repeat(900), 'b'.repeat(900)]);
    expect(results).to.deep.equal(['error', null, null, false]);
  });

  it('counts what is being compressed as queued, and drops beyond the send buffer', async () => {
    const calls: unknown[] = [];
    const client = await compressing((connection) => {
      connection.maxSendBufferSize = 100_000;
      connection.onBufferFull = () => calls.push('full');
      connection.onError = (_c: TcpConnection, code: number, why: string) => calls.push(`${code} ${why}`);
      connection.onBufferDrain = () => calls.push('drain');
    });
    const { connection } = client;
    const count = countFromHere();
    calls.push(connection.send('a'.repeat(60_000)), connection.getSendBufferQueueSize());
    calls.push(connection.send('b'.repeat(60_000)), connection.send('c'), connection.bufferIsEmpty());
    await client.gets(2);
    await until(() => calls.includes('drain'));
    expect(calls).to.deep.equal([
      null,
      60_000,
      'full',
      '2 send buffer full and drop package',
      null,
      false,
      false,
      'drain',
    ]);
    expect(count().sendFails).to.equal(1);
    expect(connection.getSendBufferQueueSize()).to.equal(0);
    expect(unpack(client.frames)).to.deep.equal(['a'.repeat(60_000), 'b'.repeat(60_000)]);
  });

  it('holds a message that is inflated while the connection is paused', async () => {
    const got: string[] = [];
    const client = await compressing((connection) => {
      connection.onMessage = (_c: TcpConnection, data: string) => got.push(data);
      // As a timer of the application might, in the very moment in which inflating has begun.
      connection._occupy = function (holdsEnd): void {
        TcpConnection.prototype._occupy.call(this, holdsEnd);
        this.pauseRecv();
      };
    });
    const { connection } = client;
    await client.write(message('a'));
    await until(() => connection._busy);
    await settle();
    await settle();
    expect(got).to.deep.equal([]);
    Reflect.deleteProperty(connection, '_occupy');
    await client.write(message('b'));
    connection.resumeRecv();
    await until(() => got.length === 2);
    expect(got).to.deep.equal(['a', 'b']);
  });

  it("hands out everything that came before the peer's FIN", async () => {
    const got: string[] = [];
    const client = await compressing((connection) => {
      connection.onMessage = (_c: TcpConnection, data: string) => got.push(data.slice(0, 5));
      connection.onClose = () => got.push('closed');
    });
    await client.write(message('1'.repeat(2_000_000)), message('2'), { opcode: text, payload: '3' }, message('4'));
    await client.peer.fin();
    await until(() => got.includes('closed'));
    expect(got).to.deep.equal(['11111', '2', '3', '4', 'closed']);
  });

  it('counts each message as a request, and reports what its handler throws', async () => {
    const client = await compressing(
      (connection) =>
        (connection.onMessage = (c: TcpConnection, data: string) => {
          if (data === 'bad') throw new Error('bad');
          c.send(data);
        }),
    );
    const count = countFromHere();
    await client.write(message('bad'), message('good'), { opcode: text, payload: 'plain' });
    await client.gets(2);
    expect(count().requests).to.equal(3);
    expect(reports.failures.map(String)).to.deep.equal(['Error: bad']);
  });

  it('fails with 1007 for what can not be inflated, and for text that is no UTF-8', async () => {
    for (const bad of [
      frame({ opcode: text, rsv: 4, payload: Buffer.of(0xff, 0xff) }),
      message(Buffer.of(0x61, 0xff)),
    ]) {
      const client = await compressing();
      await client.write(message('good'), bad, message('late'));
      const shown = await client.end();
      expect(shown.at(-1)).to.equal('88 1007');
      expect(unpack(client.frames.slice(0, -1))).to.deep.equal(['good']);
    }
  });

  it('fails with 1009 as soon as a message is longer than a package may be', async () => {
    const client = await compressing((connection) => (connection.maxPackageSize = 10_000));
    await client.write(
      message('x'.repeat(10_000)),
      fragments(text, [packed(Buffer.alloc(100_000_000))], { rsv: 4 }),
      message('late'),
    );
    const shown = await client.end();
    expect(shown.at(-1)).to.equal('88 1009');
    expect(unpack(client.frames.slice(0, -1))).to.deep.equal(['x'.repeat(10_000)]);
  });

  it('is left alone when the connection goes while it is at work', async () => {
    const calls: string[] = [];
    const clients = await Promise.all(
      Array.from({ length: 20 }, () =>
        compressing((connection) => {
          connection.onMessage = () => calls.push('message');
          connection.onClose = () => calls.push('closed');
        }),
      ),
    );
    for (const client of clients) {
      await client.write(message('x'.repeat(1_000_000)));
      await until(() => client.connection._busy);
      client.connection.send('y'.repeat(500_000));
      client.connection.destroy();
    }
    await settle();
    expect(calls).to.deep.equal(Array(20).fill('closed'));
    const last = await compressing();
    await last.write(message('still served'));
    await last.gets(1);
    expect(unpack(last.frames)).to.deep.equal(['still served']);
  });
});
