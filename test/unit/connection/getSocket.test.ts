import { Socket } from 'node:net';
import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Http } from '../../../protocols/Http.js';
import type { Request } from '../../../protocols/http/Request.js';
import { catchReports, closeAll, fill, open, until } from './peers.js';

/** A plain accepted connection has no socket of Node's until somebody asks for it, and goes on as if nothing had been. */
describe('getSocket() of an accepted connection', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  const echo = (connection: TcpConnection): void => {
    connection.onMessage = (self: TcpConnection, data: Buffer) => void self.send(data);
  };

  it('gives the same socket each time, which knows both ends', async () => {
    const { connection, peer } = await open(echo);
    const socket = connection.getSocket()!;
    expect(socket).to.be.instanceOf(Socket);
    expect(connection.getSocket()).to.equal(socket);
    expect([socket.remotePort, socket.localPort]).to.deep.equal([peer.socket.localPort, peer.socket.remotePort]);
    expect(connection.getRemotePort()).to.equal(peer.socket.localPort);
  });

  it('lets data come and go before and after, also while the connection is paused', async () => {
    const { connection, peer } = await open(echo);
    await peer.write('one');
    await peer.gets(3);
    connection.getSocket();
    await peer.write(' two');
    await peer.gets(7);
    connection.pauseRecv();
    await peer.write(' three');
    connection.send('!');
    await peer.gets(8);
    expect(connection.bytesRead).to.be.oneOf([7, 13]);
    connection.resumeRecv();
    expect(await peer.gets(14)).to.equal('one two! three');
    expect([connection.bytesRead, connection.bytesWritten]).to.deep.equal([13, 14]);
  });

  it('of one that is paused leaves it paused', async () => {
    const { connection, peer } = await open(echo);
    connection.pauseRecv();
    connection.getSocket();
    await peer.write('x');
    connection.send('.');
    await peer.gets(1);
    expect(peer.text).to.equal('.');
    connection.resumeRecv();
    expect(await peer.gets(2)).to.equal('.x');
  });

  it('in the middle of a batch of requests loses none of them', async () => {
    const { peer } = await open((connection) => {
      connection.protocol = Http;
      connection.onMessage = (self: TcpConnection, request: Request) => {
        self.getSocket();
        self.send(request.path());
      };
    });
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    await peer.write(ask('/a') + ask('/b') + ask('/c').slice(0, 10));
    await peer.gets(/\/b$/);
    await peer.write(ask('/c').slice(10));
    expect((await peer.gets(/\/c$/)).match(/^\/[abc]|(?<=\n)\/[abc](?=HTTP|$)/g)).to.deep.equal(['/a', '/b', '/c']);
  });

  it('while much waits to be sent keeps the order and calls onBufferDrain once', async () => {
    let drained = 0;
    const { connection, peer } = await open((c) => (c.onBufferDrain = () => drained++), { reads: false });
    connection.maxSendBufferSize = Infinity;
    let sent = '';
    for (let i = 0; connection.getSendBufferQueueSize() === 0 || i < 100; i++) {
      const piece = `${i} `.repeat(20_000);
      sent += piece;
      connection.send(piece);
    }
    connection.getSocket();
    connection.send('the end');
    peer.read();
    await peer.gets(sent.length + 7);
    expect(peer.text === `${sent}the end`).to.equal(true);
    await until(() => drained > 0);
    expect(drained).to.equal(1);
    expect(connection.bytesWritten).to.equal(sent.length + 7);
  });

  it('notices the FIN of the peer, and its own destroy()', async () => {
    const one = await open();
    one.connection.getSocket();
    await one.peer.fin();
    await until(() => one.connection.getStatus(false) === 'CLOSED');
    const two = await open();
    two.connection.getSocket()!.destroy();
    await until(() => two.connection.getStatus(false) === 'CLOSED');
    await until(() => two.peer.ended || two.peer.closed);
  });

  it('does not hide from one that does not read that its peer has gone', async () => {
    for (const stopReading of ['close', 'pauseRecv'] as const) {
      const events: string[] = [];
      const { connection, peer } = await open((c) => {
        c.onError = (_c: TcpConnection, _code: number, text: string) => void events.push(text);
        c.onClose = () => void events.push('close');
      }, { reads: false });
      fill(connection);
      connection[stopReading]();
      connection.getSocket();
      await peer.reset();
      await until(() => events.includes('close'));
      expect(events.filter((event) => event !== 'client closed')).to.deep.equal(['close']);
      expect(connection.getStatus()).to.equal(16);
    }
  });
});
