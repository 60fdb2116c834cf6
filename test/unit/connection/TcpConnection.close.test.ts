import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { lingeringCount } from '../../../connection/linger.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, countFromHere, fill, open, settle, until } from './peers.js';

const { STATUS_CLOSED, STATUS_CLOSING, STATUS_ENDING, STATUS_ESTABLISHED } = TcpConnection;

describe('TcpConnection: closing', () => {
  const reports = catchReports();
  afterEach(closeAll);

  /** A connection with `onClose` and `onBufferDrain` written down. */
  async function recorded(reads = true): Promise<Awaited<ReturnType<typeof open>> & { events: string[] }> {
    const events: string[] = [];
    const pair = await open((c) => {
      c.onClose = () => void events.push('close');
      c.onBufferDrain = () => void events.push('drain');
      c.onError = (_c: unknown, code: number, text: string) => void events.push(`error ${code} ${text}`);
    }, { reads });
    return { ...pair, events };
  }

  /** The same with more queued than the operating system takes. */
  async function queued(): Promise<Awaited<ReturnType<typeof recorded>> & { sent: number }> {
    const pair = await recorded(false);
    pair.connection.maxSendBufferSize = Infinity;
    return { ...pair, sent: fill(pair.connection) };
  }

  describe('close()', () => {
    it('is done when it returns: status 16, onClose called', async () => {
      const { connection, peer, events } = await recorded();
      connection.close();
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      expect(events).to.deep.equal(['close']);
      await until(() => peer.ended);
      expect(peer.error).to.equal(null);
    });

    it('sends its data and everything before it first', async () => {
      const { connection, peer, events } = await recorded();
      connection.protocol = Text;
      expect(connection.send('one')).to.equal(true);
      connection.close('two');
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      expect(events).to.deep.equal(['close']);
      await until(() => peer.ended);
      expect(peer.text).to.equal('one\ntwo\n');
    });

    it('sends its data as it is when raw, and nothing for null and undefined', async () => {
      const { connection, peer } = await recorded();
      connection.protocol = Text;
      connection.close('two', true);
      const other = await recorded();
      other.connection.close(undefined);
      await until(() => peer.ended && other.peer.ended);
      expect([peer.text, other.peer.text]).to.deep.equal(['two', '']);
    });

    it('waits for what is queued: CLOSING, then onBufferDrain, then onClose', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.close('last');
      expect(connection.getStatus()).to.equal(STATUS_CLOSING);
      expect(connection.getStatus(false)).to.equal('CLOSING');
      expect(events).to.deep.equal([]);
      connection.close('not this');
      connection.end('nor this');
      peer.read();
      await until(() => peer.ended);
      expect(events).to.deep.equal(['drain', 'close']);
      expect(peer.length).to.equal(sent + 4);
      expect(peer.text.slice(-4)).to.equal('last');
    });

    it('does not let the FIN of the peer cut that short', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.close('last');
      await peer.fin();
      await settle();
      expect(connection.getStatus()).to.equal(STATUS_CLOSING);
      peer.read();
      await until(() => peer.ended);
      expect(peer.length).to.equal(sent + 4);
      expect(events).to.deep.equal(['drain', 'close']);
    });

    it('drops its data when the queue is full, and closes all the same', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.maxSendBufferSize = 1;
      connection.close('too much');
      expect(events).to.deep.equal(['error 2 send buffer full and drop package']);
      expect(connection.getStatus()).to.equal(STATUS_CLOSING);
      peer.read();
      await until(() => peer.ended);
      expect(peer.length).to.equal(sent);
      expect(events.slice(1)).to.deep.equal(['drain', 'close']);
    });

    it('does not reset the connection when input is unread', async () => {
      const { connection, peer } = await recorded();
      connection.pauseRecv();
      await peer.write('x'.repeat(300_000));
      await settle();
      connection.close('y'.repeat(200_000));
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      await until(() => peer.ended);
      expect(peer.length).to.equal(200_000);
      expect(peer.error).to.equal(null);
    });

    it('lets go of the socket when the peer closes, and after lingerTimeout when it does not', async () => {
      const one = await recorded();
      const other = await recorded();
      other.connection.lingerTimeout = 0.02;
      const sockets = [one, other].map(({ connection }) => connection.getSocket()!);
      const before = lingeringCount();
      one.connection.close();
      other.connection.close();
      expect(lingeringCount()).to.equal(before + 2);
      await until(() => one.peer.ended);
      await one.peer.fin();
      await until(() => sockets.every((socket) => socket.destroyed));
      await until(() => lingeringCount() === before);
    });

    it('does nothing on a closed connection', async () => {
      const { connection, events } = await recorded();
      connection.close();
      connection.close('x');
      connection.end('x');
      connection.destroy();
      expect(events).to.deep.equal(['close']);
    });

    it('from inside its own callbacks closes once', async () => {
      const { connection, events } = await recorded();
      connection.onClose = (self: TcpConnection) => {
        events.push('close');
        self.close();
        self.destroy();
      };
      connection.close();
      expect(events).to.deep.equal(['close']);
    });

    it('goes on when the protocol can not encode its data', async () => {
      const { connection, events } = await recorded();
      connection.protocol = Text;
      connection.close({});
      expect(reports.failures).to.have.length(1);
      expect(events).to.deep.equal(['close']);
    });
  });

  describe('end()', () => {
    it('sends, shuts down, discards input, and closes at the FIN of the peer', async () => {
      const { connection, peer, events } = await recorded();
      connection.onMessage = () => void events.push('message');
      connection.end('bye');
      expect(connection.getStatus()).to.equal(STATUS_ENDING);
      await until(() => peer.ended);
      expect(peer.text).to.equal('bye');
      await peer.write('ignored');
      await until(() => connection.bytesRead === 7);
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
      expect(events).to.deep.equal([]);
      expect(connection.getStatus()).to.equal(STATUS_ENDING);
      await peer.fin();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
    });

    it('closes after lingerTimeout when the peer sends no FIN', async () => {
      const { connection, peer, events } = await recorded();
      connection.lingerTimeout = 0.02;
      connection.end();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
      expect(peer.ended).to.equal(true);
    });

    it('waits for the FIN of the peer with a lingerTimeout beyond what timers can do', async () => {
      for (const method of ['end', 'close'] as const) {
        const { connection, peer, events } = await recorded();
        const before = lingeringCount();
        connection.lingerTimeout = Infinity;
        connection[method]();
        await until(() => peer.ended);
        await settle();
        if (method === 'end') expect(events).to.deep.equal([]);
        else expect(lingeringCount()).to.equal(before + 1);
        await peer.fin();
        await until(() => events.length > 0 && lingeringCount() === before);
      }
    });

    it('closes at once without a lingerTimeout', async () => {
      const { connection, peer, events } = await recorded();
      connection.lingerTimeout = 0;
      connection.end('bye');
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      expect(events).to.deep.equal(['close']);
      await until(() => peer.ended);
      expect(peer.text).to.equal('bye');
    });

    it('sends FIN behind everything that is queued', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.end('last');
      expect(connection.getStatus()).to.equal(STATUS_ENDING);
      peer.read();
      await until(() => peer.ended);
      expect(peer.length).to.equal(sent + 4);
      expect(events).to.deep.equal(['drain']);
    });

    it('flushes before it heeds a FIN of the peer', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.end('last');
      await peer.fin();
      await settle();
      peer.read();
      await until(() => peer.ended);
      expect(peer.length).to.equal(sent + 4);
      expect(events).to.deep.equal(['drain', 'close']);
    });

    it('forgets what has been received, also of a paused connection', async () => {
      const { connection, peer, events } = await recorded();
      connection.protocol = Text;
      connection.onMessage = () => void events.push('message');
      await peer.write('half');
      await until(() => connection.getRecvBufferQueueSize() === 4);
      connection.pauseRecv();
      connection.end();
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
      await peer.write('\n');
      await until(() => connection.bytesRead === 5);
      await peer.fin();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
    });

    it('closes without waiting when the peer has gone while the connection was paused', async () => {
      const { connection, peer, events } = await recorded();
      connection.lingerTimeout = 60;
      connection.pauseRecv();
      await peer.fin();
      await settle();
      connection.end('bye');
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
      await until(() => peer.ended);
      expect(peer.text).to.equal('bye');
    });

    it('is cut short by close() and destroy()', async () => {
      for (const act of ['close', 'destroy'] as const) {
        const { connection, events } = await recorded();
        connection.end();
        connection[act]();
        expect(connection.getStatus()).to.equal(STATUS_CLOSED);
        expect(events).to.deep.equal(['close']);
      }
    });

    it('is followed by close() in CLOSING while something is queued', async () => {
      const { connection, peer, events, sent } = await queued();
      connection.end();
      connection.close('not sent');
      expect(connection.getStatus()).to.equal(STATUS_CLOSING);
      peer.read();
      await until(() => peer.ended);
      expect(peer.length).to.equal(sent);
      expect(events).to.deep.equal(['drain', 'close']);
    });

    it('may be called twice', async () => {
      const { connection, peer } = await recorded();
      connection.end('a');
      connection.end('b');
      await until(() => peer.ended);
      expect(peer.text).to.equal('a');
    });
  });

  describe('the FIN of the peer', () => {
    it('closes at once', async () => {
      const { connection, peer, events } = await recorded();
      await peer.fin();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      await until(() => peer.ended);
    });

    it('lets a synchronous answer to the bytes before it arrive', async () => {
      const { connection, peer, events } = await recorded();
      connection.onMessage = (self: TcpConnection, data: Buffer) => void self.send(data);
      peer.socket.end('ping');
      await until(() => peer.ended);
      expect(peer.text).to.equal('ping');
      expect(events).to.deep.equal(['close']);
    });

    it('loses an answer that comes later', async () => {
      let answer: () => unknown = () => {};
      const { connection, peer, events } = await recorded();
      const answered = new Promise<boolean | null>((resolve) => {
        connection.onMessage = (self: TcpConnection) => {
          answer = () => resolve(self.send('late'));
        };
      });
      peer.socket.end('ping');
      await until(() => events.length > 0);
      answer();
      expect(await answered).to.equal(false);
      await until(() => peer.ended);
      expect(peer.text).to.equal('');
    });

    it('throws away what the operating system has not taken', async () => {
      const { connection, peer, events, sent } = await queued();
      await peer.fin();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
      expect(connection.getSendBufferQueueSize()).to.equal(0);
      peer.read();
      await until(() => peer.ended || peer.closed);
      expect(peer.length).to.be.below(sent);
    });
  });

  describe('destroy()', () => {
    it('closes at once and only once', async () => {
      const { connection, peer, events } = await recorded();
      connection.destroy();
      connection.destroy();
      expect(connection.getStatus()).to.equal(STATUS_CLOSED);
      expect(connection.getStatus(false)).to.equal('CLOSED');
      expect(connection.getSocket()).to.equal(null);
      expect(events).to.deep.equal(['close']);
      await until(() => peer.ended || peer.closed);
    });

    it('keeps the promise of the sends of this tick', async () => {
      const { connection, peer } = await recorded();
      expect(connection.send('sent')).to.equal(true);
      connection.destroy();
      await until(() => peer.ended);
      expect(peer.text).to.equal('sent');
      expect(connection.bytesWritten).to.equal(4);
    });

    it('empties the queues', async () => {
      const { connection, peer } = await queued();
      connection.protocol = Text;
      await peer.write('half a line');
      await until(() => connection.getRecvBufferQueueSize() > 0);
      connection.destroy();
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
      expect(connection.getSendBufferQueueSize()).to.equal(0);
      expect(connection.bufferIsEmpty()).to.equal(true);
    });

    it('takes the callbacks away and leaves both registries, but not before onClose has run', async () => {
      const table: Record<number, unknown> = {};
      const { connection } = await open();
      const worker = { name: 'w', connections: table };
      connection.worker = worker;
      connection.errorHandler = () => {};
      connection.onMessage = connection.onError = connection.onBufferFull = connection.onBufferDrain = () => {};
      let inside: unknown[] = [];
      connection.protocol = { decode: String, encode: String, onClose: () => void inside.push('protocol') };
      connection.onClose = (self: TcpConnection) => {
        inside = [self.worker, TcpConnection.connections[self.id], self.getStatus(), self.onMessage !== null];
      };
      connection.destroy();
      expect(inside).to.deep.equal([worker, connection, STATUS_CLOSED, true, 'protocol']);
      expect(TcpConnection.connections[connection.id]).to.equal(undefined);
      const { onMessage, onClose, onError, onBufferFull, onBufferDrain, errorHandler, eventLoop } = connection;
      expect([onMessage, onClose, onError, onBufferFull, onBufferDrain, errorHandler, eventLoop, connection.worker])
        .to.deep.equal(Array(8).fill(null));
    });

    it('hands exceptions of onClose and of the protocol to errorHandler', async () => {
      const { connection } = await open();
      const errors: unknown[] = [];
      connection.errorHandler = (error: unknown) => void errors.push((error as Error).message);
      connection.onClose = () => {
        throw new Error('one');
      };
      connection.protocol = { decode: String, encode: String, onClose: () => {
        throw new Error('two');
      } };
      connection.destroy();
      expect(errors).to.deep.equal(['one', 'two']);
      expect(TcpConnection.connections[connection.id]).to.equal(undefined);
    });

    it('hands the rejection of an async onClose to errorHandler, although that is gone by then', async () => {
      const { connection } = await open();
      const errors: unknown[] = [];
      connection.errorHandler = (error: unknown) => void errors.push((error as Error).message);
      connection.onClose = async () => {
        throw new Error('late');
      };
      connection.destroy();
      await until(() => errors.length + reports.failures.length > 0);
      expect(errors).to.deep.equal(['late']);
    });

    it('does not answer unread input softly', async () => {
      const { connection, peer } = await recorded();
      connection.pauseRecv();
      await peer.write('x'.repeat(300_000));
      await settle();
      connection.destroy();
      await until(() => peer.closed);
      expect(peer.error?.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
    });
  });

  it('never leaks a connection from the counters and registries, however it ends', async () => {
    const counts = countFromHere();
    const size = TcpConnection.connections.size;
    const ends: ((pair: Awaited<ReturnType<typeof open>>) => unknown)[] = [
      ({ connection }) => connection.close(),
      ({ connection }) => connection.close('x'),
      ({ connection }) => connection.destroy(),
      ({ connection }) => {
        connection.lingerTimeout = 0;
        connection.end('x');
      },
      ({ connection }) => {
        connection.lingerTimeout = 0.01;
        connection.end('x');
      },
      ({ peer }) => peer.fin(),
      ({ peer }) => peer.reset(),
      ({ connection }) => connection.getSocket()!.destroy(),
      ({ connection }) => connection.getSocket()!.destroy(new Error('odd')),
      ({ connection }) => {
        connection.onClose = (self: TcpConnection) => {
          self.close();
          self.destroy();
          self.id = 1;
        };
        connection.close();
      },
    ];
    for (const end of ends) {
      const pair = await open();
      expect(counts().connections).to.equal(1);
      expect(TcpConnection.connections.size).to.equal(size + 1);
      expect(pair.connection.getStatus()).to.equal(STATUS_ESTABLISHED);
      await end(pair);
      await until(() => pair.connection.getStatus() === STATUS_CLOSED);
      expect(counts().connections).to.equal(0);
      expect(TcpConnection.connections.size).to.equal(size);
    }
  });
});
