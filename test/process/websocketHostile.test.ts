import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { accepting, cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { closeBody, frame, openingRequest, OPCODES } from '../support/websocket.js';
import { FrameCollector } from '../autobahn/FrameCollector.js';

/**
 * Peers that mean harm, against a real worker process: it has to stay up, its memory within the limits that are set for
 * a connection, and other clients have to be served all the while.
 */

const app = fileURLToPath(new URL('../autobahn/apps/limitedServer.ts', import.meta.url));

const MIB = 1024 * 1024;
const { text, binary, ping, continuation } = OPCODES;

/** Resident memory of a process in MiB, now and at its peak. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]) / 1024;
  return { now: figure('VmRSS'), peak: figure('VmHWM') };
}

/** A peer that speaks bytes. */
class Attacker {
  readonly socket: Socket;
  readonly received = new FrameCollector();
  head = '';
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket
      .on('error', () => (this.ended = true))
      .on('end', () => (this.ended = true))
      .on('close', () => (this.ended = true));
    socket.on('data', (chunk) => {
      if (this.head.endsWith('\r\n\r\n')) return this.received.push(chunk);
      const all = this.head + chunk.toString('latin1');
      const end = all.indexOf('\r\n\r\n');
      this.head = end < 0 ? all : all.slice(0, end + 4);
      if (end >= 0) this.received.push(Buffer.from(all.slice(end + 4), 'latin1'));
    });
  }

  /** Resolves when the bytes have gone, or can not go any more. */
  write(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.ended) return resolve();
      this.socket.once('close', () => resolve()).write(bytes, () => resolve());
      this.socket.setMaxListeners(0);
    });
  }

  /** The code of the Close frame that has come, once the server has ended the connection. */
  async closeCode(): Promise<number> {
    await waitUntil(
      () => this.ended,
      () => 'the server to end the connection',
      30_000,
    );
    const last = this.received.frames.at(-1);
    return last?.opcode === OPCODES.close ? last.payload.readUInt16BE(0) : 0;
  }
}

describe('a WebSocket server among hostile peers', function () {
  this.timeout(90_000);
  let script: Script;
  let port: number;
  let worker: number;
  let base: number;
  let witness: WebSocket;
  let answered = 0;
  const attackers: Attacker[] = [];

  before(async () => {
    port = await freePort();
    script = await startScript({ script: app, env: { ECHO_PORT: String(port) } }).started();
    await accepting({ port });
    witness = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    witness.on('message', () => answered++);
    await new Promise((resolve, reject) => witness.once('open', resolve).once('error', reject));
    await isServed();
    // Only now: a connection is accepted by the kernel before there is a worker.
    [worker] = script.workers() as [number];
    base = memoryOf(worker).now;
  });
  afterEach(() => {
    for (const { socket } of attackers.splice(0)) socket.destroy();
  });
  after(cleanUpScripts);

  /** Somebody else gets answers meanwhile. */
  async function isServed(): Promise<void> {
    const before = answered;
    for (let i = 0; i < 3; i++) witness.send('still there?');
    await waitUntil(
      () => answered >= before + 3,
      () => `the answers for another client: ${script.describe()}`,
    );
  }

  async function open(headers: Record<string, string> = {}): Promise<Attacker> {
    const attacker = new Attacker(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    attackers.push(attacker);
    await attacker.write(openingRequest(headers));
    await waitUntil(
      () => attacker.head.startsWith('HTTP/1.1 101') && attacker.head.endsWith('\r\n\r\n'),
      () => 'the handshake',
    );
    return attacker;
  }

  /** Fails when the worker has taken more memory than is allowed for, at any time. */
  function stayedBelow(mib: number): void {
    const { now, peak } = memoryOf(worker);
    expect(
      Math.round(peak - base),
      `MiB more than at the start, at the peak (${Math.round(now - base)} now)`,
    ).to.be.below(mib);
  }

  it('stops compression bombs while it inflates them', async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => open({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })),
    );
    await Promise.all(
      all.map((one) =>
        one.write(frame({ opcode: binary, rsv: 4, payload: Buffer.concat(Array<Buffer>(12).fill(bomb)) })),
      ),
    );
    await isServed();
    for (const one of all) expect(await one.closeCode()).to.equal(1009);
    await isServed();
    stayedBelow(200);
  });

  it('reads a message of a million fragments', async () => {
    const one = frame({ opcode: continuation, payload: 'x', fin: false });
    const block = Buffer.concat(Array<Buffer>(10_000).fill(one));
    const all = await Promise.all([open(), open()]);
    await Promise.all(
      all.map(async (attacker) => {
        await attacker.write(frame({ opcode: text, fin: false }));
        for (let i = 0; i < 100; i++) await attacker.write(block);
        await attacker.write(frame({ opcode: continuation }));
      }),
    );
    await isServed();
    for (const attacker of all) {
      const [echo] = await waitUntil(
        () => attacker.received.frames.length > 0 && attacker.received.frames,
        () => 'the echo',
        30_000,
      );
      expect(echo!.payload.length).to.equal(1_000_000);
    }
    stayedBelow(200);
  });

  it('lets nobody have memory for frames that are only announced', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => open()));
    const header = frame({ opcode: binary, lengthBytes: 8, length: 9 * MIB });
    await Promise.all(all.map((one) => one.write(Buffer.concat([header, Buffer.alloc(1000)]))));
    await isServed();
    stayedBelow(200);
  });

  it('fails frames without a mask, and garbage, at once', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => open()));
    await Promise.all(
      all.map((one, i) =>
        one.write(i % 2 === 0 ? frame({ opcode: text, payload: 'x', mask: false }) : Buffer.alloc(50_000, 0xff)),
      ),
    );
    for (const one of all) expect(await one.closeCode()).to.equal(1002);
    await isServed();
  });

  it('is not kept from its work by half handshakes', async () => {
    const begun = openingRequest().slice(0, -3);
    const all = Array.from({ length: 500 }, () => new Attacker(connect({ port, host: '127.0.0.1' })));
    attackers.push(...all);
    await Promise.all(all.map((one, i) => one.write(begun.slice(0, i % begun.length))));
    await isServed();
    stayedBelow(200);
  });

  it('bounds what it queues for peers that send pings or messages and never read', async () => {
    const pings = Buffer.concat(Array<Buffer>(5000).fill(frame({ opcode: ping, payload: Buffer.alloc(125) })));
    const messages = Buffer.concat(Array<Buffer>(50).fill(frame({ opcode: binary, payload: Buffer.alloc(10_000) })));
    const all = await Promise.all(Array.from({ length: 10 }, () => open()));
    await Promise.all(
      all.map(async (one, i) => {
        one.socket.pause();
        for (let n = 0; n < 40; n++) await one.write(i % 2 === 0 ? pings : messages);
      }),
    );
    await isServed();
    stayedBelow(300);
  });

  it('answers a peer that closes and never reads, as soon as it does', async () => {
    const one = await open();
    one.socket.pause();
    await one.write(frame({ opcode: text, payload: 'x' }));
    await one.write(frame({ opcode: OPCODES.close, payload: closeBody(1000) }));
    await isServed();
    one.socket.resume();
    expect(await one.closeCode()).to.equal(1000);
  });

  it('has kept its process through all of it', async () => {
    witness.close();
    expect(script.log()).to.not.match(/exit with status/);
    expect(script.workers()).to.deep.equal([worker]);
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
