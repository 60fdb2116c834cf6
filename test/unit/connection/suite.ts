import { expect } from 'chai';
import { TcpConnection, type AsyncTcpConnection, type SocketContext } from '../../../connection/index.js';
import { Frame } from '../../../protocols/Frame.js';
import { Text } from '../../../protocols/Text.js';
import type { Worker } from '../../../lib/types.js';
import { catchReports, countFromHere, until } from './peers.js';
import { client, connectionsOf, portOf, record, serve, stopAll } from './workers.js';

/** One way to connect two ends. */
export interface Way {
  /** The socket name of the worker. */
  name: () => string;
  serverContext?: () => SocketContext;
  /** The address under which the worker is reached. */
  address: (worker: Worker) => string;
  clientContext?: () => SocketContext;
  /** What `send` returns for data that the operating system takes at once. */
  taken: true | null;
}

interface Ends {
  worker: Worker;
  server: TcpConnection;
  client: AsyncTcpConnection;
}

const MEGABYTE = 1 << 20;

/** What every connection does, whatever it runs over. Both ends are ours, the sockets are real. */
export function connectionSuite(transport: string, way: Way): void {
  describe(`connections over ${transport}`, () => {
    const reports = catchReports();
    let count: ReturnType<typeof countFromHere>;

    beforeEach(() => (count = countFromHere()));
    afterEach(stopAll);
    afterEach(() => expect(count().connections, 'connection_count').to.equal(0));
    afterEach(() => expect(reports).to.deep.equal({ failures: [], lines: [] }));

    const listen = (prepare?: (worker: Worker) => void): Promise<Worker> =>
      serve(way.name(), way.serverContext?.(), prepare);
    const dial = (worker: Worker): AsyncTcpConnection => client(way.address(worker), way.clientContext?.());

    /** Two connected ends. `prepare` gets the client before it connects, and the worker before it listens. */
    async function open(prepare: { worker?: (w: Worker) => void; client?: (c: AsyncTcpConnection) => void } = {}): Promise<Ends> {
      const worker = await listen(prepare.worker);
      const connection = dial(worker);
      let connected = false;
      connection.onConnect = () => (connected = true);
      prepare.client?.(connection);
      connection.connect();
      await until(() => connected && worker.connections.size === 1);
      return { worker, server: connectionsOf(worker)[0]!, client: connection };
    }

    /** Both ends, past everything that has to be said before the first byte. */
    async function openIdle(): Promise<Ends> {
      const ends = await open({ worker: (w) => (w.onMessage = (c, data) => c.send(data)) });
      let answered = false;
      ends.client.onMessage = () => (answered = true);
      ends.client.send('x');
      await until(() => answered && ends.client.bufferIsEmpty() && ends.server.bufferIsEmpty());
      return ends;
    }

    /** Everything that arrives at an end from now on. */
    function collect(connection: TcpConnection): { bytes: () => Buffer; length: () => number } {
      const chunks: Buffer[] = [];
      let length = 0;
      connection.onMessage = (_c, data: Buffer) => {
        chunks.push(data);
        length += data.length;
      };
      return { bytes: () => Buffer.concat(chunks), length: () => length };
    }

    it('carries bytes to and fro', async () => {
      const ends = await openIdle();
      const got = collect(ends.client);
      const data = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      ends.client.send(data);
      await until(() => got.length() === 256);
      expect(got.bytes()).to.deep.equal(data);
    });

    it('says what has become of sent data', async () => {
      const { client: own } = await openIdle();
      expect(own.send('a')).to.equal(way.taken);
      expect(own.send('', true)).to.equal(way.taken);
    });

    it('queues what is sent before and while connecting, and sends it first and in order', async () => {
      let received = '';
      const worker = await listen((w) => (w.onMessage = (_c, data) => (received += data)));
      const own = dial(worker);
      expect(own.getStatus(false)).to.equal('INITIAL');
      expect(own.send('1')).to.equal(null);
      own.onConnect = () => expect(own.send('3')).to.equal(null);
      own.connect();
      expect(own.getStatus(false)).to.equal('CONNECTING');
      expect(own.send('2')).to.equal(null);
      expect(own.bufferIsEmpty()).to.equal(false);
      expect(own.getSendBufferQueueSize()).to.equal(2);
      await until(() => received.length === 3);
      expect(received).to.equal('123');
    });

    it('reads nothing while paused and loses nothing', async () => {
      const ends = await openIdle();
      const got = collect(ends.server);
      ends.server.pauseRecv();
      ends.server.maxSendBufferSize = 1;
      ends.client.send(Buffer.alloc(8 * MEGABYTE, 7));
      await until(() => ends.client.getSendBufferQueueSize() > 0);
      expect(got.length()).to.equal(0);
      ends.server.resumeRecv();
      await until(() => got.length() === 8 * MEGABYTE);
      expect(got.bytes().every((byte) => byte === 7)).to.equal(true);
    });

    it('holds a pause from before the connect until it is resumed', async () => {
      const ends = await open({
        worker: (w) => (w.onConnect = (c) => c.send('hello')),
        client: (c) => c.pauseRecv(),
      });
      const log = record(ends.client);
      ends.client.send('x');
      await until(() => ends.server.bytesRead === 1);
      expect(log.filter((line) => line.startsWith('message'))).to.deep.equal([]);
      ends.client.resumeRecv();
      await until(() => log.includes('message hello'));
    });

    it('tells a full buffer once, drops what comes then, and tells when it has run dry', async () => {
      const ends = await openIdle();
      ends.server.pauseRecv();
      const log = record(ends.client);
      ends.client.maxSendBufferSize = 1000;
      const results: unknown[] = [];
      do results.push(ends.client.send(Buffer.alloc(MEGABYTE)));
      while (results.at(-1) !== false && results.length < 100);
      expect(results.at(-1)).to.equal(false);
      expect(results.at(-2)).to.equal(null);
      expect(log).to.deep.equal(['full', 'error 2 send buffer full and drop package']);
      expect(count().sendFails).to.equal(1);
      const sent = MEGABYTE * (results.length - 1);
      const got = collect(ends.server);
      ends.server.resumeRecv();
      await until(() => got.length() === sent && log.at(-1) === 'drain');
      expect(log.filter((line) => line === 'drain')).to.have.length(1);
      expect(ends.client.getSendBufferQueueSize()).to.equal(0);
      expect(ends.client.bufferIsEmpty()).to.equal(true);
    });

    it('counts the bytes of both ends', async () => {
      const ends = await openIdle();
      const got = collect(ends.client);
      ends.client.send('12345');
      await until(() => got.length() === 5);
      expect([ends.client.bytesWritten, ends.client.bytesRead]).to.deep.equal([6, 6]);
      expect([ends.server.bytesRead, ends.server.bytesWritten]).to.deep.equal([6, 6]);
    });

    it('closes at once when nothing is queued', async () => {
      const ends = await openIdle();
      const [here, there] = [record(ends.client), record(ends.server)];
      ends.client.close();
      expect(ends.client.getStatus(false)).to.equal('CLOSED');
      expect(here).to.deep.equal(['close']);
      expect(ends.client.send('late')).to.equal(false);
      await until(() => there.length > 0);
      expect(there).to.deep.equal(['close']);
      expect(ends.server.getStatus(false)).to.equal('CLOSED');
      ends.client.close();
      ends.client.destroy();
      expect(here).to.deep.equal(['close']);
    });

    it('lets everything go out before it closes', async () => {
      const ends = await openIdle();
      const got = collect(ends.server);
      let closed = false;
      ends.server.onClose = () => (closed = true);
      ends.server.pauseRecv();
      const log = record(ends.client);
      ends.client.close(Buffer.alloc(8 * MEGABYTE));
      expect(ends.client.getStatus(false)).to.equal('CLOSING');
      expect(ends.client.send('late')).to.equal(false);
      expect(log).to.not.include('close');
      ends.server.resumeRecv();
      await until(() => closed);
      expect(got.length()).to.equal(8 * MEGABYTE);
      expect(log.slice(-2)).to.deep.equal(['drain', 'close']);
    });

    it('closes before a connection is there and sends nothing', async () => {
      const worker = await listen();
      const own = dial(worker);
      const log = record(own);
      own.connect();
      own.close('never');
      expect(log).to.deep.equal(['close']);
      expect(own.getStatus(false)).to.equal('CLOSED');
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(log).to.deep.equal(['close']);
    });

    it('ends: last words, half close, the peer closes, and what still comes is thrown away', async () => {
      const ends = await openIdle();
      const log = record(ends.client);
      const there = record(ends.server);
      ends.client.end('bye');
      expect(ends.client.getStatus(false)).to.equal('ENDING');
      expect(ends.client.send('late')).to.equal(false);
      await until(() => there.includes('close') && log.includes('close'));
      expect(there.filter((line) => line !== 'drain')).to.deep.equal(['message bye', 'close']);
      expect(log.filter((line) => line !== 'drain')).to.deep.equal(['close']);
    });

    it('is closed by the end of the peer, however much waits to be sent', async () => {
      const ends = await openIdle();
      const log = record(ends.server);
      ends.client.pauseRecv();
      ends.server.maxSendBufferSize = 100 * MEGABYTE;
      do ends.server.send(Buffer.alloc(MEGABYTE));
      while (ends.server.getSendBufferQueueSize() < 8 * MEGABYTE);
      ends.client.resumeRecv();
      ends.client.end();
      await until(() => log.includes('close'));
      expect(ends.server.getSendBufferQueueSize()).to.equal(0);
    });

    it('is destroyed on the spot, and so is the other end', async () => {
      const ends = await openIdle();
      const [here, there] = [record(ends.client), record(ends.server)];
      ends.server.destroy();
      expect(there).to.deep.equal(['close']);
      await until(() => here.includes('close'));
      expect(here).to.deep.equal(['close']);
      expect([ends.client.getSocket(), ends.server.getSocket()]).to.deep.equal([null, null]);
    });

    it('pipes to another connection and back, and closes both', async () => {
      const echo = await listen((w) => (w.onConnect = (c) => c.pipe(c)));
      const relay = await serve('tcp://127.0.0.1:0', {}, (w) => {
        w.onConnect = (c) => {
          const onward = dial(echo);
          c.pipe(onward);
          onward.pipe(c);
          onward.connect();
        };
      });
      const own = client(`tcp://127.0.0.1:${portOf(relay)}`);
      const got = collect(own);
      own.connect();
      const data = Buffer.from(Array.from({ length: 4 * MEGABYTE }, (_, i) => i % 251));
      own.send(data);
      await until(() => got.length() === data.length);
      expect(got.bytes().equals(data)).to.equal(true);
      own.close();
      await until(() => echo.connections.size === 0 && relay.connections.size === 0);
    });

    it('speaks a protocol', async () => {
      const ends = await open({
        worker: (w) => {
          w.protocol = Text;
          w.onMessage = (c, line) => c.send(`<${line}>`);
        },
        client: (c) => (c.protocol = Text),
      });
      const log = record(ends.client);
      ends.client.send('one');
      ends.client.send('two\nthree');
      ends.client.send('four\n', true);
      await until(() => log.filter((line) => line.startsWith('message')).length === 4);
      expect(log.filter((line) => line !== 'drain')).to.deep.equal(['message <one>', 'message <two>', 'message <three>', 'message <four>']);
    });

    it('hands out a large packet in one piece', async () => {
      const ends = await open({
        worker: (w) => {
          w.protocol = Frame;
          w.onMessage = (c, data) => c.send(data);
        },
        client: (c) => (c.protocol = Frame),
      });
      const got = collect(ends.client);
      let messages = 0;
      const keep = ends.client.onMessage!;
      ends.client.onMessage = (c, data) => {
        messages++;
        keep(c, data);
      };
      ends.client.send(Buffer.alloc(5 * MEGABYTE, 'ab'));
      await until(() => got.length() === 5 * MEGABYTE);
      expect(messages).to.equal(1);
    });

    it('survives an exception of a callback that has an errorHandler', async () => {
      const ends = await openIdle();
      const errors: unknown[] = [];
      ends.client.errorHandler = (error) => errors.push(error);
      let calls = 0;
      ends.client.onMessage = () => {
        calls++;
        if (calls === 1) throw new Error('mine');
      };
      ends.client.send('a');
      await until(() => calls === 1);
      ends.client.send('b');
      await until(() => calls === 2);
      expect(errors.map(String)).to.deep.equal(['Error: mine']);
    });

    it('is in the registry from connect() to its close', async () => {
      const worker = await listen();
      const own = dial(worker);
      const { connections } = TcpConnection;
      expect(connections[own.id]).to.equal(undefined);
      own.connect();
      expect(connections[own.id]).to.equal(own);
      expect(count().connections).to.equal(1);
      let inside: unknown;
      own.onClose = () => (inside = connections[own.id]);
      await until(() => own.getStatus(false) === 'ESTABLISHED' && worker.connections.size === 1);
      expect(count().connections).to.equal(2);
      own.close();
      expect(inside).to.equal(own);
      expect(connections[own.id]).to.equal(undefined);
      await until(() => worker.connections.size === 0);
    });
  });
}
