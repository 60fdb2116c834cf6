import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { beforeInput, beginHandling, endHandling, flushAll, flushSoon, flushWithTurn } from '../../../connection/flush.js';

/** Notes when it is flushed. */
class Queue {
  flushes = 0;
  readonly #order: Queue[] | undefined;

  constructor(order?: Queue[]) {
    this.#order = order;
  }

  flush(): void {
    this.flushes++;
    this.#order?.push(this);
  }
}

const many = (count: number, order?: Queue[]): Queue[] => Array.from({ length: count }, () => new Queue(order));

const flushesOf = (queues: readonly Queue[]): number[] => queues.map(({ flushes }) => flushes);

/** Past the answers that are written at once because turns before had few. */
async function startWaiting(): Promise<void> {
  for (const queue of many(40)) flushWithTurn(queue);
  await turn();
}

describe('flush', () => {
  beforeEach(startWaiting);
  afterEach(flushAll);

  it('writes what is sent at the end of the tick', async () => {
    const queues = many(3);
    for (const queue of queues) flushSoon(queue);
    expect(flushesOf(queues)).to.deep.equal([0, 0, 0]);
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(flushesOf(queues)).to.deep.equal([1, 1, 1]);
  });

  it('writes answers at the end of the turn, in their order', async () => {
    const order: Queue[] = [];
    const queues = many(10, order);
    for (const queue of queues) flushWithTurn(queue);
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(order).to.be.empty;
    await turn();
    expect(order).to.deep.equal(queues);
  });

  it('does not let answers wait for input of another millisecond', () => {
    const queues = many(5);
    beforeInput(1000);
    for (const queue of queues) flushWithTurn(queue);
    beforeInput(1000);
    expect(flushesOf(queues)).to.deep.equal([0, 0, 0, 0, 0]);
    beforeInput(1001);
    expect(flushesOf(queues)).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('writes answers at once after a turn that had few, and tries again later', async () => {
    for (const queue of many(3)) flushWithTurn(queue);
    await turn();
    const next = many(33);
    for (const queue of next) flushWithTurn(queue);
    expect(flushesOf(next.slice(0, 32))).to.deep.equal(Array<number>(32).fill(1));
    expect(next[32]!.flushes).to.equal(0);
    await turn();
    expect(next[32]!.flushes).to.equal(1);
  });

  it('writes answers at once while handlers take longer than a millisecond, and tries again later', () => {
    const slow = new Queue();
    beforeInput(1000);
    flushWithTurn(slow);
    beforeInput(1002);
    expect(slow.flushes).to.equal(1);
    const next = many(33);
    for (const queue of next) flushWithTurn(queue);
    expect(flushesOf(next)).to.deep.equal([...Array<number>(32).fill(1), 0]);
  });

  it('does not take what is left of a long turn for a turn with few answers', async () => {
    beforeInput(1000);
    for (const queue of many(20)) flushWithTurn(queue);
    beforeInput(1001);
    flushWithTurn(new Queue());
    await turn();
    const next = new Queue();
    flushWithTurn(next);
    expect(next.flushes).to.equal(0);
  });

  it('goes on waiting after a turn that had many', async () => {
    for (const queue of many(4)) flushWithTurn(queue);
    await turn();
    const next = new Queue();
    flushWithTurn(next);
    expect(next.flushes).to.equal(0);
  });

  it('takes what comes while it flushes for the next time', async () => {
    const late = new Queue();
    const queues = [{ flush: (): void => flushWithTurn(late) }, ...many(4)];
    for (const queue of queues) flushWithTurn(queue);
    await turn();
    await turn();
    expect(late.flushes).to.equal(1);
  });

  it('writes everything that waits when it is asked to, once', async () => {
    const queues = many(6);
    for (const queue of queues.slice(0, 2)) flushSoon(queue);
    for (const queue of queues.slice(2)) flushWithTurn(queue);
    flushAll();
    expect(flushesOf(queues)).to.deep.equal([1, 1, 1, 1, 1, 1]);
    await turn();
    expect(flushesOf(queues)).to.deep.equal([1, 1, 1, 1, 1, 1]);
  });

  it('writes what the handlers that are running have sent so far when it is asked to', () => {
    const [outer, inner, done] = many(3) as [Queue, Queue, Queue];
    beginHandling(done);
    endHandling();
    beginHandling(outer);
    beginHandling(inner);
    flushAll();
    expect(flushesOf([outer, inner, done])).to.deep.equal([1, 1, 0]);
    endHandling();
    endHandling();
    flushAll();
    expect(flushesOf([outer, inner, done])).to.deep.equal([1, 1, 0]);
  });

  it('comes back to those that were to be written next when one of them asks for everything', async () => {
    let seen: number[] = [];
    for (const begin of [flushSoon, flushWithTurn]) {
      const rest = many(4);
      begin({
        flush: (): void => {
          if (seen.length > 0) return;
          // As a callback does that ends the process: nobody comes back to the loop that called it.
          seen = [0];
          flushAll();
          seen = flushesOf(rest);
        },
      });
      for (const queue of rest) begin(queue);
      await turn();
      expect(seen).to.deep.equal([1, 1, 1, 1]);
      seen = [];
    }
  });
});
