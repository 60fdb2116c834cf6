import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Response } from '../../../../protocols/http/Response.js';
import { BigFile, SlowReader } from '../../../support/slowReaders.js';
import { catchReports, until } from '../../connection/peers.js';
import { make, portOf, withWorkers } from '../../lib/madeWorkers.js';
import { closedIn, openFilesIn } from './openFiles.js';

/** Memory that is held, garbage of this and of other tests not counted. */
function held(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

const CLIENTS = 100;
const SIZE = 50 << 20;

describe('many clients that read a large file slowly', function () {
  this.timeout(60_000);
  catchReports();
  withWorkers();
  let file: BigFile;
  before(() => (file = new BigFile(SIZE)));
  after(() => file.remove());

  it('hold no more than their send buffers, and no file when they are gone', async () => {
    const worker = make('http://127.0.0.1:0');
    worker.onMessage = (connection: TcpConnection) => connection.send(new Response().withFile(file.path));
    await worker.listen();
    const before = held();
    const readers = Array.from({ length: CLIENTS }, () => new SlowReader(portOf(worker), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'));
    const connections = (): TcpConnection[] => Object.values(worker.connections as Record<string, TcpConnection>);
    await until(() => connections().length === CLIENTS && connections().every((c) => c._sendProgress !== null));
    expect(openFilesIn(file.folder)).to.have.length(CLIENTS);
    for (let round = 0; round < 20; round++) {
      for (const reader of readers) reader.take(1000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const connection of connections()) expect(connection.getSendBufferQueueSize()).to.be.below(connection.maxSendBufferSize);
    }
    // One piece of each file on its way, and what Node has read ahead for each client of this process.
    expect(held() - before).to.be.below(CLIENTS * 512 * 1024);
    for (const [i, { socket }] of readers.entries()) {
      if (i % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await until(() => connections().length === 0);
    await closedIn(file.folder);
  });

  it('get no second file before they have taken the first, however they cut their requests', async () => {
    const worker = make('http://127.0.0.1:0');
    let asked = 0;
    worker.onMessage = (connection: TcpConnection) => {
      asked++;
      connection.send(new Response().withFile(file.path));
    };
    await worker.listen();
    const question = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
    const reader = new SlowReader(portOf(worker), question);
    const connections = (): TcpConnection[] => Object.values(worker.connections as Record<string, TcpConnection>);
    await until(() => connections().length === 1);
    const connection = connections()[0]!;
    for (let i = 1; i < 10; i++) {
      await until(() => connection.bytesRead === i * question.length);
      reader.socket.write(question);
    }
    await until(() => connection.bytesRead === 10 * question.length);
    expect(asked).to.equal(1);
    expect(openFilesIn(file.folder)).to.have.length(1);
    reader.socket.destroy();
    await closedIn(file.folder);
  });
});
