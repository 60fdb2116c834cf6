import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import type { UdpConnection } from '../../../connection/UdpConnection.js';
import type { Worker } from '../../../lib/Worker.js';
import { catchReports, settle, until } from '../connection/peers.js';
import { client, make, makeUdp, portOf, rejection, withWorkers } from './madeWorkers.js';

describe('Worker: serving', () => {
  const reports = catchReports();
  const printed = withWorkers();

  describe('accepting', () => {
    it('stops and starts with pauseAccept() and resumeAccept(), which may be repeated', async () => {
      const worker = make('tcp://127.0.0.1:0');
      let connects = 0;
      worker.onConnect = () => connects++;
      await worker.listen();
      worker.pauseAccept();
      worker.pauseAccept();
      await client(worker);
      await settle();
      expect(connects).to.equal(0);
      worker.resumeAccept();
      worker.resumeAccept();
      await until(() => connects === 1);
      await client(worker);
      await until(() => connects === 2);
      expect(worker.connections.size).to.equal(2);
    });

    it('does not start when pauseAccept() follows listen() at once', async () => {
      const worker = make('tcp://127.0.0.1:0');
      let connects = 0;
      worker.onConnect = () => connects++;
      const listening = worker.listen();
      worker.pauseAccept();
      await listening;
      expect(worker.getMainSocket()).to.equal(null);
      worker.resumeAccept();
      await until(() => worker.getMainSocket() !== null);
      await client(worker);
      await until(() => connects === 1);
      worker.pauseAccept();
      await worker.listen();
      await client(worker);
      await until(() => connects === 2);
    });

    it('does not start when unlisten() follows listen() at once', async () => {
      const worker = make('tcp://127.0.0.1:0');
      const listening = worker.listen();
      worker.unlisten();
      await listening;
      expect(worker.getMainSocket()).to.equal(null);
      await worker.listen();
      expect(worker.getMainSocket()).to.not.equal(null);
    });

    it('goes by the last call when listen() and unlisten() follow each other at once', async () => {
      const first = make('tcp://127.0.0.1:0');
      await first.listen();
      const name = `tcp://127.0.0.1:${portOf(first)}`;
      first.unlisten();
      const worker = make(name);
      const listening = [worker.listen()];
      worker.unlisten();
      listening.push(worker.listen());
      worker.unlisten();
      listening.push(worker.listen());
      await Promise.all(listening);
      expect(worker.getMainSocket()).to.not.equal(null);
      worker.unlisten();
      const again = make(name);
      await again.listen();
    });

    it('ends with unlisten(), which may be repeated, and goes on with listen()', async () => {
      const first = make('tcp://127.0.0.1:0');
      await first.listen();
      const name = `tcp://127.0.0.1:${portOf(first)}`;
      first.unlisten();
      const worker = make(name);
      let connects = 0;
      worker.onConnect = () => connects++;
      worker.unlisten();
      for (let round = 1; round <= 3; round++) {
        await worker.listen();
        await client(worker);
        await until(() => connects === round);
        worker.unlisten();
        worker.unlisten();
        expect(worker.getMainSocket()).to.equal(null);
      }
      expect(worker.connections.size).to.equal(3);
    });

    it('hands the callbacks of the moment to each connection, and onConnect to none', async () => {
      const worker = make('text://127.0.0.1:0');
      const calls: string[] = [];
      worker.onConnect = (c: TcpConnection) => void calls.push(`connect ${c.getStatus(false)} ${String(c.onConnect)}`);
      worker.onMessage = (_c: TcpConnection, data: string) => void calls.push(`old ${data}`);
      worker.onClose = () => void calls.push('close');
      await worker.listen();
      const one = await client(worker);
      await until(() => calls.length === 1);
      worker.onMessage = (_c: TcpConnection, data: string) => void calls.push(`new ${data}`);
      const other = await client(worker);
      await until(() => calls.length === 2);
      await one.write('1\n');
      await until(() => calls.length === 3);
      await other.write('2\n');
      await until(() => calls.length === 4);
      await one.fin();
      await until(() => calls.length === 5);
      expect(calls).to.deep.equal(['connect ESTABLISHED null', 'connect ESTABLISHED null', 'old 1', 'new 2', 'close']);
    });

    it('keeps its live connections by id, until onClose has run', async () => {
      const worker = make('tcp://127.0.0.1:0');
      const sizes: number[] = [];
      worker.onConnect = (c: TcpConnection) => {
        expect((worker.connections as Record<number, unknown>)[c.id]).to.equal(c);
        expect(c.worker).to.equal(worker);
        sizes.push(worker.connections.size);
      };
      worker.onClose = (c: TcpConnection) => {
        expect(c.worker).to.equal(worker);
        sizes.push(worker.connections.size);
      };
      await worker.listen();
      const peer = await client(worker);
      await until(() => sizes.length === 1);
      await peer.fin();
      await until(() => sizes.length === 2);
      await until(() => worker.connections.size === 0);
      expect(sizes).to.deep.equal([1, 1]);
      expect(Object.values(worker.connections)).to.deep.equal([]);
    });

    it('notices a client that has given up while it was made to wait', async () => {
      const worker = make('tcp://127.0.0.1:0');
      const calls: string[] = [];
      worker.onConnect = () => void calls.push('connect');
      worker.onClose = () => void calls.push('close');
      await worker.listen();
      worker.pauseAccept();
      const peer = await client(worker);
      await peer.fin();
      await settle();
      worker.resumeAccept();
      await until(() => calls.length === 2);
      expect(calls).to.deep.equal(['connect', 'close']);
    });

    it('fails the process when onConnect throws or rejects, whatever errorHandler says', async () => {
      const worker = make('tcp://127.0.0.1:0');
      let thrown = new Error('thrown');
      worker.onConnect = (c: TcpConnection) => {
        c.errorHandler = () => {};
        throw thrown;
      };
      await worker.listen();
      await client(worker);
      await until(() => reports.failures.length === 1);
      thrown = new Error('rejected');
      worker.onConnect = (c: TcpConnection) => {
        c.errorHandler = () => {};
        return Promise.reject(thrown);
      };
      await client(worker);
      await until(() => reports.failures.length === 2);
      expect(reports.failures.map(String)).to.deep.equal(['Error: thrown', 'Error: rejected']);
    });
  });

  describe('over UDP', () => {
    /** Sends datagrams and waits for as many answers as are wanted. */
    async function ask(worker: ReturnType<typeof makeUdp>, datagrams: string[], wanted: number): Promise<string[]> {
      await worker.listen();
      const socket = createSocket('udp4');
      const answers: string[] = [];
      socket.on('message', (data) => answers.push(String(data)));
      for (const datagram of datagrams) socket.send(datagram, portOf(worker), '127.0.0.1');
      await until(() => answers.length >= wanted || reports.failures.length > 0);
      socket.close();
      return answers;
    }

    it('hands out each datagram on a connection of its own, and calls neither onConnect nor onClose', async () => {
      const worker = makeUdp('udp://127.0.0.1:0');
      worker.onConnect = worker.onClose = () => expect.fail('not for UDP');
      worker.onMessage = (c: UdpConnection, data: Buffer) => c.send(`${c.transport} ${data.length} ${String(data)}`);
      expect(await ask(worker, ['abc'], 1)).to.deep.equal(['udp 3 abc']);
      expect(worker.transport).to.equal('udp');
      expect(worker.connections.size).to.equal(0);
      expect(worker.getMainSocket()!.address()).to.have.property('port');
    });

    it('speaks a protocol', async () => {
      const worker = makeUdp('text://127.0.0.1:0');
      worker.transport = 'udp';
      worker.onMessage = (c: UdpConnection, data: string) => c.send(data.toUpperCase());
      expect(await ask(worker, ['a\nb\nc'], 2)).to.deep.equal(['A\n', 'B\n']);
    });

    it('fails the process when onMessage throws', async () => {
      const worker = makeUdp('udp://127.0.0.1:0');
      worker.onMessage = () => {
        throw new Error('mine');
      };
      await ask(worker, ['x'], 1);
      expect(reports.failures.map(String)).to.deep.equal(['Error: mine']);
    });

    it('survives close() of a connection, and unlisten() and listen()', async () => {
      const worker = makeUdp('udp://127.0.0.1:0');
      worker.onMessage = (c: UdpConnection) => c.close('bye');
      expect(await ask(worker, ['x'], 1)).to.deep.equal(['bye']);
      worker.unlisten();
      worker.unlisten();
      expect(worker.getMainSocket()).to.equal(null);
      expect(await ask(worker, ['x'], 1)).to.deep.equal(['bye']);
    });
  });

  describe('on a unix socket', () => {
    let folder = '';
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it('serves raw and through a protocol, and removes the file in unlisten()', async () => {
      const path = join(folder, 'a.sock');
      const raw = make(`unix://${path}`);
      raw.onMessage = (c: TcpConnection, data: Buffer) =>
        c.send(`${c.transport} ${c.getLocalAddress()} ${String(data)}`);
      await raw.listen();
      expect(raw.transport).to.equal('unix');
      const one = await client(path);
      await one.write('x');
      expect(await one.gets(/x$/)).to.equal(`unix ${path} x`);
      raw.unlisten();
      expect(existsSync(path)).to.equal(false);
      const text = make(`text://${path}`);
      text.transport = 'unix';
      text.onMessage = (c: TcpConnection, data: string) => c.send(data);
      await text.listen();
      const other = await client(path);
      await other.write('line\n');
      expect(await other.gets(/\n/)).to.equal('line\n');
    });

    it('takes the place of a leftover that nobody accepts on', async () => {
      const path = join(folder, 'left.sock');
      const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
      expect(spawnSync(process.execPath, ['-e', script]).signal).to.equal('SIGKILL');
      expect(existsSync(path)).to.equal(true);
      const worker = make(`unix://${path}`);
      worker.onMessage = (c: TcpConnection, data: Buffer) => c.send(data);
      await worker.listen();
      const peer = await client(path);
      await peer.write('x');
      await peer.gets('x'.length);
    });

    it('leaves a file alone that is something else or in use', async () => {
      const file = join(folder, 'file');
      writeFileSync(file, 'mine');
      const error = await rejection(make(`unix://${file}`).listen());
      expect(error.code).to.equal('EADDRINUSE');
      expect(error.message).to.equal(`Unable to listen on unix://${file}: Address already in use`);
      expect(existsSync(file)).to.equal(true);
      const path = join(folder, 'used.sock');
      const worker = make(`unix://${path}`);
      await worker.listen();
      expect((await rejection(make(`unix://${path}`).listen())).code).to.equal('EADDRINUSE');
      await client(path);
    });
  });

  describe('run()', () => {
    it('accepts when onWorkerStart has ended, and not before', async () => {
      const worker = make('tcp://127.0.0.1:0');
      let start: () => void = () => {};
      const calls: string[] = [];
      worker.onConnect = () => void calls.push('connect');
      worker.onWorkerStart = async (self: Worker) => {
        expect(self).to.equal(worker);
        calls.push('start');
        await new Promise<void>((resolve) => (start = resolve));
        calls.push('started');
      };
      const running = worker.run();
      await until(() => calls.length === 1);
      expect(worker.getMainSocket()).to.equal(null);
      start();
      await running;
      await client(worker);
      await until(() => calls.length === 3);
      expect(calls).to.deep.equal(['start', 'started', 'connect']);
    });

    it('respects a pauseAccept() in onWorkerStart', async () => {
      const worker = make('tcp://127.0.0.1:0');
      worker.onWorkerStart = (self: Worker) => self.pauseAccept();
      await worker.run();
      expect(worker.getMainSocket()).to.equal(null);
      worker.resumeAccept();
      await until(() => worker.getMainSocket() !== null);
    });

    it('waits for the listen() of inner Workers, whose onWorkerStart it does not call', async () => {
      const worker = make();
      const inner = make('tcp://127.0.0.1:0');
      inner.onWorkerStart = () => expect.fail('not called by listen()');
      worker.onWorkerStart = () => void inner.listen();
      await worker.run();
      expect(inner.getMainSocket()).to.not.equal(null);
    });

    it('is rejected when onWorkerStart throws or the address is taken', async () => {
      const worker = make();
      worker.onWorkerStart = () => {
        throw new Error('mine');
      };
      expect((await rejection(worker.run())).message).to.equal('mine');
      expect((await rejection(make('foo://x:1').run())).code).to.equal('WM_UNKNOWN_SCHEME');
    });
  });

  describe('stop()', () => {
    it('goes in order: onWorkerStop, the socket, the connections, the callbacks', async () => {
      const worker = make('tcp://127.0.0.1:0');
      const calls: string[] = [];
      const look = (name: string): void =>
        void calls.push(
          `${name}: ${worker.getMainSocket() === null ? 'closed' : 'listens'}, ${worker.connections.size}, ${worker.stopping}`,
        );
      worker.onWorkerStop = (self: Worker) => {
        expect(self).to.equal(worker);
        look('stop');
      };
      worker.onClose = () => look('close');
      await worker.listen();
      const peer = await client(worker);
      await until(() => worker.connections.size === 1);
      expect(worker.stop()).to.equal(undefined);
      expect(calls).to.deep.equal(['stop: listens, 1, false', 'close: closed, 1, false']);
      expect(worker.stopping).to.equal(true);
      const { onMessage, onClose, onError, onBufferDrain, onBufferFull } = worker;
      expect([onMessage, onClose, onError, onBufferDrain, onBufferFull]).to.deep.equal(Array(5).fill(null));
      await until(() => peer.ended);
      void worker.stop();
      expect(calls).to.have.length(2);
    });

    it('leaves connections with unread input when it is not forced', async () => {
      const worker = make('text://127.0.0.1:0');
      const closed: number[] = [];
      worker.onClose = (c: TcpConnection) => void closed.push(c.id);
      await worker.listen();
      const half = await client(worker);
      await half.write('half a line');
      await until(() =>
        [...(worker.connections as Iterable<TcpConnection>)].some((c) => c.getRecvBufferQueueSize() > 0),
      );
      await client(worker);
      await until(() => worker.connections.size === 2);
      void worker.stop(false);
      expect(closed).to.have.length(1);
      expect(worker.connections.size).to.equal(1);
    });

    it('waits for an async onWorkerStop, but stops accepting at once', async () => {
      const worker = make('tcp://127.0.0.1:0');
      let stop: () => void = () => {};
      worker.onWorkerStop = () => new Promise<void>((resolve) => (stop = resolve));
      await worker.listen();
      await client(worker);
      await until(() => worker.connections.size === 1);
      const stopping = worker.stop();
      expect(stopping).to.be.instanceOf(Promise);
      expect(worker.getMainSocket()).to.equal(null);
      expect(worker.stopping).to.equal(false);
      expect(worker.connections.size).to.equal(1);
      let both = 0;
      for (const end of [stopping, worker.stop()]) void Promise.resolve(end).then(() => both++);
      await new Promise(setImmediate);
      expect(both).to.equal(0);
      stop();
      await stopping;
      expect(worker.stopping).to.equal(true);
      expect(worker.connections.size).to.equal(0);
    });

    it('logs an exception of onWorkerStop and goes on', async () => {
      const worker = make();
      worker.onWorkerStop = () => {
        throw new Error('thrown');
      };
      void worker.stop();
      const other = make();
      other.onWorkerStop = () => Promise.reject(new Error('rejected'));
      await other.stop();
      expect([worker.stopping, other.stopping]).to.deep.equal([true, true]);
      expect(printed.output).to.match(/Error: thrown\n {4}at [^]*Error: rejected\n {4}at /);
      expect(reports.failures).to.deep.equal([]);
    });

    it('leaves the callbacks that connections have got', async () => {
      const worker = make('text://127.0.0.1:0');
      let answer = '';
      worker.onMessage = (_c: TcpConnection, data: string) => (answer = data);
      await worker.listen();
      const peer = await client(worker);
      await peer.write('half');
      await until(() => [...(worker.connections as Iterable<TcpConnection>)][0]?.getRecvBufferQueueSize() === 4);
      void worker.stop(false);
      await peer.write(' and half\n');
      await until(() => answer === 'half and half');
    });
  });
});
