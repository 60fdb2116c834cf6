import { expect } from 'chai';
import { ConnectionInterface } from '../../../connection/ConnectionInterface.js';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { unfinishedCount } from '../../../connection/unfinished.js';
import { UdpConnection } from '../../../connection/UdpConnection.js';
import { Text } from '../../../protocols/Text.js';
import { FakeSocket } from './fakeSocket.js';
import { catchReports } from './peers.js';

describe('what all connections have in common', () => {
  const reports = catchReports();
  const made: TcpConnection[] = [];

  const connection = (): TcpConnection => {
    const one = new TcpConnection(null, new FakeSocket().asSocket, '192.0.2.1:1234');
    made.push(one);
    return one;
  };

  afterEach(() => {
    for (const one of made.splice(0)) one.destroy();
  });

  it('has no protocol before it is given one, and that of its class where that has one', () => {
    class Mine extends TcpConnection {
      override protocol = Text;
    }
    const mine = new Mine(null, new FakeSocket().asSocket, '192.0.2.1:1234');
    made.push(mine);
    expect(mine.protocol).to.equal(Text);
    expect(new UdpConnection(null, { address: '192.0.2.1', port: 1 }).protocol).to.equal(null);
    expect(connection().protocol).to.equal(null);
  });

  describe('error', () => {
    const failure = new Error('of user code');

    it('tells the process, when nobody else wants to know', () => {
      const one: ConnectionInterface = new UdpConnection(null, { address: '192.0.2.1', port: 1 });
      one.error(failure);
      connection().error(failure);
      expect(reports.failures).to.deep.equal([failure, failure]);
    });

    it('tells errorHandler instead, and that alone', () => {
      const one = connection();
      const told: unknown[][] = [];
      one.errorHandler = (...args: unknown[]) => told.push(args);
      one.error(failure);
      expect(told).to.deep.equal([[failure]]);
      expect(reports.failures).to.deep.equal([]);
    });

    it('tells the process what errorHandler itself throws or is rejected with', async () => {
      const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
      const one = connection();
      one.errorHandler = () => {
        throw thrown;
      };
      one.error(failure);
      one.errorHandler = () => Promise.reject(rejected);
      one.error(failure);
      await Promise.resolve();
      expect(reports.failures).to.deep.equal([thrown, rejected]);
    });

    it('counts as unfinished what errorHandler promises, so that a stop waits for it', async () => {
      const one = connection();
      const unfinished = unfinishedCount();
      for (const end of [Promise.resolve(), Promise.reject(failure)]) {
        one.errorHandler = () => end;
        one.error(new Error('first'));
        expect(unfinishedCount()).to.equal(unfinished + 1);
        await Promise.resolve();
        expect(unfinishedCount()).to.equal(unfinished);
      }
      expect(reports.failures).to.deep.equal([failure]);
    });

    it('does not count, as in Workerman', () => {
      connection().error(failure);
      expect(ConnectionInterface.statistics.throw_exception).to.equal(0);
    });
  });

  it('are shown by JSON.stringify in the order of Workerman', () => {
    const tcp = connection();
    const shown = { ...tcp.jsonSerialize() };
    expect(Object.keys(tcp.toJSON())).to.deep.equal([
      'id', 'status', 'transport', 'getRemoteIp', 'remotePort', 'getRemoteAddress', 'getLocalIp', 'getLocalPort',
      'getLocalAddress', 'isIpV4', 'isIpV6',
    ]);
    expect(tcp.toJSON()).to.deep.equal(shown);
    expect(JSON.parse(JSON.stringify({ tcp }))).to.deep.equal({ tcp: shown });
    const udp = new UdpConnection(null, { address: '2001:db8::1', port: 53 });
    expect(Object.keys(udp.toJSON())).to.deep.equal(Object.keys(shown).slice(2));
  });
});
