import { connect } from 'node:net';
import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Worker } from '../../../lib/Worker.js';
import { Frame } from '../../../protocols/Frame.js';
import { Http } from '../../../protocols/Http.js';
import { Text } from '../../../protocols/Text.js';
import { until } from '../connection/peers.js';
import { client, make, portOf, rejection, withWorkers } from './madeWorkers.js';

describe('Worker', () => {
  withWorkers();

  describe('the constructor', () => {
    it('registers the Worker and parses nothing', () => {
      const before = Worker.getAllWorkers().length;
      const worker = make('nonsense');
      expect(Worker.getAllWorkers()).to.have.length(before + 1);
      expect(Worker.getAllWorkers().at(-1)).to.equal(worker);
      Worker.getAllWorkers().length = 0;
      expect(Worker.getAllWorkers()).to.have.length(before + 1);
    });

    it('sets what Workerman sets', () => {
      const worker = make('tcp://127.0.0.1:0');
      expect(worker).to.include({
        id: 0,
        name: 'none',
        count: 1,
        user: '',
        group: '',
        reloadable: true,
        reusePort: false,
        transport: 'tcp',
        protocol: null,
        stopping: false,
        eventLoop: null,
        onWorkerStart: null,
        onWorkerStop: null,
        onWorkerReload: null,
        onConnect: null,
        onClose: null,
        onError: null,
        onBufferFull: null,
        onBufferDrain: null,
        onWebSocketConnect: null,
        onWebSocketConnected: null,
        onWebSocketClose: null,
        onWebSocketPing: null,
        onWebSocketPong: null,
      });
      expect(worker.onMessage).to.be.a('function');
      expect(Object.keys(worker.connections)).to.deep.equal([]);
      expect([...(worker.connections as Iterable<unknown>)]).to.deep.equal([]);
      expect(Worker).to.include({
        STATUS_INITIAL: 0,
        STATUS_STARTING: 1,
        STATUS_RUNNING: 2,
        STATUS_SHUTDOWN: 4,
        STATUS_RELOADING: 8,
        DEFAULT_BACKLOG: 102400,
        UI_SAFE_LENGTH: 4,
      });
      expect(Worker.BUILD_IN_TRANSPORTS).to.deep.equal({ tcp: 'tcp', udp: 'udp', unix: 'unix', ssl: 'tcp' });
    });

    it('takes so_reuseport for reusePort', () => {
      expect(make('tcp://127.0.0.1:0', { socket: { so_reuseport: true } }).reusePort).to.equal(true);
      expect(make('tcp://127.0.0.1:0', { socket: { so_reuseport: 1 } }).reusePort).to.equal(true);
      expect(make('tcp://127.0.0.1:0', { socket: { so_reuseport: 0 } }).reusePort).to.equal(false);
      expect(make('', { socket: { so_reuseport: true } }).reusePort).to.equal(false);
    });

    it('takes no name for a Worker without a socket', async () => {
      for (const name of [undefined, null, '']) {
        const worker = make(name);
        expect(worker.getSocketName()).to.equal('none');
        await worker.listen();
        expect(worker.getMainSocket()).to.equal(null);
        worker.pauseAccept();
        worker.resumeAccept();
        worker.unlisten();
      }
    });

    it('lets users hang their data on it', () => {
      const worker = make() as Worker & Record<string, unknown>;
      worker.uidConnections = { a: 1 };
      expect(worker.uidConnections).to.deep.equal({ a: 1 });
    });
  });

  describe('listen()', () => {
    const wrong: [name: string, transport: string, code: string, message: string | RegExp][] = [
      ['8080', 'tcp', 'WM_INVALID_SCHEME', "Invalid protocol scheme '8080'"],
      ['f-o://127.0.0.1:0', 'tcp', 'WM_INVALID_SCHEME', "Invalid protocol scheme 'f-o'"],
      ['://127.0.0.1:0', 'tcp', 'WM_INVALID_SCHEME', "Invalid protocol scheme ''"],
      [
        'foo://127.0.0.1:0',
        'tcp',
        'WM_UNKNOWN_SCHEME',
        "Unknown protocol scheme 'foo': register it with Worker.registerProtocol('foo', ProtocolClass)",
      ],
      ['HTTP://127.0.0.1:0', 'tcp', 'WM_UNKNOWN_SCHEME', /^Unknown protocol scheme 'HTTP'/],
      ['https://127.0.0.1:0', 'tcp', 'WM_UNKNOWN_SCHEME', /'https'/],
      ['wss://127.0.0.1:0', 'tcp', 'WM_UNKNOWN_SCHEME', /'wss'/],
      ['TCP://127.0.0.1:0', 'tcp', 'WM_UNKNOWN_SCHEME', /'TCP'/],
      ['http://127.0.0.1:0', 'xyz', 'WM_BAD_TRANSPORT', "Bad worker->transport 'xyz'"],
      ['tcp://127.0.0.1:0', 'xyz', 'WM_BAD_TRANSPORT', "Bad worker->transport 'xyz'"],
      ['tcp://127.0.0.1', 'tcp', 'WM_BAD_ADDRESS', 'Failed to parse address "127.0.0.1"'],
      ['tcp://127.0.0.1:65536', 'tcp', 'WM_BAD_ADDRESS', 'Failed to parse address "127.0.0.1:65536"'],
      ['tcp://127.0.0.1:-1', 'tcp', 'WM_BAD_ADDRESS', /^Failed to parse address/],
      ['tcp:127.0.0.1:80', 'tcp', 'WM_BAD_ADDRESS', /^Failed to parse address/],
      ['tcp://::1:0', 'tcp', 'WM_BAD_ADDRESS', /^Failed to parse address/],
      ['unix://', 'tcp', 'WM_BAD_ADDRESS', /^Failed to parse address/],
      [`unix:///tmp/${'x'.repeat(103)}`, 'tcp', 'WM_BAD_ADDRESS', /107 bytes at most/],
    ];
    for (const [name, transport, code, message] of wrong) {
      it(`is rejected for ${name.slice(0, 30)} with transport ${transport}`, async () => {
        const worker = make(name);
        worker.transport = transport as 'tcp';
        const error = await rejection(worker.listen());
        expect(error).to.be.instanceOf(Error);
        expect(error.code).to.equal(code);
        if (typeof message === 'string') expect(error.message).to.equal(message);
        else expect(error.message).to.match(message);
        expect(worker.getMainSocket()).to.equal(null);
      });
    }

    it('is rejected for an address in use, naming it', async () => {
      const first = make('tcp://127.0.0.1:0');
      await first.listen();
      for (const scheme of ['tcp', 'Http', 'text']) {
        const name = `${scheme}://127.0.0.1:${portOf(first)}`;
        const second = make(name);
        const error = await rejection(second.listen());
        expect(error.code).to.equal('EADDRINUSE');
        expect(error.message).to.equal(`Unable to listen on ${second.getSocketName()}: Address already in use`);
      }
    });

    it('is rejected for an address in use although nobody accepts there yet', async () => {
      const first = make('tcp://127.0.0.1:0');
      await first.listen();
      const port = portOf(first);
      first.unlisten();
      const holder = make(`tcp://127.0.0.1:${port}`);
      await holder.listen(false);
      expect((await rejection(make(`tcp://127.0.0.1:${port}`).listen(false))).code).to.equal('EADDRINUSE');
    });

    it('is rejected for an address that is not ours', async () => {
      const error = await rejection(make('tcp://192.0.2.1:0').listen());
      expect(error.code).to.equal('EADDRNOTAVAIL');
      expect(error.message).to.contain('tcp://192.0.2.1:0').and.contain('Cannot assign requested address');
      expect((await rejection(make('udp://192.0.2.1:0').listen())).code).to.equal('EADDRNOTAVAIL');
    });

    it('is rejected for a folder that does not exist', async () => {
      const error = await rejection(make('unix:///nowhere/at/all.sock').listen());
      expect(error.code).to.be.oneOf(['ENOENT', 'EACCES']);
      expect(error.message).to.contain('unix:///nowhere/at/all.sock');
    });

    it('may be tried again after a failure', async () => {
      const first = make('tcp://127.0.0.1:0');
      await first.listen();
      const second = make(`tcp://127.0.0.1:${portOf(first)}`);
      await rejection(second.listen());
      first.unlisten();
      await second.listen();
      expect(second.getMainSocket()).to.not.equal(null);
    });

    it('binds once', async () => {
      const worker = make('tcp://127.0.0.1:0');
      await worker.listen();
      const socket = worker.getMainSocket();
      await worker.listen();
      await worker.listen(false);
      expect(worker.getMainSocket()).to.equal(socket);
    });

    it('takes the scheme with its first letter in any case, and sets the protocol, whatever it was', async () => {
      for (const [name, protocol] of [
        ['http', Http],
        ['Http', Http],
        ['text', Text],
        ['Frame', Frame],
      ] as const) {
        const worker = make(`${name}://127.0.0.1:0`);
        worker.protocol = Text;
        await worker.listen();
        expect(worker.protocol).to.equal(protocol);
        expect(worker.transport).to.equal('tcp');
        expect(worker.getSocketName()).to.equal(`${name[0]!.toLowerCase()}${name.slice(1)}://127.0.0.1:0`);
      }
    });

    it('leaves the protocol alone for the raw schemes', async () => {
      const worker = make('tcp://127.0.0.1:0');
      worker.protocol = Text;
      await worker.listen();
      expect(worker.protocol).to.equal(Text);
    });

    it('listens on IPv6, for IPv4 clients too unless told not to', async () => {
      const both = make('tcp://[::]:0');
      await both.listen();
      const peer = await client(both);
      await until(() => both.connections.size === 1);
      const [connection] = both.connections as Iterable<TcpConnection>;
      expect(connection!.getRemoteIp()).to.equal('[::ffff:127.0.0.1]');
      peer.socket.destroy();
      const only = make('tcp://[::]:0', { socket: { ipv6_v6only: true } });
      await only.listen();
      const refused = connect(portOf(only), '127.0.0.1');
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve));
      expect(error.code).to.equal('ECONNREFUSED');
    });
  });

  describe('a protocol of the user', () => {
    /** Numbers between bars. */
    class Bars {
      static input = (buffer: Buffer): number => buffer.indexOf('|') + 1;
      static decode = (buffer: Buffer): number => Number(String(buffer).slice(0, -1));
      static encode = (data: number): string => `${data}|`;
    }

    async function sum(worker: Worker): Promise<string> {
      let total = 0;
      worker.onMessage = (c: TcpConnection, n: number) => c.send((total += n));
      await worker.listen();
      const peer = await client(worker);
      await peer.write('1|20|');
      return peer.gets(5);
    }

    it('is the class in worker.protocol of a tcp Worker', async () => {
      const worker = make('tcp://127.0.0.1:0');
      worker.protocol = Bars;
      expect(await sum(worker)).to.equal('1|21|');
    });

    it('is found by its scheme after registerProtocol(), the case of the first letter being free', async () => {
      Worker.registerProtocol('barsForTest', Bars);
      expect(await sum(make('barsForTest://127.0.0.1:0'))).to.equal('1|21|');
      expect(await sum(make('BarsForTest://127.0.0.1:0'))).to.equal('1|21|');
      expect((await rejection(make('barsfortest://127.0.0.1:0').listen())).code).to.equal('WM_UNKNOWN_SCHEME');
    });

    it('wins over a built-in one', async () => {
      class Framed extends Frame {}
      Worker.registerProtocol('frame', Framed);
      const worker = make('frame://127.0.0.1:0');
      await worker.listen();
      expect(worker.protocol).to.equal(Framed);
      Worker.registerProtocol('Frame', Frame);
    });

    it('can be registered under words that are no transports, with decode and encode', () => {
      for (const name of ['', '1a', 'a-b', 'a b', 'a.b', 'ä']) {
        expect(() => Worker.registerProtocol(name, Bars), name)
          .to.throw()
          .with.property('code', 'WM_PROTOCOL_NAME');
      }
      for (const name of ['tcp', 'udp', 'unix', 'ssl', 'Tcp']) {
        expect(() => Worker.registerProtocol(name, Bars), name)
          .to.throw()
          .with.property('code', 'WM_PROTOCOL_NAME');
      }
      expect(() => Worker.registerProtocol(null as unknown as string, Bars))
        .to.throw()
        .with.property('code', 'WM_PROTOCOL_NAME');
      for (const broken of [{}, null, { decode: String }, { encode: String }, class {}]) {
        expect(() => Worker.registerProtocol('broken', broken as typeof Bars))
          .to.throw()
          .with.property('code', 'WM_PROTOCOL_CLASS');
      }
      Worker.registerProtocol('withoutInputForTest', { decode: String, encode: String });
    });
  });

  it('knows no loop and no controller outside a worker process', () => {
    expect(() => Worker.getEventLoop())
      .to.throw()
      .with.property('code', 'WM_NO_LOOP');
    expect(Worker.getStatus()).to.equal(Worker.STATUS_INITIAL);
    expect(Worker.isRunning()).to.equal(false);
    expect(Worker.getGracefulStop()).to.equal(false);
    Worker.stopAll(1, 'nothing to stop');
  });

  it('gives the arguments and the words of Worker.command', () => {
    const { command } = Worker;
    try {
      Worker.command = ' start  -d ';
      expect(Worker.getArgv()).to.deep.equal([...process.argv.slice(1), 'start', '-d']);
    } finally {
      Worker.command = command;
    }
  });
});
