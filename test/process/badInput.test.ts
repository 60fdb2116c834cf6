import { expect } from 'chai';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { cleanUpScripts, freePort, waitUntil, type Script } from '../support/process.js';
import { bodyOf, logged, startService } from '../support/service.js';

/** A connection that keeps what comes back. */
class Client {
  readonly socket: Socket;
  text = '';
  ended = false;

  private constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    for (const event of ['end', 'close']) this.socket.on(event, () => (this.ended = true));
  }

  static async to(port: number): Promise<Client> {
    const client = new Client(port);
    await waitUntil(
      () => !client.socket.connecting,
      () => `a connection to ${port}`,
    );
    return client;
  }

  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  async vanish(): Promise<void> {
    this.socket.resetAndDestroy();
    await waitUntil(
      () => this.ended,
      () => 'the end of a connection that was reset',
    );
  }

  until(done: (text: string) => boolean, what: string): Promise<true> {
    return waitUntil(
      () => done(this.text),
      () => `${what}, got ${JSON.stringify(this.text)}`,
    ) as Promise<true>;
  }
}

describe('bad input', function () {
  this.timeout(40_000);
  const servers: Server[] = [];
  afterEach(cleanUpScripts);
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function takenPort(): Promise<number> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Waits until the service fails to start. @returns what it has printed */
  async function failsToStart(script: Script): Promise<string> {
    expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
    await script.leavesNothingBehind();
    expect(script.output).to.not.contain('Start success');
    return script.output;
  }

  describe('of the one who starts the service', () => {
    const names: [string, RegExp][] = [
      ['tcp://127.0.0.1', /Failed to parse address "127\.0\.0\.1"/],
      ['http://127.0.0.1:99999', /Failed to parse address "127\.0\.0\.1:99999"/],
      ['8080', /Invalid protocol scheme '8080'/],
      [
        'foo://127.0.0.1:0',
        /Unknown protocol scheme 'foo': register it with Worker\.registerProtocol\('foo', ProtocolClass\)/,
      ],
      ['tcp://192.0.2.1:8080', /Unable to listen on tcp:\/\/192\.0\.2\.1:8080: Cannot assign requested address/],
    ];
    for (const [name, text] of names) {
      it(`the socket name ${name} ends the start with the reason`, async () => {
        const script = startService(`new Worker('${name}');`);
        expect(await failsToStart(script)).to.match(text);
        expect(script.log()).to.match(text);
      });
    }

    it('a port in use ends the start with the reason', async () => {
      const port = await takenPort();
      const script = startService(`new Worker('http://127.0.0.1:${port}');`);
      expect(await failsToStart(script)).to.contain(`http://127.0.0.1:${port}: Address already in use`);
    });

    it('two Workers on one address end the start with the reason', async () => {
      const port = await freePort();
      const script = startService(`new Worker('http://127.0.0.1:${port}'); new Worker('text://127.0.0.1:${port}');`);
      expect(await failsToStart(script)).to.contain('Address already in use');
    });
  });

  describe('of the application', () => {
    it('no onMessage at all costs the messages, not the process', async () => {
      const [port, other] = [await freePort(), await freePort()];
      const script = startService(
        `const worker = new Worker('text://127.0.0.1:${port}');
         worker.onConnect = (connection) => connection.send(process.pid);
         const none = new Worker('text://127.0.0.1:${other}');
         none.onMessage = null;
         none.onConnect = (connection) => connection.send(process.pid);`,
      );
      await script.started();
      for (const place of [port, other]) {
        const client = await Client.to(place);
        await client.until((text) => text.endsWith('\n'), 'a pid');
        await client.write('one\ntwo\n');
        const second = await Client.to(place);
        await second.until((text) => text.endsWith('\n'), 'a pid');
        expect(second.text).to.equal(client.text);
        expect(client.ended).to.equal(false);
      }
      expect(logged(script).join('\n')).to.not.contain('exit with status');
    });

    for (const [what, code] of [
      ['thrown', "throw new RangeError('mine 1')"],
      ['rejected', "return Promise.reject(new RangeError('mine 1'))"],
      ['thrown later in an async function', "return (async () => { await null; throw new RangeError('mine 1'); })()"],
      ['thrown by a timer', "Timer.add(0.001, () => { throw new RangeError('mine 1'); }, [], false)"],
      ['thrown where nobody catches it', "setTimeout(() => { throw new RangeError('mine 1'); }, 1)"],
    ] as const) {
      it(`an exception ${what} is logged once, with its stack, ends the process with 250, and another one serves`, async () => {
        const port = await freePort();
        const script = startService(
          `const worker = new Worker('http://127.0.0.1:${port}');
           worker.onMessage = (connection, request) => {
             if (request.path() === '/bad') { ${code}; return; }
             connection.send(String(process.pid));
           };`,
        );
        await script.started();
        const before = await waitUntil(
          () => bodyOf(port).catch(() => ''),
          () => script.describe(),
        );
        await bodyOf(port, '/bad').catch(() => {});
        const after = await waitUntil(
          async () => {
            const pid = await bodyOf(port).catch(() => '');
            return pid !== before && pid;
          },
          () => `another process: ${script.describe()}`,
        );
        expect(after).to.match(/^\d+$/);
        await script.waitForLog(/exit with status/);
        expect(logged(script)).to.include(`worker[none:${before}] exit with status 64000`);
        expect(script.log().match(/RangeError: mine 1\n +at /g)).to.have.length(1);
        expect(script.log().match(/exit with status/g)).to.have.length(1);
        expect(script.output.match(/RangeError: mine 1/g)).to.have.length(1);
        await script.stop();
      });
    }

    it('an inner Worker on a port in use, whose listen() nobody awaits, ends the process with 250', async () => {
      const taken = await takenPort();
      const script = startService(
        `const worker = new Worker();
         worker.onWorkerStart = () => { setTimeout(() => { new Worker('tcp://127.0.0.1:${taken}').listen(); }, 1); };`,
      );
      await script.waitForLog(/exit with status 64000/);
      expect(script.log()).to.contain(`Unable to listen on tcp://127.0.0.1:${taken}: Address already in use`);
      await script.stop();
    });
  });

  describe('of the peer', () => {
    /** Http, text, frame and websocket beside each other in one process each; HTTP tells pid and connections. */
    async function service(): Promise<{
      script: Script;
      http: number;
      text: number;
      frame: number;
      websocket: number;
    }> {
      const [http, text, frame, websocket] = await Promise.all(Array.from({ length: 4 }, () => freePort()));
      const script = startService(
        `const worker = new Worker('http://127.0.0.1:${http}');
         let pending = 0;
         worker.onMessage = async (connection, request) => {
           if (request.path() === '/big') return connection.send('x'.repeat(50_000_000));
           if (request.path() === '/slow') {
             pending++;
             await new Promise((resolve) => (connection.onClose = resolve));
             pending--;
             return connection.send('nobody reads this');
           }
           connection.send([process.pid, TcpConnection.statistics.connection_count, pending].join());
         };
         worker.onWorkerStart = async () => {
           for (const name of ['text://127.0.0.1:${text}', 'frame://127.0.0.1:${frame}', 'websocket://127.0.0.1:${websocket}']) {
             const inner = new Worker(name);
             inner.onMessage = (connection, data) => connection.send(data);
             await inner.listen();
           }
         };`,
      );
      await script.started();
      await waitUntil(
        () => bodyOf(http!).catch(() => ''),
        () => script.describe(),
      );
      return { script, http: http!, text: text!, frame: frame!, websocket: websocket! };
    }

    /** Bytes of any value, always the same. */
    function garbage(length: number, seed: number): Buffer {
      const bytes = Buffer.alloc(length);
      let state = seed;
      for (let i = 0; i < length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        bytes[i] = state >>> 24;
      }
      return bytes;
    }

    it('garbage gets the answer of the protocol, or none, and the same process goes on', async () => {
      const { script, http, text, frame, websocket } = await service();
      const pid = (await bodyOf(http)).split(',')[0];
      const refused = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';
      const cases: [number, Buffer, (text: string) => boolean][] = [
        [http, Buffer.concat([garbage(500, 1), Buffer.from('\r\n\r\n')]), (t) => t === refused],
        [http, garbage(20_000, 2), (t) => /^HTTP\/1\.1 431 /.test(t)],
        [http, Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 'latin1'), (t) => t === refused],
        [http, Buffer.from('GET / HTTP/1.1\nHost: h\r\n\r\n'), (t) => t === refused],
        [frame, Buffer.from([0, 0, 0, 1, 2, 3]), (t) => t === ''],
        [frame, Buffer.from([0xff, 0xff, 0xff, 0xff]), (t) => t === ''],
        [text, Buffer.alloc(10_485_760, 'x'), (t) => t === ''],
        [websocket, Buffer.concat([garbage(300, 3), Buffer.from('\r\n\r\n')]), (t) => /^HTTP\/1\.1 400 /.test(t)],
      ];
      for (const [port, bytes, isRight] of cases) {
        const client = await Client.to(port);
        void client.write(bytes);
        await waitUntil(
          () => client.ended,
          () => `the end of ${bytes.subarray(0, 20).toString('latin1')}`,
        );
        expect(isRight(client.text), JSON.stringify(client.text)).to.equal(true);
        client.socket.destroy();
      }
      // Whatever the bytes are, the process survives them.
      for (let seed = 10; seed < 30; seed++) {
        for (const port of [http, text, frame, websocket]) {
          const client = await Client.to(port);
          await client.write(garbage(2000, seed));
          await client.vanish();
        }
      }
      expect((await bodyOf(http)).split(',')[0]).to.equal(pid);
      expect(script.log()).to.not.contain('exit with status');
      expect(script.output).to.match(/Protocol Frame Error package\. package_length=-1/);
      expect(script.output).to.match(/Protocol Frame Error package\. package_length=4294967295/);
    });

    it('as many connections as there are descriptors leave enough for the work of the others', async () => {
      const port = await freePort();
      const script = startService(
        `process.env.TMPDIR = import.meta.dirname;
         const worker = new Worker('http://127.0.0.1:${port}');
         worker.onMessage = async (connection, request) => {
           const session = await request.session();
           session.set('pid', process.pid);
           connection.send(JSON.stringify([process.pid, fs.readFileSync(request.file('f').tmp_name, 'utf8')]));
         };`,
        { before: ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'] },
      );
      await script.started();
      const body = '--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\ncontent\r\n--B--\r\n';
      const form = 'POST / HTTP/1.1\r\nHost: h\r\nCookie: PHPSID=a-session-of-descriptors\r\n'
        + `Content-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const ask = async (client: Client): Promise<string> => {
        client.text = '';
        await client.write(form);
        await client.until((text) => text.endsWith(']'), 'an answer');
        return client.text.slice(client.text.indexOf('['));
      };
      const client = await Client.to(port);
      const answer = await ask(client);
      expect(answer).to.match(/^\[\d+,"content"\]$/);
      const idle = await Promise.all(Array.from({ length: 100 }, () => Client.to(port)));
      await waitUntil(
        () => idle.some(({ ended }) => ended),
        () => 'the end of connections that are too many',
      );
      expect(idle.filter(({ ended }) => !ended).length).to.be.above(20);
      expect(await ask(client)).to.equal(answer);
      for (const { socket } of idle) socket.destroy();
      await waitUntil(
        async () => {
          const late = await Client.to(port);
          const isServed = await ask(late).catch(() => '') === answer;
          late.socket.destroy();
          return isServed;
        },
        () => script.describe(),
      );
      client.socket.destroy();
      expect(script.log()).to.not.contain('exit with status');
    });

    it('one that vanishes in the middle of a request, or of an answer, leaves nothing behind', async () => {
      const { script, http, text, frame } = await service();
      const [pid] = (await bodyOf(http)).split(',');
      const halves: [number, string][] = [
        [http, 'GET / HTTP/1.1\r\nHost'],
        [http, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nhalf'],
        [http, 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha'],
        [http, 'GET /slow HTTP/1.1\r\nHost: h\r\n\r\n'],
        [http, 'GET /big HTTP/1.1\r\nHost: h\r\n\r\n'],
        [text, 'half a line'],
        [frame, '\0\0'],
      ];
      for (const [port, bytes] of halves) {
        for (const how of ['reset', 'fin'] as const) {
          const client = await Client.to(port);
          client.socket.pause();
          await client.write(bytes);
          if (how === 'reset') await client.vanish();
          else client.socket.destroy();
        }
      }
      // The connection that asks is there itself.
      await waitUntil(
        async () => (await bodyOf(http)) === `${pid},1,0`,
        () => `one connection and no handler: ${script.describe()}`,
      );
      expect(script.log()).to.not.contain('exit with status');
      await script.stop();
    });
  });
});
