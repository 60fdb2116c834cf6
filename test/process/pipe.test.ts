import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';

const TOTAL = 1 << 30;
const BURST = 8 << 20;
const PAUSE_MS = 4;
const LIMIT = 200 * 1024;

/** The stream: byte number i is i modulo 251, which lines up with no buffer size. */
const CYCLE = 251;
const pattern = Buffer.from(Array.from({ length: (2 << 20) + CYCLE }, (_, i) => i % CYCLE));
const streamAt = (offset: number, length: number): Buffer =>
  pattern.subarray(offset % CYCLE, (offset % CYCLE) + length);

async function client(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** Writes the whole stream as fast as it is taken, then FIN. */
function produce(socket: Socket): void {
  let sent = 0;
  const piece = 1 << 20;
  const write = (): void => {
    while (sent < TOTAL) {
      const bytes = streamAt(sent, Math.min(piece, TOTAL - sent));
      sent += bytes.length;
      if (!socket.write(bytes)) return void socket.once('drain', write);
    }
    socket.end();
  };
  write();
}

/** Reads in bursts with pauses between them, until FIN. @returns how many bytes came, and whether they were right */
function consume(socket: Socket): Promise<{ length: number; isRight: boolean }> {
  let length = 0;
  let pauseAt = BURST;
  let isRight = true;
  socket.on('data', (chunk) => {
    isRight &&= chunk.equals(streamAt(length, chunk.length));
    length += chunk.length;
    if (length < pauseAt) return;
    pauseAt += BURST;
    socket.pause();
    setTimeout(() => socket.resume(), PAUSE_MS);
  });
  return new Promise((resolve, reject) => {
    socket.once('end', () => resolve({ length, isRight }));
    socket.once('error', reject);
  });
}

/** The most memory, in KiB, that a process ever had in use. */
const peakMemory = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** What the relay has counted. */
interface Told {
  full: number;
  drained: number;
  most: number;
  dropped: number;
}

async function tell(port: number): Promise<Told> {
  const socket = await client(port);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return JSON.parse(text) as Told;
}

describe('a relay made of pipe()', function () {
  this.timeout(60_000);
  afterEach(cleanUpScripts);

  async function relay(): Promise<{ script: Script; port: number; pid: number }> {
    const port = await freePort();
    const script = startScript({
      script: fileURLToPath(new URL('fixtures/relay.ts', import.meta.url)),
      env: { RELAY_PORT: String(port) },
    });
    await script.started();
    const [pid] = await waitUntil(
      () => {
        const workers = script.workers();
        return workers.length === 1 && workers;
      },
      () => script.describe(),
    );
    return { script, port, pid: pid! };
  }

  it('moves a gigabyte to a slow reader in little memory', async () => {
    const { script, port, pid } = await relay();
    const source = await client(port);
    const dest = await client(port);
    produce(source);
    const { length, isRight } = await consume(dest);
    expect(length).to.equal(TOTAL);
    expect(isRight).to.equal(true);
    const { full, drained, most, dropped } = await tell(port);
    expect(dropped).to.equal(0);
    // The reader is the bottleneck: its pauses fill every buffer on the way.
    expect(full).to.be.greaterThan(20);
    expect(drained).to.be.at.least(full);
    // The limit of 1 MiB, and what one read brings.
    expect(most).to.be.within(1 << 20, (1 << 20) + (1 << 17));
    expect(peakMemory(pid), 'KiB').to.be.below(LIMIT);
    expect(script.workers()).to.deep.equal([pid]);
    await script.stop();
  });
});
