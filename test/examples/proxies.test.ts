import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { catchReports, until } from '../unit/connection/peers.js';
import { client, portOf, record, serve, stopAll } from '../unit/connection/workers.js';
import { authority, localhost } from '../support/certificates.js';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { freePort } from '../support/process.js';
import { play, readTranscript } from '../support/transcript.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A plain client that says something and waits for so much of an answer. */
class Caller {
  readonly socket: Socket;
  closed = false;
  #received = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {}).on('close', () => (this.closed = true));
    this.socket.on('data', (data) => (this.#received = Buffer.concat([this.#received, data])));
  }

  async ask(bytes: string | Buffer, length: number): Promise<Buffer> {
    this.socket.write(bytes);
    await until(() => this.#received.length >= length || this.closed);
    const answer = this.#received;
    this.#received = Buffer.alloc(0);
    return answer;
  }

  async end(): Promise<boolean> {
    await until(() => this.closed);
    return true;
  }
}

describe('the proxies among the examples', function () {
  this.timeout(150_000);
  const reports = catchReports();
  const callers = new Set<Caller>();
  const origins = new Set<Server>();
  const farSockets = new Set<UdpSocket>();

  after(cleanUpExamples);
  afterEach(async () => {
    for (const caller of callers) caller.socket.destroy();
    callers.clear();
    for (const server of origins) server.close();
    origins.clear();
    for (const far of farSockets) far.close();
    farSockets.clear();
    await stopAll();
    expect(reports.failures).to.deep.equal([]);
  });

  const call = (port: number): Caller => {
    const caller = new Caller(port);
    callers.add(caller);
    return caller;
  };

  /** A worker that puts `E:` before what it gets. */
  const echo = async (): Promise<number> => portOf(await serve('tcp://127.0.0.1:0', {}, (w) => {
    w.onMessage = (c, data) => c.send(Buffer.concat([Buffer.from('E:'), data]));
  }));

  /** A UDP socket that puts `U:` before what it gets. */
  async function farSocket(): Promise<UdpSocket> {
    const far = createSocket('udp4');
    far.on('message', (data, from) => far.send(Buffer.concat([Buffer.from('U:'), data]), from.port, from.address));
    farSockets.add(far);
    await new Promise<void>((resolve) => far.bind(0, '127.0.0.1', resolve));
    return far;
  }

  /** An origin that takes requests with a whole address, and answers with what has arrived, the same bytes each time. */
  async function origin(): Promise<number> {
    const server = createServer((socket) => {
      let received = '';
      socket.on('error', () => {}).on('data', (data) => {
        received += data.toString();
        const [head, body] = received.split('\r\n\r\n', 2);
        if (body === undefined || body.length < Number(/^Content-Length: (\d+)/m.exec(head!)?.[1] ?? 0)) return;
        const [method, target] = head!.split(' ');
        const text = `up ${method} ${target} host=${/^Host: (\S+)/m.exec(head!)![1]} body=${body.length}`;
        socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      });
    });
    origins.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  const secret = async (): Promise<number> => portOf(await serve('ssl://127.0.0.1:0', {
    ssl: { local_cert: localhost().cert, local_pk: localhost().key },
  }, (w) => (w.onMessage = (c, data) => c.send(data))));

  describe('http-proxy', () => {
    let example: Example;
    let proxy: number;
    before(async () => {
      example = await startExample('http-proxy.ts', { replacePorts: [8080] });
      proxy = example.port(8080);
    });
    after(() => example.stop());

    it('hands requests on, opens tunnels for bytes of any kind, closes when nobody answers there', async () => {
      await play(readTranscript('http-proxy'), { port: proxy, origin: await origin(), echo: await echo() });
    });

    it('refuses nonsense', async () => {
      for (const nonsense of ['\0', 'GET / HTTP/1.1\r\n\r\n', 'GET mailto:x HTTP/1.1\r\n\r\n', 'CONNECT : HTTP/1.1\r\n\r\n']) {
        expect((await call(proxy).ask(nonsense, 20)).toString()).to.match(/^HTTP\/1\.1 400 /);
      }
    });

    it('serves our own client, plain and with TLS', async () => {
      const plain = client(`tcp://127.0.0.1:${await echo()}`);
      plain.proxyHttp = `127.0.0.1:${proxy}`;
      const log = record(plain);
      plain.send('hi');
      plain.connect();
      await until(() => log.includes('message E:hi'));
      expect(plain.getRemotePort()).to.equal(proxy);

      const safe = client(`ssl://localhost:${await secret()}`, { ssl: { cafile: authority().cert } });
      safe.proxyHttp = `127.0.0.1:${proxy}`;
      const safeLog = record(safe);
      safe.send('secret');
      safe.connect();
      await until(() => safeLog.includes('message secret'));
      expect((safe.getSocket() as TLSSocket).servername).to.equal('localhost');
    });

    it('tells our own client of a target that can not be reached by closing', async () => {
      const c = client(`tcp://127.0.0.1:${await freePort()}`);
      c.proxyHttp = `127.0.0.1:${proxy}`;
      const log = record(c);
      c.connect();
      await until(() => log.includes('close'));
      expect(log).to.deep.equal(['close']);
    });
  });

  describe('socks5-proxy', () => {
    let example: Example;
    let proxy: number;
    before(async () => {
      example = await startExample('socks5-proxy.ts', { replacePorts: [1080] });
      proxy = example.port(1080);
    });
    after(() => example.stop());

    const portHex = (port: number): string => port.toString(16).padStart(4, '0');

    it('connects with and without a login, relays datagrams, refuses what it does not do', async () => {
      const far = await farSocket();
      await play(readTranscript('socks5'), { port: proxy, echo: await echo(), far: far.address().port });
    });

    it('connects to a name with a login, though everything comes byte by byte', async () => {
      const up = await echo();
      const caller = call(proxy);
      caller.socket.setNoDelay();
      const slowly = async (bytes: Buffer, length: number): Promise<string> => {
        for (const byte of bytes.subarray(0, -1)) {
          caller.socket.write(Buffer.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return (await caller.ask(bytes.subarray(-1), length)).toString('hex');
      };
      expect(await slowly(hex('050102'), 2)).to.equal('0502');
      expect(await slowly(hex('0104757365720470617373'), 2)).to.equal('0100');
      const name = Buffer.from('127.0.0.1').toString('hex');
      expect(await slowly(hex(`0501000309${name}${portHex(up)}`), 14)).to.equal('0500000307302e302e302e304850');
      expect((await caller.ask('x', 3)).toString()).to.equal('E:x');
    });

    it('says that a target refuses, and survives a name that is none', async () => {
      const refused = call(proxy);
      await refused.ask(hex('050100'), 2);
      expect((await refused.ask(hex(`050100017f000001${portHex(await freePort())}`), 10)).toString('hex')).to.equal('05050001000000000000');
      expect(await refused.end()).to.equal(true);
      const evil = call(proxy);
      await evil.ask(hex('050100'), 2);
      expect((await evil.ask(hex(`05010003040d0a2f40${portHex(80)}`), 10)).toString('hex')).to.equal('05050001000000000000');
    });

    it('relays datagrams for two clients at once', async () => {
      const far = await farSocket();
      const own = createSocket('udp4');
      const answers: string[] = [];
      own.on('message', (data) => answers.push(data.toString('hex')));
      try {
        const header = `000000017f000001${portHex(far.address().port)}`;
        const relays = new Set<number>();
        for (const text of ['dg', 'ab']) {
          const caller = call(proxy);
          await caller.ask(hex('050100'), 2);
          const answer = (await caller.ask(hex('05030001000000000000'), 10)).toString('hex');
          expect(answer).to.match(/^050000017f000001[0-9a-f]{4}$/);
          const relay = parseInt(answer.slice(-4), 16);
          relays.add(relay);
          own.send(hex(header + Buffer.from(text).toString('hex')), relay, '127.0.0.1');
          await until(() => answers.length === relays.size);
          expect(answers.at(-1)).to.equal(header + Buffer.from(`U:${text}`).toString('hex'));
        }
        expect(relays.size).to.equal(2);
      } finally {
        own.close();
      }
    });

    it('serves our own client, plain and with TLS, with and without a login', async () => {
      const plain = client(`tcp://localhost:${await echo()}`);
      plain.proxySocks5 = `127.0.0.1:${proxy}`;
      const log = record(plain);
      plain.send('hi');
      plain.connect();
      await until(() => log.includes('message E:hi'));

      const safe = client(`ssl://localhost:${await secret()}`, { ssl: { cafile: authority().cert } });
      Object.assign(safe, { proxySocks5: `127.0.0.1:${proxy}`, proxySocks5Username: 'user', proxySocks5Password: 'pass' });
      const safeLog = record(safe);
      safe.send('secret');
      safe.connect();
      await until(() => safeLog.includes('message secret'));
      expect((safe.getSocket() as TLSSocket).servername).to.equal('localhost');
    });

    it('tells our own client the reason when a target can not be reached', async () => {
      const c = client(`tcp://127.0.0.1:${await freePort()}`);
      c.proxySocks5 = `127.0.0.1:${proxy}`;
      const log = record(c);
      c.connect();
      await until(() => log.includes('close'));
      expect(log).to.deep.equal(['error 1 SOCKS5 connect failed: 5', 'close']);
    });
  });
});
