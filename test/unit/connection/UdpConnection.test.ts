import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { expect } from 'chai';
import { handOutDatagram, UdpConnection } from '../../../connection/UdpConnection.js';
import type { ProtocolInterface } from '../../../protocols/ProtocolInterface.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, countFromHere, until } from './peers.js';

const sockets = new Set<Socket>();

async function bound(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  sockets.add(socket);
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return socket;
}

/** A client, and one UdpConnection for each datagram that it sends to a server. */
async function pair(host = '127.0.0.1'): Promise<{
  server: Socket;
  client: Socket;
  received: string[];
  next: (datagram: string | Uint8Array) => Promise<{ connection: UdpConnection; data: Buffer; remote: RemoteInfo }>;
}> {
  const server = await bound(host);
  const client = await bound(host);
  const received: string[] = [];
  client.on('message', (data) => received.push(String(data)));
  const next: Awaited<ReturnType<typeof pair>>['next'] = (datagram) =>
    new Promise((resolve) => {
      server.once('message', (data, remote) =>
        resolve({ connection: new UdpConnection(server, remote), data, remote }),
      );
      client.send(datagram, server.address().port, host);
    });
  return { server, client, received, next };
}

describe('UdpConnection', () => {
  const reports = catchReports();
  afterEach(() => {
    for (const socket of sockets) {
      try {
        socket.close();
      } catch {
        // Closed by the test.
      }
    }
    sockets.clear();
  });

  it('knows both addresses over IPv4', async () => {
    const { server, client, next } = await pair();
    const { connection } = await next('x');
    expect(UdpConnection.MAX_UDP_PACKAGE_SIZE).to.equal(65535);
    expect(connection.transport).to.equal('udp');
    expect(connection.getRemoteAddress()).to.equal(`127.0.0.1:${client.address().port}`);
    expect(connection.getRemoteIp()).to.equal('127.0.0.1');
    expect(connection.getRemotePort()).to.equal(client.address().port);
    expect(connection.getLocalAddress()).to.equal(`127.0.0.1:${server.address().port}`);
    expect(connection.getLocalIp()).to.equal('127.0.0.1');
    expect(connection.getLocalPort()).to.equal(server.address().port);
    expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([true, false]);
  });

  it('gives an IPv6 ip of the peer without brackets, all else with them', async () => {
    const { server, client, next } = await pair('::1');
    const { connection } = await next('x');
    expect(connection.getRemoteIp()).to.equal('::1');
    expect(connection.getRemoteAddress()).to.equal(`[::1]:${client.address().port}`);
    expect(connection.getLocalIp()).to.equal('[::1]');
    expect(connection.getLocalAddress()).to.equal(`[::1]:${server.address().port}`);
    expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([false, true]);
  });

  it('describes itself with the keys of Workerman', async () => {
    const { server, client, next } = await pair();
    const { connection } = await next('x');
    const [remote, local] = [client.address().port, server.address().port];
    expect(Object.entries(connection.toJSON())).to.deep.equal([
      ['transport', 'udp'],
      ['getRemoteIp', '127.0.0.1'],
      ['remotePort', remote],
      ['getRemoteAddress', `127.0.0.1:${remote}`],
      ['getLocalIp', '127.0.0.1'],
      ['getLocalPort', local],
      ['getLocalAddress', `127.0.0.1:${local}`],
      ['isIpV4', true],
      ['isIpV6', false],
    ]);
    expect(JSON.parse(JSON.stringify(connection))).to.deep.equal(connection.jsonSerialize());
  });

  it('answers from the socket that the datagram came to', async () => {
    const { server, client, received, next } = await pair();
    let from = 0;
    client.on('message', (_data, remote) => (from = remote.port));
    const { connection } = await next('x');
    expect(connection.send('answer')).to.equal(true);
    expect(connection.send(Buffer.from('bytes'))).to.equal(true);
    expect(connection.send('')).to.equal(true);
    expect(connection.send(42)).to.equal(true);
    await until(() => received.length === 4);
    expect(received).to.deep.equal(['answer', 'bytes', '', '42']);
    expect(from).to.equal(server.address().port);
  });

  it('encodes with its protocol, unless raw; null when that gives nothing, false when it throws', async () => {
    const { received, next } = await pair();
    const { connection } = await next('x');
    connection.protocol = {
      decode: String,
      encode: (data: unknown) => {
        if (data === 'bad') throw new Error('bad');
        return data === 'none' ? '' : `<${String(data)}>`;
      },
    };
    expect(connection.send('none')).to.equal(null);
    expect(connection.send('a')).to.equal(true);
    expect(connection.send('b', true)).to.equal(true);
    expect(connection.send('bad')).to.equal(false);
    await until(() => received.length === 2);
    expect(received).to.deep.equal(['<a>', 'b']);
    expect(reports.failures).to.have.length(1);
  });

  it('refuses what encode gives when that is no bytes, with a TypeError', async () => {
    const { next } = await pair();
    const { connection } = await next('x');
    const errors: unknown[] = [];
    connection.errorHandler = (error: unknown) => void errors.push(error);
    connection.protocol = { decode: String, encode: () => Promise.reject(new Error('x')) as unknown as string };
    expect(connection.send('a')).to.equal(false);
    expect(errors[0]).to.be.instanceOf(TypeError);
  });

  it('refuses objects with a TypeError', async () => {
    const { next } = await pair();
    const { connection } = await next('x');
    expect(() => connection.send({}))
      .to.throw(TypeError)
      .with.property('code', 'WM_BAD_DATA');
  });

  it('refuses what does not fit into a datagram', async () => {
    const { received, next } = await pair();
    const { connection } = await next('x');
    expect(connection.send('x'.repeat(65_508))).to.equal(false);
    expect(connection.send('x'.repeat(65_507))).to.equal(true);
    await until(() => received.length === 1);
    expect(received[0]).to.have.length(65_507);
  });

  it('close() sends its data, refuses later sends, and leaves the listener alone', async () => {
    const { received, next } = await pair();
    const { connection } = await next('x');
    connection.close('bye');
    connection.close('again');
    expect(connection.send('late')).to.equal(false);
    const second = await next('y');
    expect(second.connection.send('alive')).to.equal(true);
    await until(() => received.length === 2);
    expect(received).to.deep.equal(['bye', 'alive']);
  });

  it('answers false, and knows no local address, once the listener is closed', async () => {
    const { server, client, next } = await pair();
    const { connection } = await next('x');
    server.close();
    expect(connection.send('late')).to.equal(false);
    expect([connection.getLocalAddress(), connection.getLocalIp(), connection.getLocalPort()]).to.deep.equal([
      '',
      '',
      0,
    ]);
    expect(connection.getRemoteAddress()).to.equal(`127.0.0.1:${client.address().port}`);
  });

  describe('the packets of a datagram', () => {
    function handOut(
      protocol: ProtocolInterface | null,
      datagram: string | Buffer,
    ): { messages: unknown[]; errors: unknown[] } {
      const connection = new UdpConnection(null, { address: '127.0.0.1', port: 1 });
      const messages: unknown[] = [];
      const errors: unknown[] = [];
      connection.protocol = protocol;
      connection.errorHandler = (error: unknown) => void errors.push(error);
      connection.onMessage = (_c: unknown, message: unknown) => void messages.push(message);
      handOutDatagram(connection, Buffer.from(datagram as string));
      return { messages, errors };
    }

    it('are the datagram itself without a protocol, empty ones too', () => {
      expect(handOut(null, 'abc').messages).to.deep.equal([Buffer.from('abc')]);
      expect(handOut(null, '').messages).to.deep.equal([Buffer.alloc(0)]);
    });

    it('are cut by input and decoded; an unfinished rest is dropped', () => {
      expect(handOut(Text, 'a\nb\nc').messages).to.deep.equal(['a', 'b']);
      expect(handOut(Text, 'a').messages).to.deep.equal([]);
      expect(handOut(Text, '').messages).to.deep.equal([]);
    });

    it('are dropped from a length on that can not be', () => {
      for (const length of [-1, 0, 4, 1.5, NaN, false, undefined]) {
        let asked = 0;
        const input = (): number => (asked++ === 0 ? 1 : (length as number));
        expect(handOut({ input, decode: String, encode: String }, 'abc').messages).to.deep.equal(['a']);
      }
    });

    it('are skipped when decode says false', () => {
      const decode = (bytes: Buffer): unknown => (String(bytes) === 'b\n' ? false : String(bytes));
      expect(handOut({ ...Text, input: Text.input, decode, encode: String }, 'a\nb\nc\n').messages).to.deep.equal([
        'a\n',
        'c\n',
      ]);
      expect(handOut({ decode: () => false, encode: String }, 'x').messages).to.deep.equal([]);
    });

    it('are the whole datagram for a protocol without input', () => {
      expect(handOut({ decode: (b: Buffer) => `<${String(b)}>`, encode: String }, 'a\nb').messages).to.deep.equal([
        '<a\nb>',
      ]);
      expect(handOut({ decode: (b: Buffer) => `<${String(b)}>`, encode: String }, '').messages).to.deep.equal(['<>']);
    });

    it('have no size limit in Text', () => {
      expect(handOut(Text, `${'x'.repeat(60_000)}\n`).messages).to.deep.equal(['x'.repeat(60_000)]);
    });

    it('count as one request, however many they are', () => {
      const counts = countFromHere();
      handOut(Text, 'a\nb\nc\n');
      handOut(null, '');
      expect(counts()).to.deep.equal({ connections: 0, requests: 2, sendFails: 0 });
    });

    it('lead to an error when input, decode or onMessage throws', () => {
      const thrown = new Error('thrown');
      const throws = (): never => {
        throw thrown;
      };
      expect(handOut({ input: throws, decode: String, encode: String }, 'a').errors).to.deep.equal([thrown]);
      expect(handOut({ decode: throws, encode: String }, 'a').errors).to.deep.equal([thrown]);
      const connection = new UdpConnection(null, { address: '127.0.0.1', port: 1 });
      connection.onMessage = throws;
      handOutDatagram(connection, Buffer.from('a'));
      expect(reports.failures).to.deep.equal([thrown]);
    });

    it('may not be promises: that is a TypeError', () => {
      const { messages, errors } = handOut({ decode: async () => 'late', encode: String }, 'a');
      expect(messages).to.deep.equal([]);
      expect(errors[0]).to.be.instanceOf(TypeError);
    });

    it('lead to an error when an async onMessage is rejected', async () => {
      const connection = new UdpConnection(null, { address: '127.0.0.1', port: 1 });
      connection.onMessage = async () => {
        throw new Error('late');
      };
      handOutDatagram(connection, Buffer.from('a'));
      await until(() => reports.failures.length === 1);
    });
  });
});
