import { expect } from 'chai';
import type { ByteSource } from '../../../connection/SendQueue.js';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Text } from '../../../protocols/Text.js';
import { catchReports, closeAll, open, type Peer, settle, until } from './peers.js';

/** As Text, but its packets are handled one after the other. */
const sequential = { ...pick(Text), sequential: true as const };

function pick(protocol: typeof Text): Pick<typeof Text, 'input' | 'decode' | 'encode'> {
  return {
    input: (buffer, connection) => protocol.input(buffer, connection),
    decode: (buffer) => protocol.decode(buffer),
    encode: (data) => protocol.encode(data),
  };
}

/** Gives its bytes when it is told to. */
class Tap implements ByteSource {
  #wake: (() => void) | null = null;
  #open = false;
  read(wake: () => void): Uint8Array | null | undefined {
    if (this.#open) return undefined;
    this.#wake = wake;
    return null;
  }
  cancel(): void {}
  open(): void {
    this.#open = true;
    this.#wake?.();
  }
}

describe('TcpConnection: packets behind answers that are not taken', () => {
  catchReports();
  afterEach(closeAll);

  async function connect(
    protocol: TcpConnection['protocol'], onMessage: (connection: TcpConnection, line: string) => unknown, prepare = (_c: TcpConnection): void => {},
  ): Promise<{ peer: Peer; connection: TcpConnection; seen: string[] }> {
    const seen: string[] = [];
    const { peer, connection } = await open((c) => {
      c.protocol = protocol;
      c.onMessage = (self: TcpConnection, line: string) => {
        seen.push(line);
        return onMessage(self, line);
      };
      prepare(c);
    });
    return { peer, connection, seen };
  }

  const BIG = 'x'.repeat(500_000);

  it('wait, and none of their answers is dropped', async () => {
    const { peer, connection, seen } = await connect(sequential, (c) => c.send(BIG));
    peer.socket.pause();
    await peer.write('a\n'.repeat(100));
    let before = -1;
    while (seen.length !== before) {
      before = seen.length;
      await settle();
    }
    expect(seen.length).to.be.within(2, 50);
    expect(connection.getSendBufferQueueSize()).to.be.below(connection.maxSendBufferSize + BIG.length + 10);
    peer.socket.resume();
    await until(() => peer.length === 100 * (BIG.length + 1));
    expect(seen.length).to.equal(100);
  });

  it('wait behind a source', async () => {
    const taps: Tap[] = [];
    const { peer, seen } = await connect(sequential, (c) => {
      const tap = new Tap();
      taps.push(tap);
      c._pushSource(tap);
    });
    await peer.write('a\nb\nc\n');
    for (const wanted of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await until(() => taps.length === wanted.length);
      await settle();
      expect(seen).to.deep.equal(wanted);
      taps.at(-1)!.open();
    }
  });

  for (const limit of [0, 10]) {
    it(`do not wait when the operating system takes the answers, with a limit of ${limit} bytes`, async () => {
      const { peer, seen } = await connect(sequential, (c, line) => c.send(line.repeat(100)), (c) => (c.maxSendBufferSize = limit));
      await peer.write('a\n'.repeat(1000));
      await until(() => peer.length === 1000 * 101);
      expect(seen.length).to.equal(1000);
    });
  }

  it('make the client wait in turn, when they are many', async () => {
    const { peer, connection } = await connect(sequential, (c) => c.send(BIG), (c) => (c.maxPackageSize = 10_000));
    peer.socket.pause();
    void peer.write('a\n'.repeat(20_000_000)).catch(() => {});
    let before = -1;
    while (connection.bytesRead !== before) {
      before = connection.bytesRead;
      await settle();
    }
    expect(connection.getRecvBufferQueueSize()).to.be.below(10_000 + 100_000);
    connection.destroy();
  });

  it('wait with protocols alone whose packets are handled one after the other', async () => {
    const { peer, seen } = await connect(Text, (c) => c._pushSource(new Tap()));
    await peer.write('a\nb\nc\n');
    await until(() => seen.length === 3);
  });

  it('are reported to the protocol while they wait, and when they do no more', async () => {
    const reported: number[] = [];
    const tap = new Tap();
    const { peer } = await connect({ ...sequential, onBuffered: (_c: unknown, bytes: number) => reported.push(bytes) }, (c, line) => {
      if (line === 'a') c._pushSource(tap);
    });
    await peer.write('whole\n');
    await peer.write('a\nb\nc');
    await until(() => reported.length === 1);
    tap.open();
    await until(() => reported.length === 2);
    await peer.write('\n');
    await until(() => reported.length === 3);
    expect(reported).to.deep.equal([3, 1, 0]);
  });
});
