import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Frame } from '../../../protocols/Frame.js';
import type { ProtocolInterface } from '../../../protocols/ProtocolInterface.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, countFromHere, open, settle, until } from './peers.js';
import { reader } from './reader.js';

describe('TcpConnection: receiving', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports).to.deep.equal({ failures: [], lines: [] }));

  describe('without a protocol', () => {
    it('hands out what has arrived as a Buffer, counting bytes and reads', async () => {
      const seen: unknown[] = [];
      const counts = countFromHere();
      const { connection, peer } = await open(
        (c) => (c.onMessage = (_c: unknown, data: Buffer) => void seen.push(data)),
      );
      await peer.write('one');
      await until(() => seen.length === 1);
      await peer.write('two!');
      await until(() => seen.length === 2);
      expect(seen.map(String)).to.deep.equal(['one', 'two!']);
      expect(seen.every(Buffer.isBuffer)).to.be.true;
      expect(connection.bytesRead).to.equal(7);
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
      expect(counts().requests).to.equal(2);
    });

    it('keeps everything while paused and hands it out as one, inside resumeRecv()', async () => {
      const { connection, peer, messages } = await reader(null);
      connection.pauseRecv();
      await peer.write('one');
      await settle();
      await peer.write('two');
      await settle();
      expect(messages).to.deep.equal([]);
      connection.resumeRecv();
      await until(() => messages.join('').length === 6);
      expect(messages.join('')).to.equal('onetwo');
    });

    it('goes on without onMessage', async () => {
      const { connection, peer } = await open();
      await peer.write('lost');
      await until(() => connection.bytesRead === 4);
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
    });
  });

  describe('with a protocol', () => {
    it('hands out all packets of one read in one turn, in order', async () => {
      const turns: number[] = [];
      let turn = 0;
      const { peer, messages } = await reader(Text, () => {
        turns.push(turn);
        setImmediate(() => turn++);
      });
      const counts = countFromHere();
      await peer.write('a\nb\nc\nrest');
      await until(() => messages.length === 3);
      expect(messages).to.deep.equal(['a', 'b', 'c']);
      expect(turns).to.deep.equal([0, 0, 0]);
      expect(counts().requests).to.equal(3);
    });

    it('does not ask input again once it has given a length', async () => {
      let asked = 0;
      const { peer, messages } = await reader({
        input: () => (asked++, 5),
        decode: String,
        encode: String,
      });
      for (const byte of 'hello') {
        await peer.write(byte);
        await settle();
      }
      await until(() => messages.length === 1);
      expect(messages).to.deep.equal(['hello']);
      expect(asked).to.equal(1);
    });

    it('asks input again, with more bytes, after 0', async () => {
      const sizes: number[] = [];
      const { connection, peer, messages } = await reader({
        input: (buffer: Buffer) => (sizes.push(buffer.length), buffer.length < 3 ? 0 : 3),
        decode: String,
        encode: String,
      });
      for (const [i, byte] of [...'abc'].entries()) {
        await peer.write(byte);
        await until(() => connection.bytesRead === i + 1);
      }
      expect(messages).to.deep.equal(['abc']);
      expect(sizes).to.deep.equal([1, 2, 3]);
    });

    it('drops what consumeRecvBuffer() says before the packet is cut', async () => {
      const { connection, peer, messages } = await reader({
        input: (buffer: Buffer, self: TcpConnection) => {
          const blanks = buffer.length - buffer.toString('latin1').trimStart().length;
          self.consumeRecvBuffer(blanks);
          self.consumeRecvBuffer(-1);
          self.consumeRecvBuffer(0);
          return buffer.length > blanks ? 1 : 0;
        },
        decode: String,
        encode: String,
      });
      await peer.write('  a b   ');
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['a', 'b']);
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
    });

    it('survives a protocol that consumes more than there is', async () => {
      const { connection, peer, messages } = await reader({
        input: (_buffer: Buffer, self: TcpConnection) => (self.consumeRecvBuffer(1000), 2),
        decode: String,
        encode: String,
      });
      await peer.write('xx');
      await until(() => connection.bytesRead === 2);
      expect(messages).to.deep.equal([]);
      await peer.write('ab');
      await until(() => messages.length > 0);
      expect(messages).to.deep.equal(['ab']);
    });

    it('decodes and drops packets while onMessage is null', async () => {
      const { connection, peer, messages } = await reader(Text);
      const { onMessage } = connection;
      connection.onMessage = null;
      const counts = countFromHere();
      await peer.write('a\nb\n');
      await until(() => counts().requests === 2);
      connection.onMessage = onMessage;
      await peer.write('c\n');
      await until(() => messages.length === 1);
      expect(messages).to.deep.equal(['c']);
    });

    it('gives what is still buffered to a protocol that is set meanwhile', async () => {
      const { connection, peer, messages } = await reader(Text, (self) => (self.protocol = Frame));
      await peer.write(Buffer.concat([Buffer.from('line\n'), Buffer.from(Frame.encode('body'))]));
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['line', 'body']);
      connection.protocol = null;
      await peer.write('raw');
      await until(() => messages.length === 3);
      expect(messages[2]).to.equal('raw');
    });

    it('is decoded by the protocol that input has changed to', async () => {
      const Second = { input: Text.input, decode: (b: Buffer): string => `second ${b.toString().trim()}`, encode: String };
      const { peer, messages } = await reader({
        input: (b: Buffer, self: TcpConnection) => ((self.protocol = Second), Text.input(b, self)),
        decode: () => 'first',
        encode: String,
      });
      await peer.write('a\nb\n');
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['second a', 'second b']);
    });

    for (const [how, end] of [
      ['close()', (c: TcpConnection) => c.close()],
      ['end()', (c: TcpConnection) => c.end()],
      ['destroy()', (c: TcpConnection) => c.destroy()],
    ] as const) {
      it(`shows no bytes any more after ${how} between packets that were known at sight`, async () => {
        const shown: number[] = [];
        // A character is a packet, and known at sight.
        const letters: ProtocolInterface = {
          input: () => 1,
          decode: String,
          encode: String,
          recognise: (memory, from, _to, c) => ((c._recognised = 1), String.fromCharCode(memory[from]!)),
        };
        const { peer, messages } = await reader(letters, (self) => {
          shown.push(self.getRecvBufferQueueSize());
          end(self);
          shown.push(self.getRecvBufferQueueSize());
        });
        await peer.write('abc');
        await until(() => shown.length > 0);
        expect(shown).to.deep.equal([2, 0]);
        expect(messages.filter((message) => message !== '(close)')).to.deep.equal(['a']);
      });
    }

    it('shows a protocol that asks for it only what is new of a long packet, as long as that is enough', async () => {
      const asked: string[] = [];
      let known = 0;
      const lines: ProtocolInterface = {
        input: (bytes: Buffer) => {
          asked.push(`all ${bytes}`);
          known = bytes.length;
          return bytes.indexOf(';') + 1;
        },
        inputRest: (rest: Buffer, seen: number) => {
          asked.push(`${rest} behind ${seen}`);
          if (rest.includes('?') || seen !== known) return undefined;
          known += rest.length;
          const at = rest.indexOf(';');
          return at < 0 ? 0 : seen + at + 1;
        },
        decode: String,
        encode: String,
      };
      const messages: string[] = [];
      const { peer } = await open((c) => {
        c.protocol = lines;
        c.onMessage = (_c: unknown, message: string) => messages.push(message);
      });
      for (const [piece, calls] of [['a', 1], ['b', 2], ['c;d', 4], ['?', 6], [';', 7], ['e;', 8]] as const) {
        await peer.write(piece);
        await until(() => asked.length === calls);
      }
      expect(asked).to.deep.equal([
        'all a', 'b behind 1', 'c;d behind 2', 'all d', '? behind 1', 'all d?', '; behind 2', 'all e;',
      ]);
      await until(() => messages.length === 3);
      expect(messages).to.deep.equal(['abc;', 'd?;', 'e;']);
    });

    it('shows everything to a protocol that the connection was given to in the middle of a packet', async () => {
      const asked: string[] = [];
      const second: ProtocolInterface = {
        input: (bytes: Buffer) => {
          asked.push(`all ${bytes}`);
          return bytes.indexOf(';') + 1;
        },
        inputRest: (rest: Buffer, seen: number) => {
          asked.push(`${rest} behind ${seen}`);
          return undefined;
        },
        decode: String,
        encode: String,
      };
      const messages: string[] = [];
      const { peer } = await open((c) => {
        c.protocol = {
          input: (_bytes: Buffer, connection: { protocol: unknown }) => {
            connection.protocol = second;
            asked.push('first');
            return 0;
          },
          decode: String,
          encode: String,
        };
        c.onMessage = (_c: unknown, message: string) => messages.push(message);
      });
      await peer.write('a;b');
      await until(() => asked.length === 1);
      await peer.write('c;');
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['a;', 'bc;']);
      expect(asked).to.deep.equal(['first', 'all a;bc;', 'all bc;']);
    });

    it('knows no length of a packet any more whose beginning was handed out raw', async () => {
      const lines: ProtocolInterface = { input: (bytes: Buffer) => bytes.indexOf(';') + 1, decode: String, encode: String };
      const messages: string[] = [];
      const { peer, connection } = await open((c) => {
        c.protocol = { ...lines, input: () => 8 };
        c.onMessage = (_c: unknown, message: unknown) => messages.push(String(message));
      });
      await peer.write('ab');
      await until(() => connection.getRecvBufferQueueSize() === 2);
      connection.protocol = null;
      await peer.write('cd');
      await until(() => messages.length === 1);
      connection.protocol = lines;
      await peer.write('e;');
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['abcd', 'e;']);
    });

    it('keeps a packet of any size whose length is known, in linear time', async () => {
      const size = 10 * 1024 * 1024;
      let asked = 0;
      let length = 0;
      const { copy } = Buffer.prototype;
      const { concat } = Buffer;
      let copied = 0;
      const { connection, peer } = await open((c) => {
        c.maxPackageSize = size;
        c.protocol = {
          ...Frame,
          input: (b: Buffer) => (asked++, Frame.input(b)),
          decode: Frame.decode,
          encode: Frame.encode,
        };
        c.onMessage = (_c: unknown, data: Buffer) => (length = data.length);
      });
      const packet = Buffer.alloc(size, 'x');
      packet.writeUInt32BE(size);
      Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
        const count = copy.apply(this, args);
        copied += count;
        return count;
      };
      Buffer.concat = (list, total) => {
        const joined = concat(list, total);
        copied += joined.length;
        return joined;
      };
      try {
        for (let at = 0; at < size; at += 16_384) await peer.write(packet.subarray(at, at + 16_384));
        await until(() => length > 0);
      } finally {
        Buffer.prototype.copy = copy;
        Buffer.concat = concat;
      }
      expect(length).to.equal(size - 4);
      expect(asked).to.equal(1);
      // Once out of the memory that all reads share; the first quarter again, when the rest can be counted on.
      expect(copied).to.be.at.most(1.25 * size);
      expect(connection.getRecvBufferQueueSize()).to.equal(0);
    });
  });

  describe('pauseRecv() and resumeRecv()', () => {
    it('stop in the middle of a batch and go on without waiting for new bytes', async () => {
      const { connection, peer, messages } = await reader(Text, (self, message) => {
        if (message === 'b') self.pauseRecv();
      });
      await peer.write('a\nb\nc\nd\nrest');
      await until(() => messages.length === 2);
      expect(connection.getRecvBufferQueueSize()).to.equal(8);
      await settle();
      expect(messages).to.deep.equal(['a', 'b']);
      connection.resumeRecv();
      expect(messages).to.deep.equal(['a', 'b', 'c', 'd']);
      expect(connection.getRecvBufferQueueSize()).to.equal(4);
    });

    it('within one callback keep the order and do not recurse', async () => {
      let depth = 0;
      const depths: number[] = [];
      const { peer, messages } = await reader(Text, (self) => {
        depths.push(++depth);
        self.pauseRecv();
        self.resumeRecv();
        depth--;
      });
      await peer.write('a\nb\nc\n');
      await until(() => messages.length === 3);
      expect(messages).to.deep.equal(['a', 'b', 'c']);
      expect(depths).to.deep.equal([1, 1, 1]);
    });

    it('do nothing when repeated', async () => {
      const { connection, peer, messages } = await reader(Text);
      connection.resumeRecv();
      connection.pauseRecv();
      connection.pauseRecv();
      connection.resumeRecv();
      connection.resumeRecv();
      await peer.write('a\n');
      await until(() => messages.length === 1);
    });

    it('let a FIN wait: what came before it is delivered at the resume, then the connection closes', async () => {
      const { connection, peer, messages } = await reader(null);
      connection.pauseRecv();
      await peer.write('last words');
      await peer.fin();
      await settle();
      expect(messages).to.deep.equal([]);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
      expect(connection.send('still here')).to.equal(true);
      await peer.gets(10);
      connection.resumeRecv();
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
      await until(() => messages.length === 2);
      expect(messages).to.deep.equal(['last words', '(close)']);
    });

    it('let a FIN without data wait', async () => {
      const { connection, peer, messages } = await reader(Text);
      connection.pauseRecv();
      await peer.fin();
      await settle();
      expect(messages).to.deep.equal([]);
      connection.resumeRecv();
      expect(messages).to.deep.equal([]);
      await until(() => messages.length === 1);
      expect(messages).to.deep.equal(['(close)']);
    });

    it('let packets of before the pause go first when the peer has gone meanwhile', async () => {
      const { connection, peer, messages } = await reader(Text, (self, message) => {
        if (message === 'a') self.pauseRecv();
      });
      await peer.write('a\nb\nc\n');
      await peer.fin();
      await until(() => messages.length === 1);
      await settle();
      expect(messages).to.deep.equal(['a']);
      connection.resumeRecv();
      expect(messages).to.deep.equal(['a', 'b', 'c']);
      await until(() => messages.length === 4);
      expect(messages[3]).to.equal('(close)');
    });

    it('let a reset wait too', async () => {
      const { connection, peer, messages } = await reader(Text);
      connection.pauseRecv();
      await peer.reset();
      await settle();
      expect(messages).to.deep.equal([]);
      connection.resumeRecv();
      connection.pauseRecv();
      await settle();
      expect(messages).to.deep.equal([]);
      connection.resumeRecv();
      await until(() => messages.length === 1);
      expect(messages).to.deep.equal(['(close)']);
    });

    it('do nothing on a connection that closes or is closed', async () => {
      const { connection, peer, messages } = await reader(Text);
      connection.destroy();
      connection.pauseRecv();
      connection.resumeRecv();
      expect(messages).to.deep.equal(['(close)']);
      await until(() => peer.ended || peer.closed);
    });
  });

  describe('a callback that ends the connection in the middle of a batch', () => {
    for (const act of ['close', 'destroy', 'end'] as const) {
      it(`${act}() drops the packets behind`, async () => {
        const { connection, peer, messages } = await reader(Text, (self, message) => {
          if (message === 'b') self[act]();
        });
        await peer.write('a\nb\nc\nd\n');
        await until(() => messages.includes('b'));
        await settle();
        expect(messages.filter((message) => message !== '(close)')).to.deep.equal(['a', 'b']);
        expect(connection.getRecvBufferQueueSize()).to.equal(0);
      });
    }

    it('end() throws later input away, whatever onMessage is set to', async () => {
      const { connection, peer, messages } = await reader(Text, (self) => {
        self.end('bye');
        self.onMessage = () => void messages.push('(never)');
      });
      await peer.write('a\nb\n');
      await until(() => peer.ended);
      const before = connection.bytesRead;
      await peer.write('c\n');
      await until(() => connection.bytesRead > before);
      expect(messages).to.deep.equal(['a']);
      expect(peer.text).to.equal('bye\n');
    });
  });
});
