import { expect } from 'chai';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, open, until } from './peers.js';

describe('TcpConnection: a peer that sends packets without end', () => {
  catchReports();
  afterEach(closeAll);

  it('has one read per turn of the event loop, so that others have theirs', async () => {
    const packets = 131_072;
    let seen = 0;
    let most = 0;
    let inTurn = 0;
    const { peer, connection } = await open((c) => {
      c.protocol = Text;
      c.pauseRecv();
      c.onMessage = () => {
        seen++;
        if (inTurn++ === 0) setImmediate(() => (inTurn = 0));
        most = Math.max(most, inTurn);
      };
    });
    peer.socket.write('a\n'.repeat(packets));
    // All of it waits in the operating system.
    await until(() => peer.socket.writableLength === 0);
    connection.resumeRecv();
    await until(() => seen === packets);
    // A read takes 64 KiB; a packet here has two bytes.
    expect(most).to.be.at.most(32_769);
  });
});
