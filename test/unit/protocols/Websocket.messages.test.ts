import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { fragments, frame, OPCODES } from '../../support/websocket.js';
import { catchReports, closeAll, countFromHere, settle, until } from '../connection/peers.js';
import { echo, shakeHands } from './websocketPeers.js';

const { text, binary, ping, pong } = OPCODES;

describe('messages of Websocket', () => {
  const reports = catchReports();
  afterEach(closeAll);

  it('are strings and Buffers, and an echo keeps the type', async () => {
    const kinds: string[] = [];
    const client = await shakeHands((connection) => {
      connection.onMessage = (c: TcpConnection, data: unknown) => {
        kinds.push(typeof data === 'string' ? 'string' : Buffer.isBuffer(data) ? 'Buffer' : 'other');
        c.send(data);
      };
    });
    await client.write(
      { opcode: text, payload: 'häh?' },
      { opcode: binary, payload: Buffer.of(0x41) },
      { opcode: text },
      { opcode: binary },
    );
    expect(await client.gets(4)).to.deep.equal(['81 häh?', '82 A', '81 ', '82 ']);
    expect(kinds).to.deep.equal(['string', 'Buffer', 'string', 'Buffer']);
  });

  it('count one request each, however many frames they have', async () => {
    const count = countFromHere();
    const client = await shakeHands((connection) => (connection.onMessage = echo));
    await client.write(fragments(text, ['a', 'b', 'c']), { opcode: ping }, { opcode: text, payload: 'd' });
    expect(await client.gets(3)).to.deep.equal(['81 abc', '8a ', '81 d']);
    expect(count().requests).to.equal(2);
  });

  it('are sent as the type says, bytes as binary where it says text', async () => {
    const client = await shakeHands();
    const { connection } = client;
    const send = (type: string, data: unknown): void => {
      connection.websocketType = type;
      connection.send(data);
    };
    send('\x81', 'text');
    send('\x81', Buffer.from('bytes'));
    send('\x82', 'text as bytes');
    send('\x89', 'ping');
    send('\x8a', Buffer.from('pong'));
    send('\x01', 'begun ');
    send('\x80', 'and ended');
    expect(await client.gets(7)).to.deep.equal([
      '81 text',
      '82 bytes',
      '82 text as bytes',
      '89 ping',
      '8a pong',
      '1 begun ',
      '80 and ended',
    ]);
  });

  it('are JSON for objects, and the text of PHP for scalars', async () => {
    const client = await shakeHands();
    for (const value of [{ a: [1, 'é/'] }, [1], null, 1.5, true, false]) client.connection.send(value);
    expect(await client.gets(6)).to.deep.equal(['81 {"a":[1,"é/"]}', '81 [1]', '81 null', '81 1.5', '81 1', '81 ']);
  });

  it('that can not be sent are reported, and nothing goes out', async () => {
    const client = await shakeHands();
    expect(client.connection.send(() => {})).to.equal(false);
    client.connection.send('next');
    expect(await client.gets(1)).to.deep.equal(['81 next']);
    expect(reports.failures).to.have.length(1);
    expect(reports.failures[0]).to.be.instanceOf(TypeError).and.to.have.property('code', 'WM_BAD_DATA');
  });

  it('leave what an async callback is rejected with after the close to the errorHandler of its time', async () => {
    const errors: string[] = [];
    let reject: () => void = () => {};
    const gate = new Promise<never>((_resolve, fail) => (reject = () => fail(new Error('late'))));
    const rejected = async (): Promise<never> => gate;
    const client = await shakeHands((connection) => {
      connection.errorHandler = (error) => void errors.push(String(error));
      connection.onWebSocketConnected = rejected;
      connection.onWebSocketPing = rejected;
      connection.onWebSocketClose = rejected;
    });
    await client.write({ opcode: ping }, { opcode: OPCODES.close });
    await settle();
    client.connection.destroy();
    reject();
    await until(() => errors.length + reports.failures.length === 3);
    expect(errors).to.deep.equal(['Error: late', 'Error: late', 'Error: late']);
  });

  it('may be as long as maxPackageSize with their headers', async () => {
    const client = await shakeHands((connection) => {
      connection.maxPackageSize = 1000;
      connection.onMessage = (c: TcpConnection, data: string) => c.send(String(data.length));
    });
    await client.text('x'.repeat(992));
    await client.write(fragments(text, ['x'.repeat(500), 'x'.repeat(492)]));
    expect(await client.gets(2)).to.deep.equal(['81 992', '81 992']);
    await client.text('x'.repeat(993));
    expect(await client.end()).to.deep.equal(['81 992', '81 992', '88 1009']);
  });

  it('come in the order of one read, and stop when the connection is paused', async () => {
    const got: string[] = [];
    const client = await shakeHands((connection) => {
      connection.onMessage = (c: TcpConnection, data: string) => {
        got.push(data);
        if (data === 'pause') c.pauseRecv();
      };
      connection.onWebSocketPing = (c: TcpConnection, data: Buffer) => {
        got.push(`ping ${data.toString()}`);
        if (data.toString() === 'pause') c.pauseRecv();
      };
    });
    const { connection } = client;
    await client.write(
      { opcode: text, payload: 'a' },
      { opcode: text, payload: 'pause' },
      { opcode: ping, payload: 'pause' },
      { opcode: ping, payload: '2' },
      { opcode: text, payload: 'b' },
    );
    await until(() => got.length === 2);
    await settle();
    expect(got).to.deep.equal(['a', 'pause']);
    connection.resumeRecv();
    expect(got).to.deep.equal(['a', 'pause', 'ping pause']);
    connection.resumeRecv();
    expect(got).to.deep.equal(['a', 'pause', 'ping pause', 'ping 2', 'b']);
    expect(connection.getRecvBufferQueueSize()).to.equal(0);
  });

  it('show how much is buffered behind them', async () => {
    const sizes: number[] = [];
    const client = await shakeHands((connection) => {
      const look = (c: TcpConnection): void => void sizes.push(c.getRecvBufferQueueSize());
      connection.onMessage = look;
      connection.onWebSocketPing = look;
    });
    await client.write({ opcode: text, payload: 'a' }, { opcode: ping }, { opcode: text, payload: 'bc' });
    await until(() => sizes.length === 3);
    expect(sizes).to.deep.equal([6 + 8, 8, 0]);
  });

  it('go on behind one whose handler has thrown', async () => {
    const client = await shakeHands((connection) => {
      connection.onMessage = (c: TcpConnection, data: string) => {
        if (data === 'bad') throw new Error('bad');
        c.send(data);
      };
    });
    await client.write({ opcode: text, payload: 'bad' }, { opcode: text, payload: 'good' });
    expect(await client.gets(1)).to.deep.equal(['81 good']);
    expect(reports.failures.map(String)).to.deep.equal(['Error: bad']);
  });

  it("are the user's for good", async () => {
    const kept: Buffer[] = [];
    const client = await shakeHands(
      (connection) => (connection.onMessage = (_c: TcpConnection, data: Buffer) => kept.push(data)),
    );
    const big = Buffer.alloc(300_000, 'b');
    await client.write(
      { opcode: binary, payload: 'small' },
      { opcode: binary, payload: big },
      fragments(binary, ['frag', 'ments']),
    );
    await until(() => kept.length === 3);
    await client.write(
      { opcode: binary, payload: Buffer.alloc(300_000, 'x') },
      { opcode: binary, payload: Buffer.alloc(300, 'x') },
    );
    await until(() => kept.length === 5);
    expect(kept.slice(0, 3).map(String)).to.deep.equal(['small', big.toString(), 'fragments']);
  });
});

describe('pings and pongs of Websocket', () => {
  const reports = catchReports();
  afterEach(closeAll);

  it('pings are answered at once, also between fragments, and pongs are ignored', async () => {
    const client = await shakeHands((connection) => {
      connection.onMessage = echo;
      connection.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER;
    });
    await client.write(
      { opcode: text, payload: 'a', fin: false },
      { opcode: ping, payload: 'one' },
      { opcode: pong, payload: 'x' },
      { opcode: OPCODES.continuation, payload: 'b' },
      { opcode: ping, payload: Buffer.alloc(125, 'p') },
    );
    expect(await client.gets(3)).to.deep.equal(['8a one', '82 ab', `8a ${'p'.repeat(125)}`]);
    expect(client.connection.websocketType).to.equal(Websocket.BINARY_TYPE_ARRAYBUFFER);
  });

  it('a callback for pings takes the place of the answer; send() in it sends pongs', async () => {
    const types: (string | undefined)[] = [];
    const client = await shakeHands((connection) => {
      connection.onWebSocketPing = (c: TcpConnection, data: Buffer) => {
        expect(Buffer.isBuffer(data)).to.equal(true);
        types.push(c.websocketType);
        c.send(data);
        c.websocketType = '\x81';
        c.send(`ping ${data.toString()}`);
      };
      connection.onMessage = echo;
      connection.onWebSocketPong = (c: TcpConnection, data: Buffer) => {
        types.push(c.websocketType);
        c.send(`got ${data.toString()}`);
      };
    });
    await client.write({ opcode: ping, payload: 'p' }, { opcode: pong, payload: 'q' }, { opcode: text, payload: 'm' });
    expect(await client.gets(4)).to.deep.equal(['8a p', '81 ping p', '8a got q', '81 m']);
    expect(types).to.deep.equal(['\x8a', '\x8a']);
  });

  it('the type of pongs holds during the synchronous part of a callback only', async () => {
    const client = await shakeHands((connection) => {
      connection.onWebSocketPing = async (c: TcpConnection) => {
        c.send('now');
        await settle();
        c.send('later');
      };
    });
    await client.write({ opcode: ping });
    expect(await client.gets(2)).to.deep.equal(['8a now', '81 later']);
  });

  it('what their callbacks throw is reported, and the type is restored', async () => {
    const client = await shakeHands((connection) => {
      connection.onMessage = echo;
      connection.onWebSocketPing = () => {
        throw new Error('ping');
      };
      connection.onWebSocketPong = async () => {
        throw new Error('pong');
      };
    });
    await client.write({ opcode: ping }, { opcode: pong }, { opcode: text, payload: 'x' });
    expect(await client.gets(1)).to.deep.equal(['81 x']);
    expect(reports.failures.map(String)).to.deep.equal(['Error: ping', 'Error: pong']);
  });

  it('nothing more is read when a callback closes the connection', async () => {
    const got: string[] = [];
    const client = await shakeHands((connection) => {
      connection.onWebSocketPing = (c: TcpConnection) => c.close();
      connection.onMessage = (_c: TcpConnection, data: string) => got.push(data);
    });
    await client.write(
      { opcode: text, payload: 'a' },
      { opcode: ping },
      { opcode: text, payload: 'b' },
      { opcode: ping },
    );
    expect(await client.end()).to.deep.equal(['88 1000']);
    expect(got).to.deep.equal(['a']);
  });

  it('a flood of pings from a peer that does not read is bounded by the send buffer', async () => {
    let dropped = 0;
    const client = await shakeHands((connection) => {
      connection.maxSendBufferSize = 10_000;
      connection.onError = () => dropped++;
    });
    client.peer.socket.pause();
    const flood = Buffer.concat(Array<Buffer>(5000).fill(frame({ opcode: ping, payload: Buffer.alloc(125) })));
    while (dropped === 0) await client.write(flood);
    expect(client.connection.getSendBufferQueueSize()).to.be.below(10_000 + 127 + 700_000);
    expect(client.connection.getStatus(false)).to.equal('ESTABLISHED');
    client.peer.socket.resume();
  });
});
