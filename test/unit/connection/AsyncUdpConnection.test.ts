import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { AsyncUdpConnection, UdpConnection, type SocketContext } from '../../../connection/index.js';
import { Text } from '../../../protocols/Text.js';
import { freePort } from '../../support/process.js';
import { catchReports, countFromHere, until } from './peers.js';

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('AsyncUdpConnection', () => {
  const reports = catchReports();
  let count: ReturnType<typeof countFromHere>;
  const sockets = new Set<Socket>();
  const clients = new Set<AsyncUdpConnection>();

  beforeEach(() => (count = countFromHere()));
  afterEach(async () => {
    for (const c of clients) c.close();
    clients.clear();
    await Promise.all([...sockets].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    sockets.clear();
    expect(reports.failures).to.deep.equal([]);
    expect(count().connections).to.equal(0);
  });

  interface Peer {
    port: number;
    seen: string[];
    socket: Socket;
    last: () => RemoteInfo;
  }

  /** A plain socket that writes down what it gets; with `echo` it sends it back. */
  async function peer(echo = true, host = '127.0.0.1'): Promise<Peer> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    sockets.add(socket);
    const seen: string[] = [];
    let from: RemoteInfo | null = null;
    socket.on('message', (data, remote) => {
      seen.push(data.toString());
      from = remote;
      if (echo) socket.send(data, remote.port, remote.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    return { port: socket.address().port, seen, socket, last: () => from! };
  }

  function client(address: string, context: SocketContext = {}): AsyncUdpConnection {
    const c: AsyncUdpConnection = new AsyncUdpConnection(address, context);
    clients.add(c);
    return c;
  }

  it('connects, sends and receives', async () => {
    const far = await peer();
    const c = client(`udp://127.0.0.1:${far.port}`);
    const log: string[] = [];
    c.onConnect = () => {
      log.push('connect');
      expect(c.send('hi')).to.equal(true);
    };
    c.onMessage = (_c, data) => log.push(`${Buffer.isBuffer(data)} ${data}`);
    c.connect();
    expect(log).to.deep.equal([]);
    await until(() => log.length === 2);
    expect(log).to.deep.equal(['connect', 'true hi']);
    expect(count().requests).to.equal(1);
    expect(c).to.be.instanceOf(UdpConnection);
    expect([c.transport, c.getRemoteAddress(), c.getRemoteIp(), c.getRemotePort(), c.isIpV4()])
      .to.deep.equal(['udp', `127.0.0.1:${far.port}`, '127.0.0.1', far.port, true]);
    expect(c.getLocalAddress()).to.equal(`127.0.0.1:${far.last().port}`);
  });

  it('connects by itself when it sends, and keeps the order', async () => {
    const far = await peer(false);
    const c = client(`udp://localhost:${far.port}`.replace('localhost', '127.0.0.1'));
    let connects = 0;
    c.onConnect = () => connects++;
    expect([c.send('1'), c.send('2'), c.send('3')]).to.deep.equal([true, true, true]);
    c.connect();
    await until(() => far.seen.length === 3);
    expect(far.seen).to.deep.equal(['1', '2', '3']);
    expect(connects).to.equal(1);
  });

  it('speaks a protocol, without its input', async () => {
    const far = await peer();
    const c = client(`text://127.0.0.1:${far.port}`);
    expect(c.protocol).to.equal(Text);
    const lines: unknown[] = [];
    c.send('one');
    await until(() => far.seen.length === 1);
    // onMessage may be set late.
    c.onMessage = (_c, line) => {
      if (line !== 'one') lines.push(line);
    };
    c.send('a\nb');
    c.send('raw', true);
    await until(() => lines.length === 2);
    expect(far.seen).to.deep.equal(['one\n', 'a\nb\n', 'raw']);
    expect(lines).to.deep.equal(['a\nb', 'raw']);
  });

  it('has nothing to send when its protocol says so', async () => {
    const far = await peer();
    const c = client(`udp://127.0.0.1:${far.port}`);
    c.protocol = { decode: (b: Buffer) => b, encode: () => '' };
    expect(c.send('x')).to.equal(null);
    expect(c.send('y', true)).to.equal(true);
    await until(() => far.seen.length === 1);
    expect(far.seen).to.deep.equal(['y']);
  });

  it('refuses what does not fit into a datagram', async () => {
    const far = await peer(false);
    const c = client(`udp://127.0.0.1:${far.port}`);
    expect(c.send(Buffer.alloc(65_508))).to.equal(false);
    expect(c.send(Buffer.alloc(65_507))).to.equal(true);
    expect(c.send('')).to.equal(true);
    await until(() => far.seen.length === 2);
    expect(far.seen.map((text) => text.length)).to.deep.equal([65_507, 0]);
  });

  it('does not mind that nobody listens', async () => {
    const c = client(`udp://127.0.0.1:${await freePort()}`);
    const log: string[] = [];
    c.onError = () => log.push('error');
    c.onClose = () => log.push('close');
    c.onConnect = () => log.push('connect');
    for (let i = 0; i < 3; i++) {
      expect(c.send('x')).to.equal(true);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(log).to.deep.equal(['connect']);
    expect(reports.lines).to.deep.equal([]);
  });

  it('closes at once, once, and lets go what waits', async () => {
    const far = await peer(false);
    const c = client(`udp://127.0.0.1:${far.port}`);
    const log: string[] = [];
    c.onClose = () => log.push('close');
    c.onConnect = () => log.push('connect');
    c.onMessage = () => log.push('message');
    c.send('1');
    c.close('2');
    expect(log).to.deep.equal(['close']);
    expect([c.onClose, c.onConnect, c.onMessage]).to.deep.equal([null, null, null]);
    c.close('3');
    await until(() => far.seen.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(far.seen).to.deep.equal(['1', '2']);
    expect(log).to.deep.equal(['close']);
  });

  it('closes when it is connected, and hears nothing more', async () => {
    const far = await peer(false);
    const c = client(`udp://127.0.0.1:${far.port}`);
    let connected = false;
    const log: string[] = [];
    c.onConnect = () => (connected = true);
    c.onMessage = () => log.push('message');
    c.connect();
    await until(() => connected);
    c.send('1');
    await until(() => far.seen.length === 1);
    const { port, address } = far.last();
    c.onClose = () => {
      log.push(`close ${c.getLocalAddress()}`);
      far.socket.send('late', port, address);
    };
    c.close('2', true);
    await until(() => far.seen.length === 2);
    expect(log).to.deep.equal(['close ']);
  });

  it('closes before it was ever opened', () => {
    const c = client('udp://127.0.0.1:1');
    const log: string[] = [];
    c.onClose = () => log.push('close');
    c.close();
    c.close();
    expect(log).to.deep.equal(['close']);
  });

  it('opens again when it sends after its close', async () => {
    const far = await peer();
    const c = client(`udp://127.0.0.1:${far.port}`);
    c.send('1');
    c.close();
    await until(() => far.seen.length === 1);
    const first = far.last().port;
    c.send('2');
    await until(() => far.seen.length === 2);
    expect(far.last().port).to.not.equal(first);
  });

  it('says that a name is unknown, and tries again with the next send', async () => {
    const c = client('udp://no.such.host.invalid:9');
    const errors: unknown[] = [];
    c.onError = (_c, code, text) => errors.push([code, text]);
    expect(c.send('x')).to.equal(true);
    await until(() => errors.length === 1);
    expect(c.send('x')).to.equal(true);
    await until(() => errors.length === 2);
    expect(String(errors[0])).to.match(/^1,.*no\.such\.host\.invalid/);
    expect(reports.lines).to.have.length(2);
    expect(reports.lines[0]).to.match(/^connect no\.such\.host\.invalid:9 fail: /);
  });

  it('says that an address can not be used, and tries again with the next send', async () => {
    const c = client('udp://255.255.255.255:9');
    const events: string[] = [];
    c.onConnect = () => events.push('connect');
    c.onError = (_c, code, text) => events.push(`error ${code} ${text}`);
    for (const count of [1, 2]) {
      expect(c.send('x')).to.equal(true);
      await until(() => events.length === count);
      expect(events.at(-1)).to.match(/^error 1 connect /);
    }
    expect(reports.lines).to.have.length(2);
  });

  it('binds to bindto', async () => {
    const far = await peer();
    const c = client(`udp://127.0.0.1:${far.port}`, { socket: { bindto: '127.0.0.2:0', so_broadcast: true } });
    c.send('x');
    await until(() => far.seen.length === 1);
    expect(far.last().address).to.equal('127.0.0.2');
  });

  it('fails when bindto can not be used', async () => {
    for (const bindto of ['x', '192.0.2.1:0']) {
      const c = client('udp://127.0.0.1:9', { socket: { bindto } });
      const errors: unknown[] = [];
      c.onError = (_c, code) => errors.push(code);
      c.send('x');
      await until(() => errors.length === 1);
      expect(errors).to.deep.equal([1]);
    }
  });

  it('routes exceptions to its errorHandler', async () => {
    const far = await peer();
    const c = client(`udp://127.0.0.1:${far.port}`);
    const errors: string[] = [];
    c.errorHandler = (error) => errors.push(String(error));
    c.protocol = {
      encode: (data: string) => data,
      decode: (data: Buffer) => {
        if (data.toString() === 'bad') throw new Error('decode');
        return data;
      },
    };
    c.onMessage = () => {
      throw new Error('mine');
    };
    c.send('bad');
    c.send('good');
    await until(() => errors.length === 2);
    expect(errors.sort()).to.deep.equal(['Error: decode', 'Error: mine']);
  });

  it('ignores datagrams of anybody else', async () => {
    const far = await peer(false);
    const other = await peer(false);
    const c = client(`udp://127.0.0.1:${far.port}`);
    const messages: string[] = [];
    c.onMessage = (_c, data) => messages.push(String(data));
    c.send('x');
    await until(() => far.seen.length === 1);
    const { port } = far.last();
    await new Promise((resolve) => other.socket.send('stranger', port, '127.0.0.1', resolve));
    far.socket.send('friend', port, '127.0.0.1');
    await until(() => messages.length > 0);
    expect(messages).to.deep.equal(['friend']);
  });

  if (hasIPv6) {
    it('speaks IPv6', async () => {
      const far = await peer(true, '::1');
      const c = client(`udp://[::1]:${far.port}`);
      const messages: string[] = [];
      c.onMessage = (_c, data) => messages.push(String(data));
      expect([c.getRemoteIp(), c.getRemoteAddress(), c.isIpV6()]).to.deep.equal(['::1', `[::1]:${far.port}`, true]);
      c.send('x');
      await until(() => messages.length > 0);
      expect([c.getRemoteIp(), c.getRemoteAddress()]).to.deep.equal(['::1', `[::1]:${far.port}`]);
    });
  }

  const refusals: [address: string, code: string][] = [
    ['udp://127.0.0.1', 'WM_BAD_REMOTE_ADDRESS'],
    ['udp://', 'WM_BAD_REMOTE_ADDRESS'],
    ['unix:///tmp/x', 'WM_UNKNOWN_SCHEME'],
    ['tcp://127.0.0.1:1', 'WM_UNKNOWN_SCHEME'],
    ['nothing://127.0.0.1:1', 'WM_UNKNOWN_SCHEME'],
    ['f-o://127.0.0.1:1', 'WM_INVALID_SCHEME'],
  ];
  for (const [address, code] of refusals) {
    it(`refuses ${address}`, () => {
      let thrown: unknown;
      try {
        new AsyncUdpConnection(address);
      } catch (error) {
        thrown = error;
      }
      expect((thrown as { code: string }).code).to.equal(code);
    });
  }
});
