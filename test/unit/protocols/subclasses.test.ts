import { expect } from 'chai';
import type { AsyncTcpConnection } from '../../../connection/index.js';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Frame } from '../../../protocols/Frame.js';
import { Http } from '../../../protocols/Http.js';
import type { Request } from '../../../protocols/http/Request.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { Ws } from '../../../protocols/Ws.js';
import { frame, OPCODES, openingRequest, readFrames } from '../../support/websocket.js';
import { closeAll, open, until } from '../connection/peers.js';
import { client, portOf, serve, stopAll } from '../connection/workers.js';
import { HandServer } from './wsServer.js';

type HttpConnection = Parameters<typeof Http.input>[1];
type ServerConnection = Parameters<typeof Websocket.input>[1];
type ClientConnection = Parameters<typeof Ws.input>[1];

const { text } = OPCODES;

/** A user may put a protocol of his own around a built-in one. */
describe('a class that extends a built-in protocol', () => {
  const calls: string[] = [];

  beforeEach(() => (calls.length = 0));
  afterEach(async () => {
    await closeAll();
    await stopAll();
  });

  it('sees a request of Http grow, and its answer', async () => {
    class Spy extends Http {
      static override input(buffer: Buffer, connection: HttpConnection): number {
        const length = super.input(buffer, connection);
        calls.push(`input ${buffer.length} ${length}`);
        return length;
      }
      static override decode(buffer: Buffer, connection: HttpConnection): Request {
        const request = super.decode(buffer, connection);
        calls.push(`decode ${request.path()}`);
        return request;
      }
      static override encode(data: unknown, connection: HttpConnection): string | Uint8Array {
        const bytes = super.encode(data, connection);
        calls.push(`encode ${bytes.toString().split('\r\n')[0]}`);
        return bytes;
      }
    }
    const { peer } = await open((connection) => {
      connection.protocol = Spy;
      connection.onMessage = (c: TcpConnection, request: Request) => void c.send(request.path());
    });
    const request = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
    await peer.write(request.slice(0, 10));
    await until(() => calls.length > 0);
    await peer.write(request.slice(10));
    await peer.gets(/\r\n\r\n\/a$/);
    await peer.write(request);
    await peer.gets(/\r\n\r\n\/a.*\r\n\r\n\/a$/s);
    const { length } = request;
    const whole = [`input ${length} ${length}`, 'decode /a', 'encode HTTP/1.1 200 OK'];
    expect(calls).to.deep.equal(['input 10 0', ...whole, ...whole]);
  });

  it('sees the handshake and every message of Websocket', async () => {
    class Spy extends Websocket {
      static override input(buffer: Buffer, connection: ServerConnection): number {
        const length = super.input(buffer, connection);
        calls.push(`input ${length}`);
        return length;
      }
      static override dealHandshake(buffer: Buffer, connection: ServerConnection): number {
        calls.push(`handshake ${buffer.toString('latin1', 0, 3)}`);
        return super.dealHandshake(buffer, connection);
      }
    }
    const { peer } = await open((connection) => {
      connection.protocol = Spy;
      connection.onMessage = (c: TcpConnection, data: string) => void c.send(data);
    });
    await peer.write(openingRequest());
    await peer.gets(/\r\n\r\n/);
    const head = peer.length;
    const message = frame({ opcode: text, payload: 'hi' });
    await peer.write(message);
    await peer.gets(head + 4);
    expect(peer.text.slice(head)).to.equal('\x81\x02hi');
    expect(calls).to.deep.equal(['handshake GET', 'input 0', `input ${message.length}`]);
  });

  it('gets what a worker broadcasts as it is, when it encodes in a way of its own', async () => {
    class Envelope extends Websocket {
      static override encode(data: unknown, connection: ServerConnection): Uint8Array {
        return super.encode({ data }, connection);
      }
    }
    const worker = await serve('tcp://127.0.0.1:0', {}, (made) => (made.protocol = Envelope));
    const opened: TcpConnection[] = [];
    worker.onWebSocketConnected = (connection) => opened.push(connection);
    const peer = client(`ws://127.0.0.1:${portOf(worker)}`);
    const got: unknown[] = [];
    peer.onMessage = (_c, data) => got.push(data);
    peer.connect();
    await until(() => opened.length === 1);
    worker.broadcast({ a: 1 });
    await until(() => got.length === 1);
    expect(got).to.deep.equal(['{"data":{"a":1}}']);
  });

  it('may write to the frames that it gets, also to those of a message that is sent again', async () => {
    const flipped = (frame: Uint8Array): Uint8Array => {
      frame[frame.length - 1]! ^= 0x20;
      return frame;
    };
    class Flip extends Websocket {
      static override encode(data: unknown, connection: ServerConnection): Uint8Array {
        return flipped(super.encode(data, connection));
      }
    }
    const Around = {
      input: Frame.input,
      decode: Frame.decode,
      encode: (data: unknown, connection: TcpConnection) => flipped(Frame.encode(data, connection)),
    };
    const { connection, peer } = await open((made) => (made.protocol = Around));
    for (let i = 0; i < 2; i++) connection.send('hi');
    await peer.gets('\0\0\0\x06hI'.length * 2);
    expect(peer.text).to.equal('\0\0\0\x06hI'.repeat(2));
    connection.protocol = Flip;
    await peer.write(openingRequest());
    await peer.gets(/\r\n\r\n/);
    const head = peer.length;
    for (let i = 0; i < 2; i++) connection.send('hi');
    await peer.gets(head + 8);
    expect(peer.text.slice(head)).to.equal('\x81\x02hI'.repeat(2));
  });

  it('sees what Ws does from one end of a connection to the other', async () => {
    class Spy extends Ws {
      static override onConnect(connection: ClientConnection): void {
        calls.push('connect');
        super.onConnect(connection);
      }
      static override sendHandshake(connection: ClientConnection): void {
        calls.push('send handshake');
        super.sendHandshake(connection);
      }
      static override input(buffer: Buffer, connection: ClientConnection): number {
        calls.push('input');
        return super.input(buffer, connection);
      }
      static override dealHandshake(buffer: Buffer, connection: ClientConnection): number {
        calls.push(`handshake ${buffer.toString('latin1', 0, 12)}`);
        return super.dealHandshake(buffer, connection);
      }
      static override decode(buffer: Buffer, connection: ClientConnection): string | Buffer {
        const message = super.decode(buffer, connection);
        calls.push(`decode ${message.toString()}`);
        return message;
      }
      static override encode(data: unknown, connection: ClientConnection): Uint8Array {
        calls.push(`encode ${String(data)}`);
        return super.encode(data, connection);
      }
      static override onClose(connection: ClientConnection): void {
        calls.push('close');
        super.onClose(connection);
      }
    }
    const server = await new HandServer().listen();
    try {
      const connection: AsyncTcpConnection = client(`ws://127.0.0.1:${server.port}`);
      connection.protocol = Spy;
      connection.onMessage = (c, data) => void c.send(`got ${String(data)}`);
      connection.connect();
      const link = await server.link();
      link.open();
      link.socket.write(frame({ opcode: text, payload: 'hi', mask: false }));
      await until(() => calls.includes('encode got hi'));
      await until(() => readFrames(link.bytes.subarray(link.request.length)).frames.length > 0);
      expect(readFrames(link.bytes.subarray(link.request.length)).frames[0]!.payload.toString()).to.equal('got hi');
      connection.destroy();
      const seen = calls.filter((call, i) => call !== 'input' || calls[i - 1] !== 'input');
      expect(seen.slice(0, 4)).to.deep.equal([
        'connect', 'send handshake', 'input', 'handshake HTTP/1.1 101',
      ]);
      expect(seen.slice(-3)).to.deep.equal(['decode hi', 'encode got hi', 'close']);
    } finally {
      await server.close();
    }
  });
});
