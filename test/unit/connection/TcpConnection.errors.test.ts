import { expect } from 'chai';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { unfinishedCount } from '../../../connection/unfinished.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, until } from './peers.js';
import { reader } from './reader.js';

/** The members of Text, to make another protocol of. */
const pick = ({ input, decode, encode }: typeof Text): Pick<typeof Text, 'input' | 'decode' | 'encode'> =>
  ({ input, decode, encode });

describe('TcpConnection: errors', () => {
  const reports = catchReports();
  afterEach(closeAll);

  describe('an error package', () => {
    const wrong: [string, unknown][] = [
      ['a negative length', -1],
      ['false', false],
      ['NaN', NaN],
      ['a fraction', 1.5],
      ['infinity', Infinity],
      ['a text', '3'],
      ['nothing', undefined],
      ['null', null],
      ['a promise', Promise.resolve(1)],
      ['more than maxPackageSize', 101],
    ];
    for (const [name, length] of wrong) {
      it(`is ${name}: printed, then destroyed without an answer or onError`, async () => {
        class Odd {
          static input = () => length as number;
          static decode = String;
          static encode = String;
        }
        const { connection, peer, messages } = await reader(Odd);
        connection.maxPackageSize = 100;
        await peer.write('abc');
        await until(() => messages.length > 0);
        expect(messages).to.deep.equal(['(close)']);
        expect(reports.lines).to.deep.equal([`Protocol Odd Error package. package_length=${String(length)}`]);
        expect(reports.failures).to.deep.equal([]);
        await until(() => peer.ended || peer.closed);
        expect(peer.text).to.equal('');
      });
    }

    it('is not a packet of exactly maxPackageSize', async () => {
      const { connection, peer, messages } = await reader({ input: () => 100, decode: String, encode: String });
      connection.maxPackageSize = 100;
      await peer.write('x'.repeat(100));
      await until(() => messages.length === 1);
      expect(messages).to.deep.equal(['x'.repeat(100)]);
    });

    it('is made of an exception in input, which is printed and reaches nobody else', async () => {
      class Throws {
        static input = (): number => {
          throw new Error('bad bytes');
        };
        static decode = String;
        static encode = String;
      }
      const { connection, peer, messages } = await reader(Throws);
      connection.errorHandler = () => void messages.push('(errorHandler)');
      await peer.write('x');
      await until(() => messages.length > 0);
      expect(messages).to.deep.equal(['(close)']);
      expect(reports.lines[0]).to.match(/^Error: bad bytes\n {4}at /);
      expect(reports.lines[1]).to.equal('Protocol Throws Error package. package_length=-1');
      expect(reports.failures).to.deep.equal([]);
    });

    it('is made of whatever input returns or throws, also of what has no text', async () => {
      const nameless: unknown = Object.create(null);
      for (const input of [() => nameless as number, () => { throw nameless; }]) {
        const { peer, messages } = await reader({ name: 'Odd', input, decode: String, encode: String });
        await peer.write('x');
        await until(() => messages.length > 0);
        expect(messages).to.deep.equal(['(close)']);
      }
      expect(reports.lines).to.deep.equal([
        'Protocol Odd Error package. package_length=object',
        'object',
        'Protocol Odd Error package. package_length=-1',
      ]);
    });

    it('is made of endless waiting: 0 with more than maxPackageSize bytes buffered', async () => {
      class Waits {
        static input = () => 0;
        static decode = String;
        static encode = String;
      }
      const { connection, peer, messages } = await reader(Waits);
      connection.maxPackageSize = 100;
      await peer.write('x'.repeat(100));
      await until(() => connection.bytesRead === 100);
      expect(connection.getStatus()).to.equal(TcpConnection.STATUS_ESTABLISHED);
      await peer.write('x');
      await until(() => messages.length > 0);
      expect(messages).to.deep.equal(['(close)']);
      expect(reports.lines).to.have.length(1);
      expect(reports.lines[0]).to.match(/^Protocol Waits Error package\. package_length=/);
    });

    it('leaves a connection alone that input has dealt with itself', async () => {
      const { peer, messages } = await reader({
        input: (_b: Buffer, self: TcpConnection) => (self.close('sorry', true), -1),
        decode: String,
        encode: String,
      });
      await peer.write('x');
      await until(() => messages.length > 0);
      expect(messages).to.deep.equal(['(close)']);
      expect(reports.lines).to.deep.equal([]);
      expect(await peer.gets(5)).to.equal('sorry');
    });
  });

  describe('exceptions', () => {
    const failure = new Error('of the user');

    it('of decode and onMessage go to errorHandler alone, and the next packet is handed out', async () => {
      const { connection, peer, messages } = await reader(
        {
          input: Text.input,
          encode: Text.encode,
          decode: (b: Buffer) => {
            if (String(b) === 'decode\n') throw failure;
            return Text.decode(b);
          },
        },
        (_c, message) => {
          if (message === 'message') throw failure;
        },
      );
      const errors: unknown[][] = [];
      connection.errorHandler = (...args: unknown[]) => void errors.push(args);
      await peer.write('decode\nmessage\nfine\n');
      await until(() => messages.includes('fine'));
      expect(errors).to.deep.equal([[failure], [failure]]);
      expect(messages).to.deep.equal(['message', 'fine']);
      expect(reports.failures).to.deep.equal([]);
    });

    it('go to the process without an errorHandler, or when that throws or rejects', async () => {
      const { connection, peer } = await reader(Text, () => {
        throw failure;
      });
      const second = new Error('of the handler');
      await peer.write('a\n');
      await until(() => reports.failures.length === 1);
      connection.errorHandler = () => {
        throw second;
      };
      await peer.write('b\n');
      await until(() => reports.failures.length === 2);
      connection.errorHandler = () => Promise.reject(second);
      await peer.write('c\n');
      await until(() => reports.failures.length === 3);
      expect(reports.failures).to.deep.equal([failure, second, second]);
    });

    it('of an async handler count too, also when it rejects with nothing', async () => {
      const { connection, peer } = await reader(Text, async (_c, message) => {
        throw message === 'a' ? failure : undefined;
      });
      await peer.write('a\nb\n');
      await until(() => reports.failures.length === 2);
      expect(reports.failures).to.deep.equal([failure, undefined]);
      const errors: unknown[] = [];
      connection.errorHandler = (error: unknown) => void errors.push(error);
      await peer.write('a\n');
      await until(() => errors.length === 1);
      expect(errors).to.deep.equal([failure]);
    });

    it('of something with a then count once, also when it settles twice or then itself throws', async () => {
      const odd: Record<string, PromiseLike<void>> = {
        throws: { then: () => { throw failure; } },
        both: { then: (fulfil, reject) => (fulfil?.(), fulfil?.(), reject?.(failure)) as never },
      };
      const unfinished = unfinishedCount();
      for (const sequential of [false, true]) {
        const { connection, peer, messages } = await reader(
          { ...pick(Text), sequential }, (_c, message) => odd[message],
        );
        const errors: unknown[] = [];
        connection.errorHandler = (error: unknown) => void errors.push(error);
        await peer.write('throws\nboth\nlast\n');
        await until(() => messages.length === 3 && !connection._busy);
        expect(errors).to.deep.equal([failure]);
        expect(unfinishedCount()).to.equal(unfinished);
      }
    });

    it('of a handler that fails after the connection has closed still go to its errorHandler', async () => {
      let fail: () => void = () => {};
      const { connection, peer, messages } = await reader(
        Text,
        () => new Promise((_resolve, reject) => (fail = () => reject(failure))),
      );
      const errors: unknown[] = [];
      connection.errorHandler = (error: unknown) => void errors.push(error);
      await peer.write('a\n');
      await until(() => messages.length === 1);
      connection.destroy();
      fail();
      await until(() => errors.length + reports.failures.length > 0);
      expect(errors).to.deep.equal([failure]);
      expect(reports.failures).to.deep.equal([]);
    });

    it('is a TypeError when decode returns a promise', async () => {
      const { peer, messages } = await reader({
        input: Text.input,
        encode: Text.encode,
        decode: () => Promise.reject(failure),
      });
      await peer.write('a\n');
      await until(() => reports.failures.length === 1);
      expect(reports.failures[0]).to.be.instanceOf(TypeError);
      expect(messages).to.deep.equal([]);
    });
  });
});
