import { expect } from 'chai';
import type { AsyncTcpConnection } from '../../../connection/index.js';
import type { Response } from '../../../protocols/http/Response.js';
import { resolveProtocol } from '../../../protocols/registry.js';
import { Ws } from '../../../protocols/Ws.js';
import { deliveries } from '../../support/feed.js';
import { closeBody, frame, fragments, OPCODES, type FrameSpec } from '../../support/websocket.js';
import { catchReports, settle, until } from '../connection/peers.js';
import { client, stopAll } from '../connection/workers.js';
import { HandServer, type Link } from './wsServer.js';

const { text, binary, ping, pong, close } = OPCODES;

describe('Ws', () => {
  const reports = catchReports();
  let server: HandServer;

  beforeEach(async () => {
    server = await new HandServer().listen();
  });
  afterEach(async () => {
    Ws.permessageDeflate = false;
    await stopAll();
    await server.close();
  });

  /** A client that connects, and the server's end. */
  async function dial(
    prepare: (connection: AsyncTcpConnection) => void = () => {},
    path = '/',
  ): Promise<{ connection: AsyncTcpConnection; link: Link }> {
    const connection = client(`ws://127.0.0.1:${server.port}${path}`);
    const index = server.links.length;
    prepare(connection);
    connection.connect();
    return { connection, link: await server.link(index) };
  }

  /** The same with the handshake done. */
  async function dialled(
    prepare: (connection: AsyncTcpConnection) => void = () => {},
    headers: Record<string, string> = {},
  ): Promise<{ connection: AsyncTcpConnection; link: Link }> {
    let isOpen = false;
    const both = await dial((connection) => {
      prepare(connection);
      const { onWebSocketConnect } = connection;
      connection.onWebSocketConnect = (c: AsyncTcpConnection, response: Response) => {
        isOpen = true;
        return onWebSocketConnect?.(c, response);
      };
    });
    both.link.open(headers);
    await until(() => isOpen);
    return both;
  }

  it('belongs to the scheme ws', () => {
    expect(resolveProtocol('ws')).to.equal(Ws);
    expect([Ws.BINARY_TYPE_BLOB, Ws.BINARY_TYPE_ARRAYBUFFER]).to.deep.equal(['\x81', '\x82']);
    expect(client('ws://127.0.0.1:1').protocol).to.equal(Ws);
  });

  describe('the handshake', () => {
    it("asks for the URI with the user's lines, once, and hands the answer out", async () => {
      const calls: string[] = [];
      const { connection, link } = await dial((c) => {
        c.headers = { 'X-A': '1' };
        c.websocketOrigin = 'http://o';
        c.websocketClientProtocol = 'chat';
        c.onConnect = () => calls.push('connect');
        c.onWebSocketConnect = (self: AsyncTcpConnection, response: Response) => {
          calls.push(
            `open ${response.getStatusCode()} ${response.getHeader('x-server')} ${self.websocketType === '\x81'}`,
          );
          self.send('hello');
        };
      }, '/chat?x=1');
      expect(calls).to.deep.equal(['connect']);
      expect(link.request.replace(/Key: .*/, 'Key: K')).to.equal(
        [
          'GET /chat?x=1 HTTP/1.1',
          `Host: 127.0.0.1:${server.port}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Origin: http://o',
          'Sec-WebSocket-Protocol: chat',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: K',
          'X-A: 1',
          '',
          '',
        ].join('\r\n'),
      );
      link.open({ 'X-Server': 'hand', 'Sec-WebSocket-Protocol': 'chat' });
      expect(await link.gets(1)).to.deep.equal(['81 hello']);
      expect(calls).to.deep.equal(['connect', 'open 101 hand true']);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
    });

    it('lets what is sent before connect(), in onConnect and before the answer follow it, in order', async () => {
      const results: unknown[] = [];
      const { connection, link } = await dial((c) => {
        results.push(c.send('before connect'));
        c.onConnect = (self: AsyncTcpConnection) => results.push(self.send('in onConnect'));
        c.onWebSocketConnect = (self: AsyncTcpConnection) => self.send('in onWebSocketConnect');
      });
      results.push(connection.send('before the answer'), connection.getSendBufferQueueSize());
      await settle();
      expect(link.frames).to.have.length(0);
      expect(link.bytes.length).to.equal(link.request.length);
      link.open();
      expect(await link.gets(4)).to.deep.equal([
        '81 before connect',
        '81 in onConnect',
        '81 before the answer',
        '81 in onWebSocketConnect',
      ]);
      expect(results.slice(0, 3)).to.deep.equal([null, null, null]);
      expect(results[3]).to.equal(14 + 12 + 17 + 3 * 6);
      expect(connection.getSendBufferQueueSize()).to.equal(0);
      expect(link.frames.every(({ masked }) => masked)).to.equal(true);
    });

    it('reads the answer however it comes, with frames behind it', async () => {
      const frames = [
        frame({ opcode: text, payload: 'one', mask: false }),
        frame({ opcode: ping, payload: 'p', mask: false }),
      ];
      for (let round = 0; round < 4; round++) {
        const got: unknown[] = [];
        const { link } = await dial((c) => {
          c.maxPackageSize = 60;
          c.onMessage = (_c: AsyncTcpConnection, data: unknown) => got.push(data);
        });
        const sent: Buffer[] = [];
        const write = link.socket.write.bind(link.socket);
        link.socket.write = ((bytes: Buffer) => sent.push(bytes)) as never;
        link.open({}, ...frames);
        link.socket.write = write;
        const { name, pieces } = deliveries(Buffer.concat(sent), 1)[round]!;
        for (const piece of pieces) await new Promise((resolve) => link.socket.write(piece, resolve));
        expect(await link.gets(1), name).to.deep.equal(['8a p']);
        expect(got, name).to.deep.equal(['one']);
      }
    });

    const refusals: [title: string, answer: (link: Link) => void, line: RegExp][] = [
      [
        'a wrong key',
        (link) => link.open({ 'Sec-WebSocket-Accept': 'x' }),
        /^Sec-WebSocket-Accept not match\. Header:\nHTTP\/1\.1 101/,
      ],
      [
        'no key',
        (link) => void link.socket.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'),
        /^Sec-WebSocket-Accept not found\. Header:\nHTTP/,
      ],
      [
        'a refusal',
        (link) => void link.socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
        /^Sec-WebSocket-Accept not found/,
      ],
      [
        'an extension that was not offered',
        (link) => link.open({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
        /Extensions/,
      ],
      ['a subprotocol that was not asked for', (link) => link.open({ 'Sec-WebSocket-Protocol': 'x' }), /Protocol/],
      [
        'a head that is too long',
        (link) => void link.socket.write(`HTTP/1.1 101 X\r\nX: ${'x'.repeat(16_400)}`),
        /too long/,
      ],
    ];
    for (const [title, answer, line] of refusals) {
      it(`closes without onError for ${title}, and says why on the console`, async () => {
        const calls: string[] = [];
        const { link } = await dial((c) => {
          c.send('queued');
          c.onWebSocketConnect = () => calls.push('open');
          c.onError = () => calls.push('error');
          c.onClose = () => calls.push('closed');
        });
        answer(link);
        expect(await link.end()).to.deep.equal([]);
        expect(calls).to.deep.equal(['closed']);
        expect(reports.lines).to.have.length(1);
        expect(reports.lines[0]).to.match(line);
      });
    }

    it('goes on when onWebSocketConnect throws, and reports it', async () => {
      const { connection, link } = await dialled(
        (c) =>
          (c.onWebSocketConnect = () => {
            throw new Error('oops');
          }),
      );
      connection.send('x');
      expect(await link.gets(1)).to.deep.equal(['81 x']);
      expect(reports.failures.map(String)).to.deep.equal(['Error: oops']);
    });

    it('is made anew by every reconnect, also inside onClose', async () => {
      const calls: string[] = [];
      let rounds = 0;
      const { connection, link } = await dialled((c) => {
        c.onWebSocketConnect = (self: AsyncTcpConnection) => {
          calls.push('open');
          self.send(`round ${rounds}`);
        };
        c.onClose = (self: AsyncTcpConnection) => {
          calls.push('closed');
          if (++rounds === 1) {
            self.reconnect();
            self.send('queued in onClose');
          }
        };
      });
      expect(await link.gets(1)).to.deep.equal(['81 round 0']);
      link.socket.end();
      const second = await server.link(1);
      expect(second.header('Sec-WebSocket-Key')).to.not.equal(link.header('Sec-WebSocket-Key'));
      second.open();
      expect(await second.gets(2)).to.deep.equal(['81 queued in onClose', '81 round 1']);
      connection.reconnect();
      const third = await server.link(2);
      third.open();
      expect(await third.gets(1)).to.deep.equal(['81 round 1']);
      expect(calls).to.deep.equal(['open', 'closed', 'open', 'open']);
    });

    it('refuses input before it has begun', async () => {
      const raw = client(`tcp://127.0.0.1:${server.port}`);
      raw.connect();
      raw.onConnect = (c: AsyncTcpConnection) => c.send('GET\r\n\r\n');
      const link = await server.link(0);
      raw.protocol = Ws;
      link.socket.write('data');
      await link.end();
      expect(reports.lines.join('\n')).to.match(/before the handshake[\s\S]*data[\s\S]*package_length=-1/);
    });
  });

  describe('messages', () => {
    it('are strings and Buffers, fragments put together, pings answered under a mask', async () => {
      const got: unknown[] = [];
      const { connection, link } = await dialled(
        (c) => (c.onMessage = (_c: AsyncTcpConnection, data: unknown) => got.push(data)),
      );
      link.write(
        { opcode: text, payload: 'häh' },
        fragments(binary, ['a', 'b'], { mask: false }),
        { opcode: ping, payload: 'p' },
        { opcode: pong },
        { opcode: binary, payload: Buffer.alloc(70_000, 'z') },
      );
      expect(await link.gets(1)).to.deep.equal(['8a p']);
      await until(() => got.length === 3);
      expect(got[0]).to.equal('häh');
      expect((got[1] as Buffer).toString()).to.equal('ab');
      expect((got[2] as Buffer).equals(Buffer.alloc(70_000, 'z'))).to.equal(true);
      connection.send('t');
      connection.send(Buffer.from('b'));
      connection.send({ a: 1 });
      connection.websocketType = Ws.BINARY_TYPE_ARRAYBUFFER;
      connection.send('x'.repeat(65_535));
      expect((await link.gets(5)).slice(1, 4)).to.deep.equal(['81 t', '82 b', '81 {"a":1}']);
      expect(link.frames[4]).to.include({ opcode: binary, masked: true, size: 65_535 + 8 });
    });

    it('callbacks for pings and pongs are called, and send() in them sends pongs', async () => {
      const { link } = await dialled((c) => {
        c.onWebSocketPing = (self: AsyncTcpConnection, data: Buffer) => self.send(`ping ${data.toString()}`);
        c.onWebSocketPong = (self: AsyncTcpConnection, data: Buffer) => self.send(`pong ${data.toString()}`);
      });
      link.write({ opcode: ping, payload: '1' }, { opcode: pong, payload: '2' });
      expect(await link.gets(2)).to.deep.equal(['8a ping 1', '8a pong 2']);
    });

    it('pings go out at the interval, under fresh masks, until the connection closes', async () => {
      const { connection, link } = await dialled((c) => (c.websocketPingInterval = 0.005));
      await link.gets(3);
      expect(link.frames.slice(0, 3).map(({ opcode, masked, size }) => [opcode, masked, size])).to.deep.equal(
        Array(3).fill([ping, true, 6]),
      );
      connection.close();
      await link.end();
      const count = link.frames.length;
      await settle();
      expect(link.frames).to.have.length(count);
    });
  });

  it('leaves no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const { connection } = await dialled((c) => (c.websocketPingInterval = 1e9));
    const before = timers();
    connection.destroy();
    expect(timers()).to.equal(before - 1);
  });

  describe('the end', () => {
    it('begins with a masked Close frame 1000 when the client closes', async () => {
      const { connection, link } = await dialled();
      connection.close('bye');
      expect(await link.end()).to.deep.equal(['81 bye', '88 1000']);
      expect(link.frames[1]).to.include({ masked: true });
    });

    it('is answered when the server closes, and onWebSocketClose gets the payload', async () => {
      const got: string[] = [];
      for (const callback of [
        null,
        (c: AsyncTcpConnection, payload: Buffer): void => {
          got.push(payload.toString('hex'));
          c.send('last');
        },
      ]) {
        const { link } = await dialled((c) => {
          c.onWebSocketClose = callback;
          c.onClose = () => got.push('closed');
        });
        link.write({ opcode: close, payload: closeBody(1001, 'x') }, { opcode: text, payload: 'late' });
        expect(await link.end()).to.deep.equal(callback === null ? ['88 1000'] : ['81 last', '88 1000']);
      }
      expect(got).to.deep.equal(['closed', '03e978', 'closed']);
    });

    const violations: [title: string, spec: FrameSpec, code: number][] = [
      ['a masked frame', { opcode: text, payload: 'x', mask: true }, 1002],
      ['RSV1 without an agreement', { opcode: text, rsv: 4 }, 1002],
      ['an opcode that means nothing', { opcode: 11 }, 1002],
      ['text that is no UTF-8', { opcode: text, payload: Buffer.of(0xed, 0xa0) }, 1007],
      ['a Close frame with a code that must not be sent', { opcode: close, payload: closeBody(1006) }, 1002],
      ['a message that is too big', { opcode: binary, lengthBytes: 8, length: 1n << 33n }, 1009],
    ];
    for (const [title, spec, code] of violations) {
      it(`is a failure with ${code} for ${title}`, async () => {
        const calls: string[] = [];
        const { link } = await dialled((c) => {
          c.onMessage = (self: AsyncTcpConnection, data: unknown) => self.send(data);
          c.onClose = () => calls.push('closed');
          c.onError = () => calls.push('error');
        });
        link.write({ opcode: text, payload: 'good' }, spec, { opcode: text, payload: 'late' });
        expect(await link.end()).to.deep.equal(['81 good', `88 ${code}`]);
        expect(link.frames.every(({ masked }) => masked)).to.equal(true);
        expect(calls).to.deep.equal(['closed']);
        expect(link.error).to.equal(null);
      });
    }
  });

  describe('compression', () => {
    it('is offered when the setting or a header says so, and used as the server answers', async () => {
      Ws.permessageDeflate = true;
      const { connection, link } = await dialled(() => {}, {
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits=9; client_no_context_takeover',
      });
      expect(link.header('Sec-WebSocket-Extensions')).to.equal('permessage-deflate; client_max_window_bits');
      expect(connection.websocketType).to.equal('\xc1');
      connection.send('Hello');
      connection.send('Hello');
      await link.gets(2);
      const [first, second] = link.frames;
      expect(first).to.include({ rsv: 4, opcode: text, masked: true });
      expect(first!.payload.equals(second!.payload)).to.equal(true);
    });

    it('is given up when the server does not take it', async () => {
      const { connection, link } = await dialled((c) => {
        c.headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover' };
        c.websocketType = '\xc2';
        c.send('early');
      });
      expect(link.header('Sec-WebSocket-Extensions')).to.equal('permessage-deflate; server_no_context_takeover');
      expect(connection.websocketType).to.equal('\x82');
      expect(await link.gets(1)).to.deep.equal(['82 early']);
    });

    it('closes over an answer that was not asked for', async () => {
      Ws.permessageDeflate = true;
      for (const answer of ['permessage-deflate; client_max_window_bits=8', 'foo', 'permessage-deflate; x']) {
        let closed = false;
        const { link } = await dial((c) => (c.onClose = () => (closed = true)));
        link.open({ 'Sec-WebSocket-Extensions': answer });
        await link.end();
        await until(() => closed);
      }
      expect(reports.lines).to.have.length(3);
    });
  });
});
