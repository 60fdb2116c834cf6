import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConnectionInterface } from '../../../connection/ConnectionInterface.js';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, fill, open, settle, until } from './peers.js';

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('TcpConnection', () => {
  catchReports();
  afterEach(closeAll);

  it('has the constants of Workerman', () => {
    const { STATUS_INITIAL, STATUS_CONNECTING, STATUS_ESTABLISHED, STATUS_ENDING, STATUS_CLOSING, STATUS_CLOSED } =
      TcpConnection;
    expect([
      STATUS_INITIAL,
      STATUS_CONNECTING,
      STATUS_ESTABLISHED,
      STATUS_ENDING,
      STATUS_CLOSING,
      STATUS_CLOSED,
    ]).to.deep.equal([0, 1, 2, 4, 8, 16]);
    expect(TcpConnection.STATUS_TO_STRING).to.deep.equal({
      0: 'INITIAL',
      1: 'CONNECTING',
      2: 'ESTABLISHED',
      8: 'CLOSING',
      4: 'ENDING',
      16: 'CLOSED',
    });
    const { READ_BUFFER_SIZE, MAX_CACHE_STRING_LENGTH, MAX_CACHE_SIZE, TCP_KEEPALIVE_INTERVAL } = TcpConnection;
    expect([READ_BUFFER_SIZE, MAX_CACHE_STRING_LENGTH, MAX_CACHE_SIZE, TCP_KEEPALIVE_INTERVAL]).to.deep.equal([
      87380, 2048, 512, 55,
    ]);
    expect([TcpConnection.CONNECT_FAIL, TcpConnection.SEND_FAIL]).to.deep.equal([1, 2]);
    const { defaultMaxSendBufferSize, defaultMaxPackageSize, defaultLingerTimeout } = TcpConnection;
    expect([defaultMaxSendBufferSize, defaultMaxPackageSize, defaultLingerTimeout]).to.deep.equal([
      1_048_576, 10_485_760, 1,
    ]);
    expect(Object.keys(ConnectionInterface.statistics)).to.deep.equal([
      'connection_count',
      'total_request',
      'throw_exception',
      'send_fail',
    ]);
    expect(TcpConnection.statistics).to.equal(ConnectionInterface.statistics);
  });

  it('starts ESTABLISHED, registered, with the defaults of the moment', async () => {
    const { defaultMaxSendBufferSize, defaultMaxPackageSize, defaultLingerTimeout } = TcpConnection;
    try {
      Object.assign(TcpConnection, {
        defaultMaxSendBufferSize: 11,
        defaultMaxPackageSize: 22,
        defaultLingerTimeout: 33,
      });
      let status = -1;
      const { connection } = await open((c) => (status = c.getStatus()));
      expect(status).to.equal(TcpConnection.STATUS_ESTABLISHED);
      expect(connection.getStatus(false)).to.equal('ESTABLISHED');
      expect([connection.maxSendBufferSize, connection.maxPackageSize, connection.lingerTimeout]).to.deep.equal([
        11, 22, 33,
      ]);
      expect(TcpConnection.connections[connection.id]).to.equal(connection);
      expect([...TcpConnection.connections]).to.include(connection);
      expect(connection).to.deep.include({
        transport: 'tcp',
        worker: null,
        protocol: null,
        bytesRead: 0,
        bytesWritten: 0,
        context: {},
        headers: {},
        onConnect: null,
        onMessage: null,
        onClose: null,
        onError: null,
        onBufferFull: null,
        onBufferDrain: null,
        errorHandler: null,
        eventLoop: null,
      });
    } finally {
      Object.assign(TcpConnection, { defaultMaxSendBufferSize, defaultMaxPackageSize, defaultLingerTimeout });
    }
  });

  it('numbers connections in one sequence and never uses a number twice', async () => {
    const one = await open();
    const two = await open();
    two.connection.destroy();
    const three = await open();
    expect(two.connection.id).to.equal(one.connection.id + 1);
    expect(three.connection.id).to.equal(two.connection.id + 1);
    expect(one.connection.context).to.not.equal(three.connection.context);
  });

  it('lets users overwrite id and hang their own data on it', async () => {
    const { connection } = await open();
    const { id } = connection;
    connection.id = 4711;
    Object.assign(connection, { uid: 'me' });
    expect(TcpConnection.connections[id]).to.equal(connection);
    connection.destroy();
    expect(TcpConnection.connections[id]).to.equal(undefined);
    expect((connection as unknown as { uid: string }).uid).to.equal('me');
  });

  describe('addresses', () => {
    it('of IPv4', async () => {
      const { connection, peer } = await open();
      const { localPort, remotePort } = peer.socket;
      expect(connection.getRemoteAddress()).to.equal(`127.0.0.1:${localPort}`);
      expect(connection.getRemoteIp()).to.equal('127.0.0.1');
      expect(connection.getRemotePort()).to.equal(localPort);
      expect(connection.getLocalAddress()).to.equal(`127.0.0.1:${remotePort}`);
      expect(connection.getLocalIp()).to.equal('127.0.0.1');
      expect(connection.getLocalPort()).to.equal(remotePort);
      expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([true, false]);
    });

    (hasIPv6 ? it : () => {})('of IPv6 have brackets', async () => {
      const { connection, peer } = await open(undefined, { host: '::1' });
      expect(connection.getRemoteAddress()).to.equal(`[::1]:${peer.socket.localPort}`);
      expect(connection.getRemoteIp()).to.equal('[::1]');
      expect(connection.getRemotePort()).to.equal(peer.socket.localPort);
      expect(connection.getLocalAddress()).to.equal(`[::1]:${peer.socket.remotePort}`);
      expect(connection.getLocalIp()).to.equal('[::1]');
      expect(connection.getLocalPort()).to.equal(peer.socket.remotePort);
      expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([false, true]);
    });

    (hasIPv6 ? it : () => {})('of an IPv4 client at a dual-stack listener are IPv6', async () => {
      const { connection, peer } = await open(undefined, { host: '::', clientHost: '127.0.0.1' });
      expect(connection.getRemoteAddress()).to.equal(`[::ffff:127.0.0.1]:${peer.socket.localPort}`);
      expect(connection.getRemoteIp()).to.equal('[::ffff:127.0.0.1]');
      expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([false, true]);
    });

    it('of unix sockets are the path here and nothing there', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
      const path = join(folder, 'a.sock');
      try {
        const { connection } = await open(undefined, { path });
        expect(connection.getLocalAddress()).to.equal(path);
        expect([connection.getLocalIp(), connection.getLocalPort()]).to.deep.equal(['', 0]);
        expect(connection.getRemoteAddress()).to.equal('');
        expect([connection.getRemoteIp(), connection.getRemotePort()]).to.deep.equal(['', 0]);
        expect([connection.isIpV4(), connection.isIpV6()]).to.deep.equal([false, false]);
        connection.destroy();
        expect(connection.getLocalAddress()).to.equal('');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('of the peer stay after the close, our own are gone already in onClose', async () => {
      const { connection, peer } = await open();
      const remote = `127.0.0.1:${peer.socket.localPort}`;
      const seen: unknown[] = [];
      const look = (self: TcpConnection): void =>
        void seen.push([
          self.getRemoteAddress(),
          self.getRemoteIp(),
          self.isIpV4(),
          self.getLocalAddress(),
          self.getLocalIp(),
          self.getLocalPort(),
        ]);
      connection.onClose = look;
      connection.close();
      look(connection);
      expect(seen).to.deep.equal(Array(2).fill([remote, '127.0.0.1', true, '', '', 0]));
    });

    it('are split at the last colon of what the constructor was given', () => {
      const connection = new TcpConnection(null, null, 'h:80');
      expect([connection.getRemoteIp(), connection.getRemotePort(), connection.getLocalAddress()]).to.deep.equal([
        'h',
        80,
        '',
      ]);
      expect(TcpConnection.connections[connection.id]).to.equal(undefined);
    });
  });

  it('describes itself with the keys of Workerman', async () => {
    const { connection, peer } = await open();
    const { localPort, remotePort } = peer.socket;
    const plain = connection.jsonSerialize();
    expect(Object.entries(plain)).to.deep.equal([
      ['id', connection.id],
      ['status', 2],
      ['transport', 'tcp'],
      ['getRemoteIp', '127.0.0.1'],
      ['remotePort', localPort],
      ['getRemoteAddress', `127.0.0.1:${localPort}`],
      ['getLocalIp', '127.0.0.1'],
      ['getLocalPort', remotePort],
      ['getLocalAddress', `127.0.0.1:${remotePort}`],
      ['isIpV4', true],
      ['isIpV6', false],
    ]);
    expect(JSON.parse(JSON.stringify({ connection }))).to.deep.equal({ connection: plain });
  });

  it('gives its socket until it is closed', async () => {
    const { connection, peer } = await open();
    expect(connection.getSocket()?.remotePort).to.equal(peer.socket.localPort);
    connection.close();
    expect(connection.getSocket()).to.equal(null);
  });

  describe('pipe()', () => {
    it('forwards what comes in, through the protocol of the other side, and closes it', async () => {
      const source = await open();
      const dest = await open((c) => (c.protocol = Text));
      let errors = 0;
      source.connection.onError = () => errors++;
      const { onError } = source.connection;
      source.connection.pipe(dest.connection);
      expect(source.connection.onError).to.equal(onError);
      await source.peer.write('one');
      await dest.peer.gets(4);
      await source.peer.write('two');
      await source.peer.fin();
      await until(() => dest.peer.ended);
      expect(dest.peer.text).to.equal('one\ntwo\n');
      expect(errors).to.equal(0);
    });

    it('stops reading while the other side is full, loses nothing, and closes only behind the last byte', async () => {
      const source = await open();
      const dest = await open(undefined, { reads: false });
      source.connection.pipe(dest.connection);
      dest.connection.maxSendBufferSize = 100_000;
      let pauses = 0;
      const { onBufferFull } = dest.connection;
      dest.connection.onBufferFull = (self: TcpConnection) => {
        pauses++;
        onBufferFull!(self);
      };
      const total = 64 << 20;
      const piece = Buffer.alloc(1 << 16, 'p');
      let written = 0;
      const feed = (): void => {
        while (written < total) {
          written += piece.length;
          if (!source.peer.socket.write(piece)) return void source.peer.socket.once('drain', feed);
        }
        source.peer.socket.end();
      };
      feed();
      await until(() => pauses === 1);
      await settle();
      expect(dest.connection.getSendBufferQueueSize()).to.be.below(100_000 + 2 * 65_536);
      expect(source.connection.bytesRead).to.be.below(total);
      dest.peer.read();
      for (const burst of [1, 2]) {
        await until(() => dest.peer.length >= burst * (8 << 20));
        dest.peer.socket.pause();
        await until(() => pauses > burst);
        dest.peer.socket.resume();
      }
      await until(() => dest.peer.ended);
      expect(dest.peer.length).to.equal(total);
    });

    it('closes the other side when the source was reset while that was full', async () => {
      const source = await open();
      const dest = await open(undefined, { reads: false });
      source.connection.pipe(dest.connection);
      dest.connection.maxSendBufferSize = 1;
      const queued = fill(dest.connection);
      await source.peer.reset();
      await settle();
      expect(source.connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
      dest.peer.read();
      await until(() => dest.peer.ended);
      expect(dest.peer.length).to.equal(queued);
      expect(source.connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSED);
    });

    it('takes the place of the callbacks that were there', async () => {
      const source = await open();
      const dest = await open();
      const never = (): never => expect.fail('replaced');
      source.connection.onMessage = source.connection.onClose = never;
      dest.connection.onBufferFull = dest.connection.onBufferDrain = never;
      source.connection.pipe(dest.connection);
      dest.connection.maxSendBufferSize = 1;
      dest.peer.socket.pause();
      fill(dest.connection);
      dest.peer.socket.resume();
      await until(() => dest.connection.bufferIsEmpty());
      source.connection.close();
      await until(() => dest.peer.ended);
    });
  });
});
