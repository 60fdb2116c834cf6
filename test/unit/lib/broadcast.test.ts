import { expect } from 'chai';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { WebSocket } from 'ws';
import '../../../protocols/builtIns.js';
import { encodeShared } from '../../../protocols/websocket/encodeFrame.js';
import { Worker } from '../../../lib/Worker.js';

describe('one message for many WebSockets', () => {
  const clients: WebSocket[] = [];
  let worker: Worker;

  async function serve(count: number): Promise<string[][]> {
    await worker.listen();
    const { port } = (worker.getMainSocket() as Server).address() as AddressInfo;
    const heard: string[][] = [];
    for (let i = 0; i < count; i++) {
      const own: string[] = [];
      heard.push(own);
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      clients.push(client);
      client.on('message', (data: Buffer, isBinary) => own.push(`${isBinary ? 'binary' : 'text'} ${data.toString()}`));
      await once(client, 'open');
    }
    return heard;
  }

  beforeEach(() => {
    worker = new Worker('websocket://127.0.0.1:0');
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.terminate();
    void worker.stop();
  });

  it('is encoded once by broadcast and in a plain loop, whatever it is', async () => {
    const heard = await serve(5);
    let asked = 0;
    const data = { toJSON: () => `asked ${++asked} time` };
    worker.broadcast(data);
    worker.broadcast('text');
    worker.broadcast(Buffer.from('bytes'));
    for (const connection of worker.connections) (connection as { send(data: string): void }).send('loop');
    for (const own of heard) while (own.length < 4) await once(clients[heard.indexOf(own)] as WebSocket, 'message');
    for (const own of heard) expect(own).to.deep.equal(['text "asked 1 time"', 'text text', 'binary bytes', 'text loop']);
    expect(asked).to.equal(1);
  });

  it('shares the frame of the same text and type, and of no other', () => {
    const frame = encodeShared(0x81, 'a');
    expect(encodeShared(0x81, 'a')).to.equal(frame);
    expect(encodeShared(0x82, 'a')).not.to.equal(frame);
    expect(encodeShared(0x81, 'b').toString('latin1')).to.equal('\x81\x01b');
    const long = 'x'.repeat(70_000);
    expect(encodeShared(0x81, long)).not.to.equal(encodeShared(0x81, long));
  });

  it('shares the frame of the same bytes only while they are what they were', () => {
    const bytes = Buffer.from('bytes');
    const frame = encodeShared(0x82, bytes);
    expect(encodeShared(0x82, bytes)).to.equal(frame);
    bytes[0] = 0x42;
    const changed = encodeShared(0x82, bytes);
    expect(changed).not.to.equal(frame);
    expect(changed.toString('latin1')).to.equal('\x82\x05Bytes');
    expect(frame.toString('latin1')).to.equal('\x82\x05bytes');
  });

  it('pings with worker.heartbeat: a peer that answers stays, one that does not is gone', async () => {
    worker.heartbeat = { interval: 0.02, timeout: 1 };
    const heard = await serve(2);
    expect(heard).to.have.length(2);
    const [living, dead] = clients as [WebSocket, WebSocket];
    let pings = 0;
    living.on('ping', () => { pings++; });
    // It reads, so that TCP sees nothing wrong, and never answers.
    dead.pong = () => {};
    await once(dead, 'close');
    expect(pings).to.be.above(5);
    expect(living.readyState).to.equal(WebSocket.OPEN);
  });
});
