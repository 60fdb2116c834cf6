import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { catchReports, until } from '../unit/connection/peers.js';
import { client, portOf, record, serve, stopAll } from '../unit/connection/workers.js';
import { authority, localhost } from '../support/certificates.js';
import { cleanUpScripts, freePort, startScript } from '../support/process.js';

/** Starts one of the examples on a port of its own. */
async function example(name: string, usualPort: number): Promise<number> {
  const port = await freePort();
  const source = readFileSync(fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url)), 'utf8');
  const script = startScript({ source: source.replace(`:${usualPort}'`, `:${port}'`).replace(/count = \d/, 'count = 2'), name: `${name}.ts` });
  await script.started();
  return port;
}

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
  this.timeout(40_000);
  const reports = catchReports();
  const callers = new Set<Caller>();
  const origins = new Set<Server>();

  after(cleanUpScripts);
  afterEach(async () => {
    for (const caller of callers) caller.socket.destroy();
    callers.clear();
    for (const server of origins) server.close();
    origins.clear();
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

  /** An origin that takes requests with a whole address, as only Node's own does. */
  async function origin(): Promise<number> {
    const server = createServer((asked, answer) => {
      let length = 0;
      asked.on('data', (data: Buffer) => (length += data.length));
      asked.on('end', () => answer.end(`up ${asked.method} ${asked.url} body=${length}`));
    });
    origins.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  const secret = async (): Promise<number> => portOf(await serve('ssl://127.0.0.1:0', {
    ssl: { local_cert: localhost().cert, local_pk: localhost().key },
  }, (w) => (w.onMessage = (c, data) => c.send(data))));

  describe('http-proxy', () => {
    let proxy: number;
    before(async () => (proxy = await example('http-proxy', 8080)));

    it('hands requests with a whole address on', async () => {
      const up = await origin();
      const get = `GET http://127.0.0.1:${up}/a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:${up}\r\nConnection: close\r\n\r\n`;
      const answer = (await call(proxy).ask(get, 100)).toString();
      expect(answer).to.match(/^HTTP\/1\.1 200 OK\r\n/).and.match(/up GET .*\/a\?b=1 body=0$/);
      const post = `POST http://127.0.0.1:${up}/p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`;
      expect((await call(proxy).ask(post, 100)).toString()).to.match(/up POST .*\/p body=5$/);
    });

    it('opens tunnels for bytes of any kind', async () => {
      const up = await echo();
      const caller = call(proxy);
      const opened = await caller.ask(`CONNECT 127.0.0.1:${up} HTTP/1.1\r\nHost: x\r\n\r\n`, 39);
      expect(opened.toString()).to.equal('HTTP/1.1 200 Connection Established\r\n\r\n');
      expect((await caller.ask(hex('0001feff'), 6)).toString('hex')).to.equal('453a0001feff');
      expect((await caller.ask(hex('100301'), 5)).toString('hex')).to.equal('453a100301');
    });

    it('closes when nobody answers there, and refuses nonsense', async () => {
      const caller = call(proxy);
      expect((await caller.ask('GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n', 1)).length).to.equal(0);
      expect(await caller.end()).to.equal(true);
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
    let proxy: number;
    before(async () => (proxy = await example('socks5-proxy', 1080)));

    const portHex = (port: number): string => port.toString(16).padStart(4, '0');

    it('connects to an address without a login', async () => {
      const up = await echo();
      const caller = call(proxy);
      expect((await caller.ask(hex('050100'), 2)).toString('hex')).to.equal('0500');
      expect((await caller.ask(hex(`050100017f000001${portHex(up)}`), 10)).toString('hex')).to.equal('05000001000000004850');
      expect((await caller.ask('ping', 6)).toString()).to.equal('E:ping');
      expect((await caller.ask(hex('00ff'), 4)).toString('hex')).to.equal('453a00ff');
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

    it('refuses wrong passwords, unknown methods, IPv6 and BIND', async () => {
      const wrong = call(proxy);
      await wrong.ask(hex('050102'), 2);
      expect((await wrong.ask(hex('01047573657203626164'), 2)).toString('hex')).to.equal('0101');
      expect(await wrong.end()).to.equal(true);

      const unknown = call(proxy);
      expect((await unknown.ask(hex('050109'), 2)).toString('hex')).to.equal('05ff');
      expect(await unknown.end()).to.equal(true);

      const ipv6 = call(proxy);
      await ipv6.ask(hex('050100'), 2);
      expect((await ipv6.ask(hex(`05010004${'00'.repeat(15)}010050`), 10)).toString('hex')).to.equal('05080001000000000000');
      expect(await ipv6.end()).to.equal(true);

      const bind = call(proxy);
      await bind.ask(hex('050100'), 2);
      expect((await bind.ask(hex('050200017f0000010050'), 10)).toString('hex')).to.equal('05070001000000000000');
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
      const far = createSocket('udp4');
      far.on('message', (data, remote) => far.send(Buffer.concat([Buffer.from('U:'), data]), remote.port, remote.address));
      await new Promise<void>((resolve) => far.bind(0, '127.0.0.1', resolve));
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
        far.close();
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
