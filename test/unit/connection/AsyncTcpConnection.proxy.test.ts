import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { AsyncTcpConnection } from '../../../connection/index.js';
import type { Worker } from '../../../lib/types.js';
import { authority, localhost } from '../../support/certificates.js';
import { freePort } from '../../support/process.js';
import { catchReports, countFromHere, until } from './peers.js';
import { client, portOf, record, serve, stopAll } from './workers.js';

/** A proxy that follows a script: it waits for so many bytes, or for text, and answers; in the end it is a tunnel. */
type Script = (readonly [waitFor: number | string, answer: Buffer])[];

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const OPEN: Script = [[3, hex('0500')], [5, hex('05000001 00000000 0000')]];
const LOGIN: Script = [[4, hex('0502')], [3, hex('0100')], [5, hex('05000003 01 78 0000')]];
const HTTP: Script = [['\r\n\r\n', Buffer.from('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n')]];

describe('AsyncTcpConnection through a proxy', () => {
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
    expect(reports.failures).to.deep.equal([]);
    expect(count().connections, 'connection_count').to.equal(0);
  });

  /** @param early what the target is made to say in one piece with the proxy's last answer */
  async function proxy(script: Script, { byByte = false, early = '' } = {}): Promise<{ port: number; said: () => string; sockets: () => number }> {
    let said = '';
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.setNoDelay();
      void play(socket);
    });
    async function play(socket: Socket): Promise<void> {
      let received = Buffer.alloc(0);
      socket.on('data', (data) => {
        said += data.toString('latin1');
        received = Buffer.concat([received, data]);
      });
      for (const [i, [waitFor, answer]] of script.entries()) {
        await until(() => typeof waitFor === 'number' ? received.length >= waitFor : received.includes(waitFor));
        received = Buffer.alloc(0);
        const last = i === script.length - 1 ? Buffer.concat([answer, Buffer.from(early)]) : answer;
        for (const piece of byByte ? last.subarray(0, answer.length) : [last]) {
          socket.write(typeof piece === 'number' ? Buffer.of(piece) : piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (byByte && last.length > answer.length) socket.write(last.subarray(answer.length));
      }
      socket.removeAllListeners('data').pause();
      if (target === null) return void socket.resume().end();
      const { connect } = await import('node:net');
      const onward = connect(target, '127.0.0.1');
      sockets.add(onward);
      onward.on('error', () => {}).on('close', () => sockets.delete(onward));
      socket.pipe(onward).pipe(socket);
    }
    servers.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, said: () => said, sockets: () => sockets.size };
  }

  let target: number | null = null;

  const echo = async (ssl = false): Promise<Worker> => {
    const context = ssl ? { ssl: { local_cert: localhost().cert, local_pk: localhost().key } } : {};
    const worker = await serve(`${ssl ? 'ssl' : 'tcp'}://127.0.0.1:0`, context, (w) => (w.onMessage = (c, data) => c.send(data)));
    target = portOf(worker);
    return worker;
  };

  const messages = (log: string[]): string => log.filter((line) => line.startsWith('message ')).map((line) => line.slice(8)).join('');

  const ways: [what: string, script: Script, set: (c: AsyncTcpConnection, proxy: string) => void, said: string][] = [
    ['a SOCKS5 proxy', OPEN, (c, p) => (c.proxySocks5 = p), '\x05\x01\0\x05\x01\0\x03\tlocalhost'],
    [
      'a SOCKS5 proxy with a login',
      LOGIN,
      (c, p) => Object.assign(c, { proxySocks5: p, proxySocks5Username: 'me', proxySocks5Password: 'secret' }),
      '\x05\x02\0\x02\x01\x02me\x06secret\x05\x01\0\x03\tlocalhost',
    ],
    ['an HTTP proxy', HTTP, (c, p) => Object.assign(c, { proxyHttp: p, proxyAuthorization: 'Basic eA==' }), 'CONNECT localhost:'],
    ['a SOCKS5 proxy when both are given', OPEN, (c, p) => Object.assign(c, { proxySocks5: p, proxyHttp: '127.0.0.1:1' }), '\x05\x01\0'],
  ];
  for (const [what, script, set, said] of ways) {
    for (const byByte of [false, true]) {
      it(`reaches its target over ${what}${byByte ? ' that answers byte by byte' : ''}`, async () => {
        await echo();
        const via = await proxy(script, { byByte });
        const c = client(`tcp://localhost:${target}`);
        set(c, `127.0.0.1:${via.port}`);
        const log = record(c);
        c.onConnect = () => {
          log.push(`connect ${c.getStatus(false)}`);
          c.send('two ');
        };
        c.send('one ');
        c.connect();
        c.send('and ');
        await until(() => messages(log) === 'one and two ');
        expect(log[0]).to.equal('connect ESTABLISHED');
        expect(via.said()).to.contain(said);
        expect(c.getRemoteAddress()).to.equal(`127.0.0.1:${via.port}`);
        expect([c.getRemoteHost(), c._targetPort]).to.deep.equal(['localhost', target]);
        expect([c.bytesRead, c.bytesWritten]).to.deep.equal([12, 12]);
      });

      it(`speaks TLS with its target over ${what}${byByte ? ' that answers byte by byte' : ''}`, async () => {
        const worker = await echo(true);
        const via = await proxy(script, { byByte });
        const c = client(`ssl://localhost:${target}`, { ssl: { cafile: authority().cert } });
        set(c, `127.0.0.1:${via.port}`);
        const log = record(c);
        c.send('secret');
        c.connect();
        await until(() => messages(log) === 'secret');
        expect((c.getSocket() as TLSSocket).servername).to.equal('localhost');
        expect([...worker.connections].map((own) => (own.getSocket() as TLSSocket).servername)).to.deep.equal(['localhost']);
        expect(via.said()).to.not.contain('secret'.repeat(2));
      });
    }
  }

  it('verifies the certificate of its target, not of the proxy', async () => {
    await echo(true);
    const via = await proxy(HTTP);
    const c = client(`ssl://other.test:${target}`, { ssl: { cafile: authority().cert } });
    c.proxyHttp = `127.0.0.1:${via.port}`;
    const log = record(c);
    c.connect();
    await until(() => log.includes('close'));
    expect(log).to.deep.equal(['close']);
    expect(reports.lines[0]).to.match(/does not match.*other\.test/);
  });

  for (const [what, script, set] of [ways[0]!, ways[2]!]) {
    it(`hands out what the target has said together with the answer of ${what}`, async () => {
      await echo();
      const via = await proxy(script, { early: 'hello' });
      const c = client(`text://localhost:${target}`);
      set(c, `127.0.0.1:${via.port}`);
      const log: string[] = [];
      c.onConnect = () => log.push('connect');
      c.onMessage = (_c, line) => log.push(String(line));
      c.connect();
      c.send(' world');
      await until(() => log.length === 2);
      expect(log).to.deep.equal(['connect', 'hello world']);
    });

    it(`keeps it while paused, over ${what}`, async () => {
      await echo();
      const via = await proxy(script, { early: 'hello' });
      const c = client(`tcp://localhost:${target}`);
      set(c, `127.0.0.1:${via.port}`);
      const log = record(c);
      let connected = false;
      c.onConnect = () => (connected = true);
      c.pauseRecv();
      c.connect();
      await until(() => connected);
      expect([log, c.getRecvBufferQueueSize()]).to.deep.equal([[], 5]);
      c.resumeRecv();
      expect(log).to.deep.equal(['message hello']);
    });
  }

  const failures: [what: string, script: Script, set: (c: AsyncTcpConnection, proxy: string) => void, reason: string][] = [
    ['refuses every method', [[3, hex('05ff')]], (c, p) => (c.proxySocks5 = p), 'SOCKS5 authentication method negotiation failed'],
    [
      'refuses the login',
      [[4, hex('0502')], [3, hex('0101')]],
      (c, p) => Object.assign(c, { proxySocks5: p, proxySocks5Password: 'x' }),
      'SOCKS5 authentication failed',
    ],
    ['can not connect', [[3, hex('0500')], [5, hex('05040001 00000000 0000')]], (c, p) => (c.proxySocks5 = p), 'SOCKS5 connect failed: 4'],
    ['hangs up at once (SOCKS5)', [[3, hex('')]], (c, p) => (c.proxySocks5 = p), 'SOCKS5 authentication method negotiation failed'],
    ['hangs up half-way (SOCKS5)', [[3, hex('0500')]], (c, p) => (c.proxySocks5 = p), 'SOCKS5 connect failed'],
    ['forbids it', [['\r\n\r\n', Buffer.from('HTTP/1.1 403 Forbidden\r\n\r\n')]], (c, p) => (c.proxyHttp = p), 'Proxy CONNECT failed: 403 Forbidden'],
    ['is none', [['\r\n\r\n', Buffer.from('220 smtp ready\r\n')]], (c, p) => (c.proxyHttp = p), 'Proxy CONNECT failed'],
    ['hangs up (HTTP)', [['\r\n\r\n', Buffer.from('HTTP/1.1 200 OK\r\n')]], (c, p) => (c.proxyHttp = p), 'Proxy CONNECT failed'],
  ];
  for (const [what, script, set, reason] of failures) {
    it(`fails when the proxy ${what}`, async () => {
      target = null;
      const via = await proxy(script);
      const c = client('tcp://localhost:80');
      set(c, `127.0.0.1:${via.port}`);
      const log = record(c);
      c.onConnect = () => log.push('connect');
      c.send('x');
      c.connect();
      await until(() => log.includes('close'));
      expect(log).to.deep.equal([`error 1 ${reason}`, 'close']);
      await until(() => via.sockets() === 0);
    });
  }

  it('fails like a direct connection when the proxy can not be reached', async () => {
    for (const name of ['proxySocks5', 'proxyHttp'] as const) {
      const c = client('tcp://localhost:80');
      c[name] = `127.0.0.1:${await freePort()}`;
      const log = record(c);
      c.connect();
      await until(() => log.includes('close'));
      expect(log[0]).to.match(/^error 1 connect localhost:80 fail after [\d.]+ seconds$/);
    }
  });

  it('is closed while it talks to the proxy, and leaves nothing behind', async () => {
    target = null;
    const via = await proxy([[3, hex('05')], [100, hex('')]]);
    const c = client('tcp://localhost:80');
    c.proxySocks5 = `127.0.0.1:${via.port}`;
    const log = record(c);
    c.connect();
    await until(() => via.said() !== '');
    c.close('x');
    expect(log).to.deep.equal(['close']);
    await until(() => via.sockets() === 0);
  });

  it('reconnects through it', async () => {
    await echo();
    const via = await proxy(OPEN);
    const c = client(`tcp://localhost:${target}`);
    c.proxySocks5 = `127.0.0.1:${via.port}`;
    const log = record(c);
    for (let round = 1; round <= 3; round++) {
      c.reconnect();
      c.send(`${round}`);
      await until(() => messages(log).endsWith(String(round)));
    }
    expect(messages(log)).to.equal('123');
  });
});
