import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { AsyncTcpConnection, TcpConnection } from '../../../connection/index.js';
import { Frame } from '../../../protocols/Frame.js';
import { registerProtocol } from '../../../protocols/registry.js';
import { Text } from '../../../protocols/Text.js';
import { freePort } from '../../support/process.js';
import { catchReports, countFromHere, settle, until } from './peers.js';
import { client, connectionsOf, portOf, record, serve, socketPath, stopAll } from './workers.js';

/** A protocol that writes down what it is told. */
function noisy(log: string[]): { name: string; decode: (b: Buffer) => Buffer; encode: (d: string) => string; input: (b: Buffer) => number; onConnect(): void; onClose(): void } {
  return {
    name: 'Noisy',
    input: (buffer) => buffer.length,
    decode: (buffer) => buffer,
    encode: (data) => data,
    onConnect: () => void log.push('protocol connect'),
    onClose: () => void log.push('protocol close'),
  };
}

/**
 * A loopback address of this process alone: a client that knocks at a closed port again and again must not end up in a
 * server of somebody else who got that port meanwhile, nor be connected to itself.
 */
const ownHost = (): string => `127.1.${(process.pid >> 8) & 255}.${process.pid & 255}`;

describe('AsyncTcpConnection', () => {
  const reports = catchReports();
  let count: ReturnType<typeof countFromHere>;
  const sockets = new Set<Socket>();
  const servers = new Set<Server>();

  beforeEach(() => (count = countFromHere()));
  afterEach(async () => {
    await stopAll();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
    servers.clear();
    expect(count().connections, 'connection_count').to.equal(0);
    expect(reports.failures).to.deep.equal([]);
  });

  /** A plain server. `onSocket` gets each socket that it accepts. */
  async function plain(onSocket: (socket: Socket) => void = () => {}, host = '127.0.0.1', port = 0): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      onSocket(socket);
    });
    servers.add(server);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return (server.address() as AddressInfo).port;
  }

  it('has the defaults of TcpConnection, which are one and the same under both names', () => {
    for (const name of ['defaultMaxSendBufferSize', 'defaultMaxPackageSize', 'defaultLingerTimeout'] as const) {
      const before = TcpConnection[name];
      try {
        AsyncTcpConnection[name] = 7;
        expect(TcpConnection[name]).to.equal(7);
        TcpConnection[name] = 8;
        expect(AsyncTcpConnection[name]).to.equal(8);
      } finally {
        TcpConnection[name] = before;
      }
    }
  });

  describe('understands', () => {
    const rows: [address: string, transport: string, protocol: unknown, host: string, uri: string, remote: string][] = [
      ['tcp://h:1/p?q=1', 'tcp', null, 'h', '/p?q=1', 'h:1'],
      ['tcp://h', 'tcp', null, 'h', '/', 'h:0'],
      ['h:80', 'tcp', null, 'h', '/', 'h:80'],
      ['127.0.0.1:80', 'tcp', null, '127.0.0.1', '/', '127.0.0.1:80'],
      ['ssl://h', 'ssl', null, 'h', '/', 'h:0'],
      ['tls://h:8', 'ssl', null, 'h', '/', 'h:8'],
      ['text://[::1]:5', 'tcp', Text, '[::1]', '/', '[::1]:5'],
      ['frame://h:5', 'tcp', Frame, 'h', '/', 'h:5'],
      ['Frame://h:5', 'tcp', Frame, 'h', '/', 'h:5'],
      ['text://h:80?x=1', 'tcp', Text, 'h', '/?x=1', 'h:80'],
      ['text://h/p#f', 'tcp', Text, 'h', '/p', 'h:0'],
      ['tcp://u:p@h:1', 'tcp', null, 'h', '/', 'h:1'],
      ['tcp://h:', 'tcp', null, 'h', '/', 'h:0'],
      ['//h:9', 'tcp', null, 'h', '/', 'h:9'],
      ['tcp://h:1/a\r\nb?c\0', 'tcp', null, 'h', '/a__b?c_', 'h:1'],
      ['unix:///tmp/x.sock', 'unix', null, '', '', '/tmp/x.sock'],
      ['unix://tmp/x', 'unix', null, '', '', 'tmp/x'],
    ];
    for (const [address, transport, protocol, host, uri, remote] of rows) {
      it(JSON.stringify(address), () => {
        const c: AsyncTcpConnection = new AsyncTcpConnection(address);
        expect([c.transport, c.protocol, c.getRemoteHost(), c.getRemoteURI(), c.getRemoteAddress()])
          .to.deep.equal([transport, protocol, host, uri, remote]);
        expect(c.getStatus(false)).to.equal('INITIAL');
        expect(TcpConnection.connections[c.id]).to.equal(undefined);
      });
    }

    it('the protocols of users, before its own', () => {
      registerProtocol('clientTestProtocol', Frame);
      expect(new AsyncTcpConnection('clientTestProtocol://h:1').protocol).to.equal(Frame);
      expect(new AsyncTcpConnection('ClientTestProtocol://h:1').protocol).to.equal(Frame);
    });

    it('ip and port of an address that it has not connected to yet', () => {
      const c = new AsyncTcpConnection('tcp://h:80');
      expect([c.getRemoteIp(), c.getRemotePort(), c.getLocalAddress(), c.getLocalIp(), c.getLocalPort()])
        .to.deep.equal(['h', 80, '', '', 0]);
    });
  });

  describe('refuses', () => {
    const rows: [address: unknown, code: string, message: string | RegExp][] = [
      ['', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp://', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp://h:65536', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp://h:x', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp:h:80', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp://::1:80', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['tcp://h\r\nX: y:80', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['unix://', 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      [`unix:///${'x'.repeat(108)}`, 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      [undefined, 'WM_BAD_REMOTE_ADDRESS', 'Bad remoteAddress'],
      ['f-o://h:1', 'WM_INVALID_SCHEME', "Invalid protocol scheme 'f-o'"],
      ['1a://h:1', 'WM_INVALID_SCHEME', "Invalid protocol scheme '1a'"],
      ['wss://h', 'WM_UNKNOWN_SCHEME', /Unknown protocol scheme 'wss'/],
      ['https://h', 'WM_UNKNOWN_SCHEME', /Unknown protocol scheme 'https'/],
      ['TCP://h:1', 'WM_UNKNOWN_SCHEME', /Unknown protocol scheme 'TCP'/],
      ['FRAME://h:1', 'WM_UNKNOWN_SCHEME', /Unknown protocol scheme 'FRAME'/],
      ['udp://h:1', 'WM_BAD_REMOTE_ADDRESS', /can not speak 'udp'/],
      ['sslv2://h:1', 'WM_BAD_REMOTE_ADDRESS', /can not speak 'sslv2'/],
      ['sslv3://h:1', 'WM_BAD_REMOTE_ADDRESS', /can not speak 'sslv3'/],
    ];
    for (const [address, code, message] of rows) {
      it(JSON.stringify(address) ?? 'undefined', () => {
        let error: { code?: string; message?: string } = {};
        try {
          new AsyncTcpConnection(address as string);
        } catch (thrown) {
          error = thrown as typeof error;
        }
        expect(error.code).to.equal(code);
        if (typeof message === 'string') expect(error.message).to.equal(message);
        else expect(error.message).to.match(message);
      });
    }
  });

  it('knows the transports by name', () => {
    expect(AsyncTcpConnection.BUILD_IN_TRANSPORTS).to.deep.equal({
      tcp: 'tcp', udp: 'udp', unix: 'unix', ssl: 'ssl', sslv2: 'sslv2', sslv3: 'sslv3', tls: 'tls',
    });
    const c = new AsyncTcpConnection('tcp://h');
    expect([c.proxySocks5, c.proxySocks5Username, c.proxySocks5Password, c.proxyHttp, c.proxyAuthorization])
      .to.deep.equal(['', '', '', '', '']);
    expect(c).to.be.instanceOf(TcpConnection);
  });

  it('has port 80 when it names none, and 443 under ssl', async () => {
    for (const [transport, port] of [['tcp', 80], ['ssl', 443]] as const) {
      const c = client('tcp://127.0.0.1');
      c.transport = transport;
      c.connect();
      expect(c.getRemoteAddress()).to.equal(`127.0.0.1:${port}`);
      expect(c._targetPort).to.equal(port);
      c.destroy();
    }
  });

  it('connects once, and knows both addresses then', async () => {
    const port = await plain();
    const c = client(`tcp://127.0.0.1:${port}`);
    let connects = 0;
    c.onConnect = () => connects++;
    c.connect();
    c.connect();
    await until(() => connects > 0);
    c.connect();
    expect(c.getStatus(false)).to.equal('ESTABLISHED');
    expect([c.getRemoteAddress(), c.getRemoteIp(), c.getRemotePort()]).to.deep.equal([`127.0.0.1:${port}`, '127.0.0.1', port]);
    expect(c.getLocalIp()).to.equal('127.0.0.1');
    expect(c.getLocalPort()).to.be.above(0);
    expect([c.isIpV4(), c.isIpV6()]).to.deep.equal([true, false]);
    await settle();
    expect(connects).to.equal(1);
  });

  it('looks a name up and keeps it as its host', async () => {
    const port = await plain(undefined, 'localhost');
    const c = client(`tcp://localhost:${port}`);
    c.connect();
    await until(() => c.getStatus(false) === 'ESTABLISHED');
    expect(c.getRemoteHost()).to.equal('localhost');
    expect(c.getRemoteIp()).to.be.oneOf(['127.0.0.1', '[::1]']);
  });

  it('has keep-alive and no delay', async () => {
    const port = await plain();
    const c = client(`tcp://127.0.0.1:${port}`);
    const calls: unknown[] = [];
    const prototype = (await import('node:net')).Socket.prototype;
    const { setNoDelay, setKeepAlive } = prototype;
    prototype.setNoDelay = function (this: Socket, ...args) {
      calls.push(['noDelay', ...args]);
      return setNoDelay.apply(this, args);
    };
    prototype.setKeepAlive = function (this: Socket, ...args) {
      calls.push(['keepAlive', ...args]);
      return setKeepAlive.apply(this, args);
    };
    try {
      c.connect();
      await until(() => c.getStatus(false) === 'ESTABLISHED');
    } finally {
      Object.assign(prototype, { setNoDelay, setKeepAlive });
    }
    expect(calls).to.deep.equal([['noDelay', true], ['keepAlive', true, 55_000]]);
  });

  it('calls onConnect, then the protocol; onClose, then the protocol', async () => {
    const port = await plain((socket) => socket.end());
    const c = client(`tcp://127.0.0.1:${port}`);
    const log: string[] = [];
    c.protocol = noisy(log);
    c.onConnect = () => log.push('connect');
    c.onClose = () => log.push('close');
    c.connect();
    await until(() => log.length === 4);
    expect(log).to.deep.equal(['connect', 'protocol connect', 'close', 'protocol close']);
  });

  it('is not accepted by the protocol that its address names, before it is connected or after', async () => {
    const log: string[] = [];
    registerProtocol('both', { ...noisy(log), onAccept: () => void log.push('protocol accept') });
    const c = new AsyncTcpConnection(`both://127.0.0.1:${await plain()}`);
    c.connect();
    await until(() => log.includes('protocol connect'));
    c.close();
    expect(log).to.deep.equal(['protocol connect', 'protocol close']);
  });

  it('does not tell the protocol of a connection that onConnect has closed', async () => {
    const port = await plain();
    const c = client(`tcp://127.0.0.1:${port}`);
    const log: string[] = [];
    c.protocol = noisy(log);
    c.onConnect = () => c.close();
    c.connect();
    await until(() => log.length > 0);
    expect(log).to.deep.equal(['protocol close']);
  });

  it('binds to the address and port of bindto', async () => {
    let from = '';
    const port = await plain((socket) => (from = `${socket.remoteAddress}:${socket.remotePort}`));
    const own = await freePort();
    const c = client(`tcp://127.0.0.1:${port}`, { socket: { bindto: `127.0.0.2:${own}` } });
    c.connect();
    await until(() => from !== '');
    expect(from).to.equal(`127.0.0.2:${own}`);
    expect(c.getLocalAddress()).to.equal(`127.0.0.2:${own}`);
  });

  it('takes any port for port 0 of bindto, and any address for 0', async () => {
    for (const [bindto, ip] of [['127.0.0.2:0', '127.0.0.2'], ['0:0', '127.0.0.1']] as const) {
      const port = await plain();
      const c = client(`tcp://127.0.0.1:${port}`, { socket: { bindto } });
      c.connect();
      await until(() => c.getStatus(false) === 'ESTABLISHED');
      expect(c.getLocalIp()).to.equal(ip);
    }
  });

  it('connects to a unix socket and to nothing else with a protocol set afterwards', async () => {
    const path = socketPath();
    await serve(`text://${path}`, {}, (w) => {
      w.transport = 'unix';
      w.onMessage = (c, line) => c.send(`${line}!`);
    });
    const c = client(`unix://${path}`);
    c.protocol = Text;
    const log = record(c);
    c.send('a');
    c.connect();
    await until(() => log.includes('message a!'));
    expect([c.getRemoteAddress(), c.getRemoteIp(), c.getRemotePort(), c.isIpV4(), c.isIpV6()])
      .to.deep.equal([path, '', 0, false, false]);
  });

  describe('fails', () => {
    const failures: [what: string, set: () => Promise<AsyncTcpConnection>, text: RegExp][] = [
      [
        'when nobody listens',
        async () => client(`tcp://127.0.0.1:${await freePort()}`),
        /^connect 127\.0\.0\.1:\d+ fail after \d+(\.\d{1,4})? seconds$/,
      ],
      ['when the name is unknown', async () => client('tcp://no.such.host.invalid:80'), /getaddrinfo .*no\.such\.host\.invalid/],
      ['when there is no unix socket', async () => client(`unix://${socketPath()}`), /ENOENT/],
      ['when bindto is no address', async () => client('tcp://127.0.0.1:1', { socket: { bindto: 'x' } }), /^bindto is given as ip:port, got 'x'$/],
      ['when bindto is somebody else’s', async () => client('tcp://127.0.0.1:1', { socket: { bindto: '192.0.2.1:0' } }), /^connect 127\.0\.0\.1:1 fail after/],
      ['when bindto is no ip', async () => client('tcp://127.0.0.1:1', { socket: { bindto: 'a.b:0' } }), /a\.b/],
      ['when a file of the ssl context is missing', async () => client('ssl://127.0.0.1:1', { ssl: { cafile: '/no/such/file' } }), /^Can not read \/no\/such\/file \(ssl\.cafile\)/],
      ['when the transport is none', async () => Object.assign(client('tcp://127.0.0.1:1'), { transport: 'tls' }), /^Bad connection\.transport 'tls'$/],
      [
        'when the proxy is no address',
        async () => Object.assign(client('tcp://127.0.0.1:1'), { proxyHttp: 'http://p:1' }),
        /^A proxy is given as host:port, got 'http:\/\/p:1'$/,
      ],
    ];
    for (const [what, set, text] of failures) {
      it(`${what}: onError, then onClose, both after connect() has returned`, async () => {
        const c = await set();
        const log: string[] = [];
        const statuses: string[] = [];
        let returned = false;
        c.onConnect = () => log.push('connect');
        c.onError = (_c, code, message) => {
          log.push(`error ${code} ${returned}`);
          statuses.push(c.getStatus(false));
          expect(message).to.match(text);
          expect(c.send('x')).to.equal(false);
        };
        c.onClose = () => {
          log.push(`close ${returned}`);
          statuses.push(c.getStatus(false));
        };
        c.send('lost');
        c.connect();
        returned = true;
        await until(() => log.length >= 2);
        expect(log).to.deep.equal(['error 1 true', 'close true']);
        expect(statuses).to.deep.equal(['CLOSING', 'CLOSED']);
        expect(count().connections).to.equal(0);
        expect(c.bufferIsEmpty()).to.equal(true);
      });
    }

    it('without callbacks in silence', async () => {
      const c = client(`tcp://127.0.0.1:${await freePort()}`);
      c.connect();
      await until(() => c.getStatus(false) === 'CLOSED');
      expect(reports).to.deep.equal({ failures: [], lines: [] });
    });

    it('and hands an exception of onError to the errorHandler', async () => {
      const c = client(`tcp://127.0.0.1:${await freePort()}`);
      const errors: unknown[] = [];
      c.errorHandler = (error) => errors.push(error);
      c.onError = () => {
        throw new Error('mine');
      };
      c.connect();
      await until(() => c.getStatus(false) === 'CLOSED');
      expect(errors.map(String)).to.deep.equal(['Error: mine']);
    });
  });

  describe('reconnects', () => {
    it('in onClose, with the same id, callbacks and a fresh protocol', async () => {
      let accepted = 0;
      const port = await plain((socket) => {
        accepted++;
        if (accepted < 3) socket.end();
      });
      const c = client(`tcp://127.0.0.1:${port}`);
      const { id } = c;
      const log: string[] = [];
      c.protocol = noisy(log);
      c.onConnect = () => log.push('connect');
      c.onClose = () => {
        log.push('close');
        c.reconnect();
      };
      c.connect();
      await until(() => log.filter((line) => line === 'protocol connect').length === 3);
      const round = ['connect', 'protocol connect', 'close', 'protocol close'];
      expect(log).to.deep.equal([...round, ...round, 'connect', 'protocol connect']);
      expect(c.id).to.equal(id);
      expect(count().connections).to.equal(1);
      expect(TcpConnection.connections[id]).to.equal(c);
    });

    it('in onClose of the protocol, and is one of the live connections then', async () => {
      const port = await plain();
      const c = client(`tcp://127.0.0.1:${port}`);
      const log: string[] = [];
      c.protocol = { ...noisy(log), onClose: () => log.push('protocol close') === 2 && c.reconnect() };
      c.connect();
      await until(() => log.length === 1);
      c.destroy();
      await until(() => log.length === 3);
      expect(log).to.deep.equal(['protocol connect', 'protocol close', 'protocol connect']);
      expect(TcpConnection.connections[c.id]).to.equal(c);
    });

    it('and keeps what onClose sends after it', async () => {
      const seen: string[] = [];
      let accepted = 0;
      const port = await plain((socket) => {
        if (++accepted === 1) socket.end();
        else socket.on('data', (data) => seen.push(data.toString()));
      });
      const c = client(`tcp://127.0.0.1:${port}`);
      c.protocol = noisy([]);
      c.onClose = () => {
        expect(c.send('before')).to.equal(false);
        c.reconnect();
        expect(c.send('after')).to.equal(null);
      };
      c.connect();
      await until(() => seen.join('') !== '');
      expect(seen.join('')).to.equal('after');
    });

    it('in onError, without an onClose, and keeps what was queued', async () => {
      const host = ownHost();
      const port = await freePort();
      const c = client(`tcp://${host}:${port}`);
      const log: string[] = [];
      let received = '';
      c.onClose = () => log.push('close');
      c.onError = (_c, code) => {
        log.push(`error ${code}`);
        void plain((socket) => socket.on('data', (data) => (received += data)), host, port).then(() => c.reconnect(0.001));
        c.reconnect(60);
      };
      c.send('kept');
      c.connect();
      await until(() => received === 'kept');
      expect(log).to.deep.equal(['error 1']);
    });

    it('after a fraction of a second', async () => {
      const port = await plain();
      const c = client(`tcp://127.0.0.1:${port}`);
      c.reconnect(0.02);
      expect(c.getStatus(false)).to.equal('INITIAL');
      expect(count().connections).to.equal(0);
      await until(() => c.getStatus(false) === 'ESTABLISHED');
    });

    it('under both spellings, at once when no time is given', async () => {
      const port = await plain();
      const c = client(`tcp://127.0.0.1:${port}`);
      c.reConnect();
      expect(c.getStatus(false)).to.equal('CONNECTING');
      c.reConnect(-1);
      expect(c.getStatus(false)).to.equal('CONNECTING');
      await until(() => c.getStatus(false) === 'ESTABLISHED');
    });

    it('not any more after cancelReconnect()', async () => {
      const c = client(`tcp://127.0.0.1:${await plain()}`);
      c.reconnect(0.01);
      c.cancelReconnect();
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect(c.getStatus(false)).to.equal('INITIAL');
    });

    it('though close() was called meanwhile, which does not cancel it', async () => {
      const c = client(`tcp://127.0.0.1:${await plain()}`);
      const log = record(c);
      c.reconnect(0.01);
      c.close();
      expect(log).to.deep.equal(['close']);
      expect(c.getStatus(false)).to.equal('CLOSED');
      await until(() => c.getStatus(false) === 'ESTABLISHED');
      expect(count().connections).to.equal(1);
    });

    it('later, from outside, with its callbacks', async () => {
      const worker = await serve('tcp://127.0.0.1:0', {}, (w) => (w.onMessage = (c, data) => c.send(data)));
      const c = client(`tcp://127.0.0.1:${portOf(worker)}`);
      const log = record(c);
      let connects = 0;
      c.onConnect = () => connects++;
      c.connect();
      await until(() => connects === 1);
      c.close();
      await settle();
      expect(TcpConnection.connections[c.id]).to.equal(undefined);
      c.reconnect();
      c.send('again');
      await until(() => log.includes('message again'));
      expect(connects).to.equal(2);
    });

    it('and drops a connection that is still open without a word to the user', async () => {
      const ends: string[] = [];
      const port = await plain((socket) => {
        const name = `socket ${sockets.size}`;
        socket.on('data', () => {}).on('end', () => ends.push(name));
      });
      const c = client(`tcp://127.0.0.1:${port}`);
      const log: string[] = [];
      c.protocol = noisy(log);
      c.onClose = () => log.push('close');
      c.connect();
      await until(() => c.getStatus(false) === 'ESTABLISHED');
      const first = c.getSocket();
      c.reconnect();
      expect(first!.destroyed).to.equal(true);
      expect(count().connections).to.equal(1);
      await until(() => c.getStatus(false) === 'ESTABLISHED');
      await until(() => ends.length === 1);
      expect(c.getSocket()).to.not.equal(first);
      expect(log).to.deep.equal(['protocol connect', 'protocol close', 'protocol connect']);
    });

    it('and lets what was sent in the same tick go out before', async () => {
      const seen: string[] = [];
      const port = await plain((socket) => socket.on('data', (data) => seen.push(data.toString())));
      const c = client(`tcp://127.0.0.1:${port}`);
      c.connect();
      await until(() => c.getStatus(false) === 'ESTABLISHED');
      expect(c.send('promised')).to.equal(true);
      c.reconnect();
      await until(() => seen.includes('promised'));
    });

    it('while connecting: there is one connection in the end', async () => {
      let accepted = 0;
      const port = await plain(() => accepted++);
      const c = client(`tcp://127.0.0.1:${port}`);
      let connects = 0;
      c.onConnect = () => connects++;
      c.send('x');
      c.connect();
      c.reconnect();
      c.reconnect();
      await until(() => connects === 1);
      await settle();
      expect(connects).to.equal(1);
      expect(sockets.size).to.equal(1);
      expect(c.bytesWritten).to.equal(1);
    });

    it('inside onMessage, and no packet of the old connection is handed out after it', async () => {
      let accepted = 0;
      const port = await plain((socket) => {
        socket.write(`${++accepted}a\n${accepted}b\n`);
      });
      const c = client(`text://127.0.0.1:${port}`);
      const lines: string[] = [];
      c.onMessage = (_c, line) => {
        lines.push(line);
        if (line === '1a') c.reconnect();
      };
      c.connect();
      await until(() => lines.length >= 3);
      expect(lines).to.deep.equal(['1a', '2a', '2b']);
    });

    it('to a server that is restarted 50 times, and leaks nothing', async function () {
      this.timeout(20_000);
      const host = ownHost();
      const port = await freePort();
      const c = client(`tcp://${host}:${port}`);
      const seen: string[] = [];
      const errors: string[] = [];
      c.onConnect = () => c.send('hello');
      c.onMessage = (_c, data) => seen.push(data.toString());
      c.onError = (_c, _code, text) => errors.push(text);
      c.onClose = () => c.reconnect(0.001);
      c.connect();
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      let before = { sockets: 0, timers: 0 };
      for (let round = 1; round <= 50; round++) {
        const worker = await serve(`tcp://${host}:${port}`, {}, (w) => (w.onMessage = (own, data) => own.send(data)));
        await until(() => seen.length === round);
        await settle();
        const now = {
          sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
          timers: timers(),
        };
        if (round === 1) before = now;
        else expect(now, `round ${round}`).to.deep.equal(before);
        expect(count().connections).to.equal(2);
        const socket = c.getSocket()!;
        const listeners = socket.eventNames().map((name) => `${String(name)} ${socket.listenerCount(name)}`);
        expect(listeners.filter((line) => !line.startsWith('end'))).to.have.members(['error 1', 'close 1', 'data 1']);
        // One of ours, one of Node's.
        expect(socket.listenerCount('end')).to.equal(2);
        void worker.stop();
        for (const own of connectionsOf(worker)) own.destroy();
        await until(() => errors.length > 0);
        errors.length = 0;
      }
      expect(seen).to.deep.equal(Array.from({ length: 50 }, () => 'hello'));
    });
  });

  it('goes on counting bytes over all its connections', async () => {
    const worker = await serve('tcp://127.0.0.1:0', {}, (w) => (w.onMessage = (c, data) => c.send(data)));
    const c = client(`tcp://127.0.0.1:${portOf(worker)}`);
    const log = record(c);
    for (let round = 1; round <= 2; round++) {
      c.reconnect();
      c.send('abc');
      await until(() => log.filter((line) => line === 'message abc').length === round);
    }
    expect([c.bytesWritten, c.bytesRead]).to.deep.equal([6, 6]);
  });
});
