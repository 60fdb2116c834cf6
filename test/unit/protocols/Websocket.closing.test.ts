import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { deliveries } from '../../support/feed.js';
import { closeBody, frame, OPCODES, type FrameSpec } from '../../support/websocket.js';
import { catchReports, closeAll, fill, settle, until } from '../connection/peers.js';
import { echo, shakeHands } from './websocketPeers.js';

const { text, close, ping } = OPCODES;

describe('the end of a Websocket connection', () => {
  const reports = catchReports();
  afterEach(closeAll);

  it('begins with a Close frame 1000 when the server closes, behind the data', async () => {
    for (const how of ['close', 'end'] as const) {
      const calls: string[] = [];
      const client = await shakeHands((connection) => (connection.onClose = () => calls.push('closed')));
      const { connection } = client;
      connection.send('first');
      connection[how]('last');
      expect(connection.send('too late')).to.equal(false);
      expect(calls).to.deep.equal(how === 'close' ? ['closed'] : []);
      expect(await client.end()).to.deep.equal(['81 first', '81 last', '88 1000']);
      expect(client.peer.error).to.equal(null);
    }
  });

  it('adds nothing to a raw close, and nothing to destroy', async () => {
    const raw = await shakeHands();
    raw.connection.close(Buffer.from([0x88, 2, 3, 0xf0]), true);
    expect(await raw.end()).to.deep.equal(['88 1008']);
    const hard = await shakeHands();
    hard.connection.destroy();
    expect(await hard.end()).to.deep.equal([]);
  });

  it('is answered with 1000 when the client closes, and the server closes TCP', async () => {
    for (const payload of [
      '',
      closeBody(1000),
      closeBody(1001, 'going'),
      closeBody(3000),
      closeBody(4999, 'ünïcode'),
    ]) {
      const calls: string[] = [];
      const client = await shakeHands((connection) => {
        connection.onMessage = () => calls.push('message');
        connection.onClose = () => calls.push('closed');
      });
      await client.write(
        { opcode: text, payload: 'begun', fin: false },
        { opcode: close, payload },
        { opcode: text, payload: 'x' },
        { opcode: ping },
      );
      expect(await client.end()).to.deep.equal(['88 1000']);
      expect(calls).to.deep.equal(['closed']);
      expect(client.peer.error).to.equal(null);
    }
  });

  it('calls onWebSocketClose once with the payload; what it sends goes out before the answer', async () => {
    const calls: string[] = [];
    const client = await shakeHands((connection) => {
      connection.onWebSocketClose = (c: TcpConnection, payload: Buffer) => {
        calls.push(`${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`);
        c.send('bye');
      };
      connection.onClose = () => calls.push('closed');
    });
    const { connection } = client;
    await client.write({ opcode: close, payload: closeBody(1001, 'why') }, { opcode: close, payload: closeBody(1000) });
    expect(await client.end()).to.deep.equal(['81 bye', '88 1000']);
    expect(calls).to.deep.equal(['1001 why', 'closed']);
    expect(connection.send('x')).to.equal(false);
  });

  it('waits for an async onWebSocketClose, and discards input meanwhile', async () => {
    const calls: string[] = [];
    let resolve = (): void => {};
    const client = await shakeHands((connection) => {
      connection.onWebSocketClose = async (c: TcpConnection) => {
        calls.push('close');
        await new Promise<void>((done) => (resolve = done));
        c.send('done');
      };
      connection.onMessage = () => calls.push('message');
    });
    await client.write({ opcode: close, payload: closeBody(1000) }, { opcode: text, payload: 'x' });
    await client.write({ opcode: close, payload: closeBody(1000) }, { opcode: ping });
    await settle();
    expect(client.shown).to.deep.equal([]);
    resolve();
    expect(await client.end()).to.deep.equal(['81 done', '88 1000']);
    expect(calls).to.deep.equal(['close']);
  });

  it('lets onWebSocketClose close by itself, raw or not', async () => {
    const first = await shakeHands((c) => (c.onWebSocketClose = (self: TcpConnection) => self.close('own')));
    await first.write({ opcode: close });
    expect(await first.end()).to.deep.equal(['81 own', '88 1000']);
    const second = await shakeHands(
      (c) =>
        (c.onWebSocketClose = (self: TcpConnection) =>
          self.close(frame({ opcode: close, mask: false, payload: closeBody(4000) }), true)),
    );
    await second.write({ opcode: close });
    expect(await second.end()).to.deep.equal(['88 4000']);
  });

  it('answers although onWebSocketClose has thrown', async () => {
    for (const callback of [
      () => {
        throw new Error('thrown');
      },
      async () => {
        throw new Error('rejected');
      },
    ]) {
      const client = await shakeHands((connection) => (connection.onWebSocketClose = callback));
      await client.write({ opcode: close });
      expect(await client.end()).to.deep.equal(['88 1000']);
    }
    expect(reports.failures.map(String)).to.deep.equal(['Error: thrown', 'Error: rejected']);
  });

  it('sends nothing more behind a Close frame that the application has sent as a frame', async () => {
    const got: string[] = [];
    const client = await shakeHands((connection) => {
      connection.onMessage = (_c: TcpConnection, data: string) => got.push(data);
      connection.onWebSocketClose = () => got.push('close callback');
    });
    const { connection } = client;
    connection.websocketType = '\x88';
    expect(connection.send(closeBody(4001))).to.equal(true);
    connection.websocketType = '\x81';
    expect(connection.send('x')).to.equal(false);
    await client.write({ opcode: text, payload: 'x' }, { opcode: ping }, { opcode: close, payload: closeBody(4001) });
    expect(await client.end()).to.deep.equal(['88 4001']);
    expect(got).to.deep.equal([]);
  });

  const violations: [title: string, spec: FrameSpec, code: number][] = [
    ['a frame that is not masked', { opcode: text, payload: 'x', mask: false }, 1002],
    ['RSV1 without an agreement', { opcode: text, payload: 'x', rsv: 4 }, 1002],
    ['RSV2', { opcode: text, payload: 'x', rsv: 2 }, 1002],
    ['an opcode that means nothing', { opcode: 3 }, 1002],
    ['a ping in fragments', { opcode: ping, fin: false }, 1002],
    ['a long ping', { opcode: ping, payload: Buffer.alloc(126) }, 1002],
    ['a continuation of nothing', { opcode: 0, payload: 'x' }, 1002],
    ['text that is no UTF-8', { opcode: text, payload: Buffer.of(0xff) }, 1007],
    ['a Close frame with one byte', { opcode: close, payload: 'x' }, 1002],
    ['a Close frame with a code that must not be sent', { opcode: close, payload: closeBody(1005) }, 1002],
    ['a Close frame whose reason is no UTF-8', { opcode: close, payload: closeBody(1000, Buffer.of(0xff)) }, 1007],
    ['a message that is too big', { opcode: text, payload: '', lengthBytes: 8, length: 1n << 40n }, 1009],
  ];
  for (const [title, spec, code] of violations) {
    it(`is a failure with ${code} for ${title}: earlier answers arrive, later input is not looked at`, async () => {
      const bytes = Buffer.concat([
        frame({ opcode: text, payload: 'good' }),
        frame(spec),
        frame({ opcode: text, payload: 'late' }),
        frame({ opcode: ping }),
      ]);
      for (const { name, pieces } of deliveries(bytes, 0)) {
        const calls: string[] = [];
        const client = await shakeHands((connection) => {
          connection.onMessage = echo;
          connection.onWebSocketClose = () => calls.push('close callback');
          connection.onClose = () => calls.push('closed');
          connection.onError = () => calls.push('error');
        });
        for (const piece of pieces) client.peer.socket.write(piece);
        expect(await client.end(), name).to.deep.equal(['81 good', `88 ${code}`]);
        expect(calls, name).to.deep.equal(['closed']);
        expect(client.peer.error, name).to.equal(null);
      }
    });
  }

  it('puts the Close frame behind a full send buffer, and drops nothing for it', async () => {
    const errors: string[] = [];
    const client = await shakeHands(
      (connection) => (connection.onError = (_c: TcpConnection, _code: number, why: string) => errors.push(why)),
    );
    const { connection } = client;
    client.peer.socket.pause();
    connection.maxSendBufferSize = 1000;
    fill(connection);
    const bytes = client.frames.length;
    expect(bytes).to.equal(0);
    await client.write({ opcode: 3 });
    await until(() => connection.getStatus(false) === 'CLOSING');
    client.peer.socket.resume();
    const shown = await client.end();
    expect(shown.at(-1)).to.equal('88 1002');
    expect(errors).to.deep.equal([]);
  });

  it('fails once, whatever comes behind it', async () => {
    const client = await shakeHands();
    await client.write(
      { opcode: 3 },
      { opcode: 4 },
      { opcode: close, payload: 'x' },
      { opcode: text, payload: Buffer.of(0xff) },
    );
    await client.write({ opcode: 5 });
    expect(await client.end()).to.deep.equal(['88 1002']);
  });

  it('does not reset the connection over input that nobody has read', async () => {
    const client = await shakeHands((connection) => (connection.onMessage = echo));
    client.peer.socket.pause();
    await client.write({ opcode: text, payload: 'answer me' }, { opcode: 3 });
    for (let i = 0; i < 20; i++) client.peer.socket.write(Buffer.alloc(50_000));
    await settle();
    client.peer.socket.resume();
    expect(await client.end()).to.deep.equal(['81 answer me', '88 1002']);
    expect(client.peer.error).to.equal(null);
  });
});
