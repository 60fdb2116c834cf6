import { expect } from 'chai';
import { flushAll } from '../../../connection/flush.js';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, countFromHere, fill, open, settle, until } from './peers.js';

const MEGABYTE = Buffer.alloc(1 << 20);

/** Writes down, in order, what a connection calls. */
function record(connection: TcpConnection): string[] {
  const events: string[] = [];
  connection.onBufferFull = () => void events.push('full');
  connection.onBufferDrain = () => void events.push('drain');
  connection.onError = (_c: TcpConnection, code: number, text: string) => void events.push(`error ${code} ${text}`);
  connection.onClose = () => void events.push('close');
  return events;
}

describe('TcpConnection: sending', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  describe('send()', () => {
    it('returns true when the operating system takes everything', async () => {
      const { connection, peer } = await open();
      const events = record(connection);
      expect(connection.send('hello')).to.equal(true);
      expect(connection.send(Buffer.from(' world'))).to.equal(true);
      expect(await peer.gets(11)).to.equal('hello world');
      expect(connection.send(MEGABYTE.subarray(0, 100_000))).to.equal(true);
      expect(events).to.deep.equal([]);
      expect(connection.bytesWritten).to.equal(100_011);
    });

    it('counts nothing as queued that it has returned true for', async () => {
      const { connection } = await open();
      expect(connection.send('hello')).to.equal(true);
      expect(connection.getSendBufferQueueSize()).to.equal(0);
      expect(connection.bufferIsEmpty()).to.equal(true);
    });

    it('writes nothing and returns true for an empty string on an idle connection', async () => {
      const { connection, peer } = await open();
      expect(connection.send('', true)).to.equal(true);
      expect(connection.send(null)).to.equal(true);
      await settle();
      expect(peer.length).to.equal(0);
      expect(connection.bytesWritten).to.equal(0);
    });

    it('accepts one send of any size below the limit, calls onBufferFull for it, drops the next with onError', async () => {
      const { connection, peer } = await open(undefined, { reads: false });
      const fails = countFromHere();
      connection.maxSendBufferSize = 1000;
      const events = record(connection);
      const results: (boolean | null)[] = [];
      let accepted = 0;
      for (let drops = 0; drops < 3;) {
        const result = connection.send(MEGABYTE);
        results.push(result);
        if (result === false) drops++;
        else accepted += MEGABYTE.length;
      }
      const firstNull = results.indexOf(null);
      const firstFalse = results.indexOf(false);
      expect(firstNull).to.be.greaterThan(-1);
      expect(results.slice(0, firstNull)).to.deep.equal(Array(firstNull).fill(true));
      // Rarely fewer than 1000 bytes are left over; then one more is taken.
      expect(firstFalse - firstNull).to.be.within(1, 2);
      expect(results.slice(firstFalse)).to.deep.equal([false, false, false]);
      const dropped = 'error 2 send buffer full and drop package';
      expect(events).to.deep.equal(['full', dropped, dropped, dropped]);
      expect(fails().sendFails).to.equal(3);
      expect(connection.getSendBufferQueueSize()).to.be.at.least(1000);
      expect(connection.getSendBufferQueueSize() + connection.bytesWritten).to.equal(accepted);
      expect(connection.bufferIsEmpty()).to.equal(false);

      peer.read();
      await until(() => peer.length === accepted && connection.bufferIsEmpty());
      expect(events.slice(4)).to.deep.equal(['drain']);
      expect(connection.bytesWritten).to.equal(accepted);
      expect(connection.send('again')).to.equal(true);
      await peer.gets(accepted + 5);
      expect(events.slice(4)).to.deep.equal(['drain']);
    });

    it('queues small sends behind what waits, and calls onBufferFull when they reach the limit', async () => {
      const { connection, peer } = await open(undefined, { reads: false });
      connection.maxSendBufferSize = Infinity;
      const sent = fill(connection);
      const events = record(connection);
      connection.maxSendBufferSize = connection.getSendBufferQueueSize() + 5;
      expect(connection.send('1234')).to.equal(null);
      expect(events).to.deep.equal([]);
      expect(connection.send('5')).to.equal(null);
      expect(events).to.deep.equal(['full']);
      expect(connection.send('6')).to.equal(false);
      connection.maxSendBufferSize++;
      expect(connection.send('7')).to.equal(null);
      expect(connection.send('')).to.equal(false);
      peer.read();
      await peer.gets(sent + 6);
      expect(peer.text.slice(sent)).to.equal('123457');
    });

    it('sends what the protocol makes of the data, and the data itself when raw', async () => {
      const { connection, peer } = await open((c) => (c.protocol = Text));
      expect(connection.send('a')).to.equal(true);
      expect(connection.send('b', true)).to.equal(true);
      expect(await peer.gets(3)).to.equal('a\nb');
    });

    it('returns null when the protocol has nothing to write now', async () => {
      const { connection, peer } = await open((c) => {
        c.protocol = {
          decode: String,
          encode: (data: unknown, self: TcpConnection) => (self.send(`<${String(data)}>`, true), ''),
        };
      });
      expect(connection.send('a')).to.equal(null);
      expect(await peer.gets(3)).to.equal('<a>');
    });

    it('hands an exception of encode to errorHandler and returns false', async () => {
      const failure = new Error('can not');
      const { connection, peer } = await open((c) => {
        c.protocol = {
          decode: String,
          encode: () => {
            throw failure;
          },
        };
      });
      const errors: unknown[][] = [];
      connection.errorHandler = (...args: unknown[]) => void errors.push(args);
      expect(connection.send('a')).to.equal(false);
      expect(errors).to.deep.equal([[failure]]);
      expect(connection.send('b', true)).to.equal(true);
      expect(await peer.gets(1)).to.equal('b');
    });

    it('refuses a promise that encode returns with a TypeError', async () => {
      const { connection } = await open((c) => {
        c.protocol = { decode: String, encode: () => Promise.resolve('x') as unknown as string };
      });
      const errors: unknown[] = [];
      connection.errorHandler = (error: unknown) => void errors.push(error);
      expect(connection.send('a')).to.equal(false);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.be.instanceOf(TypeError);
    });

    it('writes scalars as PHP does and refuses other values with a TypeError', async () => {
      const { connection, peer } = await open();
      for (const value of [1, 1.5, true, false, null, undefined, 10n]) expect(connection.send(value)).to.equal(true);
      for (const value of [{}, [], () => {}, new Date(), Symbol('s')]) {
        expect(() => connection.send(value))
          .to.throw(TypeError)
          .with.property('code', 'WM_BAD_DATA');
      }
      expect(await peer.gets(7)).to.equal('11.5110');
    });

    it('sends text as UTF-8 and counts its bytes', async () => {
      const { connection, peer } = await open();
      connection.send('äö€');
      expect(Buffer.from(await peer.gets(7), 'latin1').toString()).to.equal('äö€');
      expect(connection.bytesWritten).to.equal(7);
    });

    it('puts the sends of one tick into one write', async () => {
      const { connection, peer } = await open();
      let writes = 0;
      const socket = connection.getSocket()!;
      const handle = (socket as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> })._handle;
      for (const method of ['writeUtf8String', 'writeBuffer', 'writev', 'writeLatin1String']) {
        const original = handle[method]!;
        handle[method] = (...args) => (writes++, original.apply(handle, args));
      }
      for (let i = 0; i < 10; i++) connection.send(i % 2 === 0 ? `${i}` : Buffer.from(`${i}`));
      expect(await peer.gets(10)).to.equal('0123456789');
      expect(writes).to.equal(1);
    });

    it('has sent what a handler sent, and those before it in its turn, when the process ends in that handler', async () => {
      const written: number[] = [];
      const { connection, peer } = await open((c) => {
        c.protocol = Text;
        c.onMessage = (self: TcpConnection, data: string) => {
          self.send(data);
          if (data !== 'b') return;
          // What the process does on its way out.
          written.push(self.bytesWritten);
          flushAll();
          written.push(self.bytesWritten);
        };
      });
      await peer.write('a\nb\n');
      expect(await peer.gets(4)).to.equal('a\nb\n');
      expect(written).to.deep.equal([0, 4]);
      expect(connection.bytesWritten).to.equal(4);
    });

    it('returns false without counting or calling anything once the connection closes', async () => {
      const { connection } = await open(undefined, { reads: false });
      connection.maxSendBufferSize = Infinity;
      fill(connection);
      const events = record(connection);
      const counts = countFromHere();
      connection.end();
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ENDING);
      expect(connection.send('x')).to.equal(false);
      connection.close();
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSING);
      expect(connection.send('x')).to.equal(false);
      expect(events).to.deep.equal([]);
      connection.destroy();
      expect(connection.send('x')).to.equal(false);
      expect(connection.send({})).to.equal(false);
      expect(events).to.deep.equal(['close']);
      expect(counts().sendFails).to.equal(0);
    });
  });

  describe('onBufferFull and onBufferDrain', () => {
    it('may send, close and destroy', async () => {
      for (const act of ['close', 'destroy'] as const) {
        const { connection } = await open(undefined, { reads: false });
        connection.maxSendBufferSize = 1;
        const events = record(connection);
        connection.onBufferFull = (self: TcpConnection) => {
          events.push('full');
          self[act]();
        };
        let result: boolean | null = true;
        while (result === true) result = connection.send(MEGABYTE);
        expect(result).to.equal(null);
        expect(events).to.deep.equal(act === 'destroy' ? ['full', 'close'] : ['full']);
        expect(connection.send('x')).to.equal(false);
      }
    });

    it('start over after every drain', async () => {
      const { connection, peer } = await open(undefined, { reads: false });
      connection.maxSendBufferSize = 1;
      const events = record(connection);
      let sent = fill(connection);
      peer.read();
      await until(() => events.length === 2);
      peer.socket.pause();
      sent += fill(connection);
      peer.socket.resume();
      await until(() => events.length === 4);
      expect(events).to.deep.equal(['full', 'drain', 'full', 'drain']);
      await peer.gets(sent);
    });

    it('hear of what a whole tick has sent only when something is left over', async () => {
      const { connection, peer } = await open();
      connection.maxSendBufferSize = 10;
      const events = record(connection);
      for (let i = 0; i < 50; i++) expect(connection.send('0123456789')).to.equal(true);
      await peer.gets(500);
      expect(events).to.deep.equal([]);
    });
  });

  describe('to a peer that has reset the connection', () => {
    /** A connection that does not know yet: it has not read, and writing will fail. */
    async function gone(): Promise<{ connection: TcpConnection; events: string[] }> {
      const { connection, peer } = await open();
      const events = record(connection);
      connection.pauseRecv();
      await peer.reset();
      await settle();
      expect(events).to.deep.equal([]);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
      return { connection, events };
    }
    const lost = ['error 2 client closed', 'close'];

    it('send() of many bytes returns false, counts, and calls onError and onClose', async () => {
      const { connection, events } = await gone();
      const counts = countFromHere();
      expect(connection.send(MEGABYTE)).to.equal(false);
      expect(events).to.deep.equal(lost);
      expect(counts().sendFails).to.equal(1);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSED);
    });

    it('send() of few bytes ends the same way, at the end of the tick at the latest', async () => {
      const { connection, events } = await gone();
      const counts = countFromHere();
      connection.send('x');
      await until(() => events.length > 0);
      expect(events).to.deep.equal(lost);
      expect(counts().sendFails).to.equal(1);
    });

    for (const method of ['close', 'end', 'destroy'] as const) {
      it(`${method}() behind a send counts the failure and calls onError before onClose`, async () => {
        const { connection, events } = await gone();
        const counts = countFromHere();
        connection.send('x');
        connection[method]();
        await until(() => events.includes('close'));
        if (method !== 'end') expect(connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSED);
        expect(events).to.deep.equal(lost);
        expect(counts().sendFails).to.equal(1);
      });
    }

    for (const method of ['send', 'close', 'end'] as const) {
      it(`${method}() with more data inside that onError is not reported once more`, async () => {
        for (const data of ['x', MEGABYTE]) {
          const { connection, events } = await gone();
          const counts = countFromHere();
          connection.onError = (self: TcpConnection, code: number) => {
            events.push(`error ${code}`);
            self[method](data);
          };
          connection.send('x');
          await until(() => events.includes('close'));
          expect(events).to.deep.equal(['error 2', 'close']);
          expect(connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSED);
          expect(counts().sendFails).to.equal(1);
        }
      });
    }

    it('close(data) has done all that when it returns', async () => {
      const { connection, events } = await gone();
      const counts = countFromHere();
      connection.close('x');
      expect(events).to.deep.equal(lost);
      expect(counts().sendFails).to.equal(1);
    });

    it('a reset found on read only closes', async () => {
      const { connection, peer } = await open();
      const events = record(connection);
      const counts = countFromHere();
      await peer.reset();
      await until(() => events.length > 0);
      expect(events).to.deep.equal(['close']);
      expect(counts().sendFails).to.equal(0);
    });

    it('a reset while bytes are queued closes once', async () => {
      const { connection, peer } = await open(undefined, { reads: false });
      connection.maxSendBufferSize = Infinity;
      fill(connection);
      const events = record(connection);
      await peer.reset();
      await until(() => events.includes('close'));
      expect(events.filter((event) => event === 'close')).to.have.length(1);
      expect(events.every((event) => lost.includes(event))).to.be.true;
    });
  });
});
