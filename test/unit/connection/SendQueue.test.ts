import type { Socket } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import type { WireListener } from '../../../connection/wire/Wire.js';
import { SocketWire } from '../../../connection/wire/SocketWire.js';
import { flushAll, flushWithTurn } from '../../../connection/flush.js';
import { SendQueue, type ByteSource, type SendQueueOwner } from '../../../connection/SendQueue.js';

/** A socket whose operating system takes as many bytes as the test allows. */
class FakeSocket {
  readonly taken: Buffer[] = [];
  writes = 0;
  /** Bytes that the system still takes at once. */
  room = Infinity;
  #waiting: { bytes: Buffer; done: () => void }[] = [];
  #corked: { bytes: Buffer; done: () => void }[] | null = null;

  get writableLength(): number {
    return [...this.#waiting, ...(this.#corked ?? [])].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get text(): string {
    return Buffer.concat(this.taken).toString();
  }

  write(bytes: string | Uint8Array, ...rest: unknown[]): boolean {
    const entry = { bytes: Buffer.from(bytes as string), done: rest.at(-1) as () => void };
    if (this.#corked !== null) this.#corked.push(entry);
    else this.#offer([entry]);
    return true;
  }

  cork(): void {
    this.#corked = [];
  }

  uncork(): void {
    const entries = this.#corked ?? [];
    this.#corked = null;
    this.#offer(entries);
  }

  /** The system takes `count` more bytes of what waits. */
  take(count: number): void {
    this.room = count;
    const waiting = this.#waiting.splice(0);
    this.#offer(waiting, false);
  }

  #offer(entries: { bytes: Buffer; done: () => void }[], isWrite = true): void {
    if (isWrite) this.writes++;
    const finished: (() => void)[] = [];
    for (const entry of entries) {
      const count = Math.min(entry.bytes.length, this.room);
      if (this.#waiting.length > 0 && entry.bytes.length > 0) {
        this.#waiting.push(entry);
        continue;
      }
      this.taken.push(entry.bytes.subarray(0, count));
      this.room -= count;
      if (count < entry.bytes.length) this.#waiting.push({ bytes: entry.bytes.subarray(count), done: entry.done });
      else finished.push(entry.done);
    }
    // As Node: callbacks never run inside the write.
    for (const done of finished) this.#callbacks.push(done);
  }

  readonly #callbacks: (() => void)[] = [];

  on(): this {
    return this;
  }

  runCallbacks(): void {
    for (let done = this.#callbacks.shift(); done !== undefined; done = this.#callbacks.shift()) done();
  }
}

const nobody: WireListener = {
  _onData() {},
  _onShared() {},
  _onEnd() {},
  _onSocketError() {},
  _onSocketClose() {},
};

function attach(queue: SendQueue, socket: FakeSocket): void {
  const wire = new SocketWire(socket as unknown as Socket);
  queue.attach(wire);
  wire.open(nobody, queue);
}

class Owner implements SendQueueOwner {
  lagging = 0;
  drained = 0;
  failures: unknown[] = [];
  _lagging(): void {
    this.lagging++;
  }
  _drained(): void {
    this.drained++;
  }
  _sourceFailed(error: unknown): void {
    this.failures.push(error);
  }
}

function make(room = Infinity): { queue: SendQueue; socket: FakeSocket; owner: Owner } {
  const socket = new FakeSocket();
  socket.room = room;
  const owner = new Owner();
  const queue = new SendQueue(owner, null);
  attach(queue, socket);
  return { queue, socket, owner };
}

/** Gives its pieces one after the other; `null` stands for "not now", woken by the test. */
class Pieces implements ByteSource {
  readonly #pieces: (string | null | Error)[];
  wake: () => void = () => {};
  cancelled = 0;
  constructor(pieces: (string | null | Error)[]) {
    this.#pieces = [...pieces];
  }
  read(wake: () => void): Uint8Array | null | undefined {
    const piece = this.#pieces.shift();
    this.wake = wake;
    if (piece instanceof Error) throw piece;
    return typeof piece === 'string' ? Buffer.from(piece) : piece;
  }
  cancel(): void {
    this.cancelled++;
  }
}

describe('SendQueue', () => {
  it('writes what one tick collects in one write, at its end', async () => {
    const { queue, socket, owner } = make();
    queue.add('one ');
    queue.add(Buffer.from('two '));
    queue.add('three');
    expect(socket.writes).to.equal(0);
    expect(queue.idle).to.be.true;
    expect(queue.empty).to.be.false;
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(socket.text).to.equal('one two three');
    expect(socket.writes).to.equal(1);
    expect(queue.empty).to.be.true;
    expect([owner.lagging, owner.drained]).to.deep.equal([0, 0]);
  });

  it('flushes every queue of the process with flushAll()', () => {
    const one = make();
    const other = make();
    one.queue.add('one');
    other.queue.add('other');
    flushAll();
    expect([one.socket.text, other.socket.text]).to.deep.equal(['one', 'other']);
  });

  it('writes at once when many bytes come together', () => {
    const { queue, socket } = make();
    queue.add(Buffer.alloc(65_537));
    expect(socket.writes).to.equal(1);
    expect(queue.size).to.equal(0);
  });

  it('does not write a thing for empty bytes', () => {
    const { queue, socket, owner } = make();
    queue.add('');
    queue.add(new Uint8Array(0));
    queue.flush();
    flushAll();
    expect(socket.writes).to.equal(0);
    expect(queue.empty).to.be.true;
    expect(owner.drained).to.equal(0);
  });

  it('waits with scheduling while it is corked', async () => {
    const { queue, socket } = make();
    queue.cork();
    queue.add('a');
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(socket.writes).to.equal(0);
    queue.add('b');
    queue.uncork();
    flushAll();
    expect(socket.text).to.equal('ab');
    expect(socket.writes).to.equal(1);
  });

  it('leaves what was sent while it was corked to the end of the turn, once, also when more is sent meanwhile', async () => {
    const { queue, socket } = make();
    // After a turn with few answers, this one would not be waited for.
    for (let i = 0; i < 40; i++) flushWithTurn({ flush: () => {} });
    await new Promise<void>((resolve) => setImmediate(resolve));
    queue.cork();
    queue.add('a');
    queue.uncork();
    queue.cork();
    queue.add('b');
    queue.uncork();
    expect(socket.writes).to.equal(0);
    flushAll();
    expect(socket.text).to.equal('ab');
    expect(socket.writes).to.equal(1);
  });

  it('says once when bytes are left behind and once when they have gone', () => {
    const { queue, socket, owner } = make(2);
    queue.add('abc');
    queue.flush();
    expect(owner.lagging).to.equal(1);
    expect(queue.idle).to.be.false;
    expect(queue.size).to.equal(1);
    queue.add('def');
    queue.flush();
    expect(queue.size).to.equal(4);
    socket.take(1);
    socket.runCallbacks();
    expect(owner.drained).to.equal(0);
    expect(queue.size).to.equal(3);
    socket.take(9);
    socket.runCallbacks();
    expect(socket.text).to.equal('abcdef');
    expect([owner.lagging, owner.drained]).to.deep.equal([1, 1]);
    expect(queue.empty).to.be.true;
    expect(queue.idle).to.be.true;
  });

  it('counts bytes, not characters', () => {
    const { queue } = make(0);
    queue.add('äöü€');
    expect(queue.size).to.equal(9);
    queue.flush();
    expect(queue.size).to.equal(9);
    expect(queue.written).to.equal(0);
  });

  it('counts the bytes that the system has taken', () => {
    const { queue, socket } = make(4);
    queue.add('abcdef');
    queue.flush();
    expect(queue.written).to.equal(0 + 6 - queue.size);
    socket.take(10);
    socket.runCallbacks();
    expect(queue.written).to.equal(6);
  });

  it('asks a source only when there is room, and keeps its place in the order', () => {
    const { queue, socket, owner } = make();
    const source = new Pieces(['B', null, 'C']);
    queue.add('A');
    queue.addSource(source);
    queue.add('D');
    flushAll();
    expect(socket.text).to.equal('AB');
    expect(queue.idle).to.be.false;
    expect(queue.size).to.equal(1);
    source.wake();
    expect(socket.text).to.equal('ABCD');
    expect(source.cancelled).to.equal(1);
    expect(queue.empty).to.be.true;
    expect(owner.drained).to.equal(1);
  });

  it('does not ask a source while a write is in flight', () => {
    const { queue, socket } = make(1);
    let asked = 0;
    queue.add('xyz');
    queue.addSource({ read: () => (asked++ === 0 ? Buffer.from('s') : undefined), cancel: () => {} });
    flushAll();
    expect(asked).to.equal(0);
    socket.take(100);
    socket.runCallbacks();
    expect(socket.text).to.equal('xyzs');
    expect(asked).to.equal(2);
  });

  it('reports a source that throws', () => {
    const { queue, owner } = make();
    const failure = new Error('no more file');
    queue.addSource(new Pieces([failure]));
    flushAll();
    expect(owner.failures).to.deep.equal([failure]);
  });

  it('cancels every source that it forgets', () => {
    const { queue, socket } = make();
    const sources = [new Pieces([null]), new Pieces(['x'])];
    for (const source of sources) queue.addSource(source);
    flushAll();
    queue.detach();
    expect(sources.map((source) => source.cancelled)).to.deep.equal([1, 1]);
    sources[0]!.wake();
    expect(socket.writes).to.equal(0);
    expect([queue.size, queue.empty, queue.idle]).to.deep.equal([0, true, true]);
  });

  it('keeps what was sent before there is a socket, in order', () => {
    const owner = new Owner();
    const queue = new SendQueue(owner, null);
    queue.add('one');
    flushAll();
    queue.add(' two');
    expect(queue.size).to.equal(7);
    const socket = new FakeSocket();
    attach(queue, socket);
    queue.flush();
    expect(socket.text).to.equal('one two');
    expect(owner.drained).to.equal(1);
    expect(queue.written).to.equal(7);
  });

  type Step =
    | { kind: 'text'; text: string }
    | { kind: 'bytes'; bytes: Uint8Array }
    | { kind: 'source'; pieces: (string | null)[] }
    | { kind: 'flush' }
    | { kind: 'take'; count: number }
    | { kind: 'wake' };

  const steps = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((text): Step => ({ kind: 'text', text })),
      fc.uint8Array({ maxLength: 12 }).map((bytes): Step => ({ kind: 'bytes', bytes })),
      fc.array(fc.option(fc.string({ minLength: 1, maxLength: 5 }), { nil: null }), { maxLength: 4 })
        .map((pieces): Step => ({ kind: 'source', pieces })),
      fc.constant<Step>({ kind: 'flush' }),
      fc.nat(20).map((count): Step => ({ kind: 'take', count })),
      fc.constant<Step>({ kind: 'wake' }),
    ),
    { maxLength: 50 },
  );

  it('keeps the order and the count of the bytes, whatever the system takes when', () => {
    fc.assert(
      fc.property(steps, fc.nat(30), (list, room) => {
        const { queue, socket } = make(room);
        const sources: Pieces[] = [];
        const wanted: Buffer[] = [];
        for (const s of list) {
          if (s.kind === 'text') {
            queue.add(s.text);
            wanted.push(Buffer.from(s.text));
          } else if (s.kind === 'bytes') {
            queue.add(s.bytes);
            wanted.push(Buffer.from(s.bytes));
          } else if (s.kind === 'source') {
            const source = new Pieces(s.pieces);
            sources.push(source);
            queue.addSource(source);
            wanted.push(Buffer.from(s.pieces.join('')));
          } else if (s.kind === 'flush') flushAll();
          else if (s.kind === 'take') {
            socket.take(s.count);
            socket.runCallbacks();
          } else for (const source of sources) source.wake();
          const order = Buffer.concat(wanted);
          const out = Buffer.concat(socket.taken);
          expect(out.equals(order.subarray(0, out.length))).to.be.true;
          if (queue.size > 0 && socket.writableLength > 0) expect(queue.empty).to.be.false;
          expect(queue.written).to.equal(out.length);
        }
        for (let i = 0; i < 200 && !queue.empty; i++) {
          flushAll();
          for (const source of sources) source.wake();
          socket.take(Infinity);
          socket.runCallbacks();
        }
        expect(queue.empty).to.be.true;
        expect(queue.size).to.equal(0);
        expect(Buffer.concat(socket.taken).equals(Buffer.concat(wanted))).to.be.true;
        expect(queue.written).to.equal(Buffer.concat(wanted).length);
        for (const source of sources) expect(source.cancelled).to.equal(1);
      }),
      { numRuns: 400 },
    );
  });
});
