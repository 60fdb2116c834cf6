import { expect } from 'chai';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, open, until } from './peers.js';

describe('TcpConnection: a peer that sends packets without end', () => {
  catchReports();
  afterEach(closeAll);

  // A read takes 64 KiB: of packets of 2 bytes more than a share, of those of 300 bytes less.
  for (const [size, share] of [[2, 32_769], [300, 2 * 219 + 1]] as const) {
    it(`has its share of a turn of the event loop, so that others have theirs: packets of ${size} bytes`, async () => {
      const packets = Math.floor(262_144 / size);
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
      peer.socket.write(`${'a'.repeat(size - 1)}\n`.repeat(packets));
      // All of it waits in the operating system.
      await until(() => peer.socket.writableLength === 0);
      connection.resumeRecv();
      await until(() => seen === packets);
      expect(most).to.be.at.most(share);
    });
  }
});
