import { expect } from 'chai';
import { EventLoop } from '../../../lib/EventLoop.js';
import { Timer } from '../../../timer/Timer.js';
import type { EventInterface } from '../../../timer/EventInterface.js';
import { FakeClock } from '../lib/fakeClock.js';

describe('Timer', () => {
  let clock: FakeClock;
  let ran: unknown[];
  const note = (...args: unknown[]): void => void ran.push(args);
  beforeEach(() => {
    clock = new FakeClock();
    clock.install();
    Timer.init(new EventLoop());
    ran = [];
  });
  afterEach(() => {
    Timer.delAll();
    Timer.init(null);
    clock.uninstall();
  });

  it('add() repeats, and runs once when it is not persistent', () => {
    expect(Timer.add(0.01, note, ['r'])).to.equal(1);
    expect(Timer.add(0.01, note, ['o'], false)).to.equal(2);
    expect(Timer.add(0.025, note, null, false)).to.equal(3);
    expect(Timer.add(0.026, note, [], false)).to.equal(4);
    clock.advance(30);
    expect(ran).to.deep.equal([['r'], ['o'], ['r'], [], [], ['r']]);
  });

  it('repeat() and delay() do the one and the other', () => {
    Timer.repeat(0.01, note, ['r', 1]);
    Timer.delay(0.01, note, ['d', 2]);
    clock.advance(20);
    expect(ran).to.deep.equal([
      ['r', 1],
      ['d', 2],
      ['r', 1],
    ]);
  });

  it('add() refuses a negative interval, in whatever process', () => {
    const refused = (): unknown => Timer.add(-0.001, note);
    expect(refused).to.throw('$timeInterval can not less than 0').with.property('code', 'WM_BAD_TIMER');
    Timer.init(null);
    expect(refused).to.throw('$timeInterval can not less than 0');
  });

  it('delay() and repeat() count a negative interval as 0', () => {
    Timer.delay(-1, note, ['d']);
    const id = Timer.repeat(-1, note, ['r']);
    clock.advance(2);
    expect(ran).to.deep.equal([['d'], ['r'], ['r']]);
    Timer.del(id);
  });

  it('refuses what is no finite number and what is no function with a TypeError', () => {
    for (const method of ['add', 'repeat', 'delay'] as const) {
      for (const interval of [NaN, Infinity, -Infinity, '1', null, undefined, {}]) {
        expect(() => Timer[method](interval as number, note), `${method} ${String(interval)}`).to.throw(TypeError);
      }
      for (const func of [null, undefined, 'note', {}]) {
        expect(() => Timer[method](1, func as unknown as () => void)).to.throw(TypeError);
      }
    }
  });

  it('takes 0', () => {
    const id = Timer.add(0, note);
    clock.advance(3);
    expect(ran).to.have.length(3);
    Timer.del(id);
  });

  it('del() says whether there was one', () => {
    const id = Timer.add(1, note);
    const once: number = Timer.delay(0.01, () => void ran.push(Timer.del(once)));
    expect([Timer.del(id), Timer.del(id), Timer.del(99)]).to.deep.equal([true, false, false]);
    clock.advance(10);
    expect(ran).to.deep.equal([false]);
    expect(Timer.del(once)).to.equal(false);
  });

  it('del() always says yes in the master', () => {
    Timer.init(new EventLoop(), true);
    const id = Timer.add(0.01, note);
    expect([Timer.del(id), Timer.del(id), Timer.del(99)]).to.deep.equal([true, true, true]);
    clock.advance(20);
    expect(ran).to.deep.equal([]);
  });

  it('delAll() removes all, and the numbers go on', () => {
    Timer.add(0.01, note);
    Timer.delay(0.01, note);
    Timer.delAll();
    clock.advance(50);
    expect(ran).to.deep.equal([]);
    expect(Timer.add(1, note)).to.equal(3);
  });

  it('needs an environment', () => {
    Timer.init(null);
    for (const method of ['add', 'repeat', 'delay'] as const) {
      expect(() => Timer[method](1, note))
        .to.throw('Timer can only be used in workerman running environment')
        .with.property('code', 'WM_TIMER_ENVIRONMENT');
    }
    expect(Timer.del(1)).to.equal(false);
    Timer.delAll();
  });

  it('works on any loop that has the interface', () => {
    const calls: unknown[][] = [];
    const loop = {
      delay: (...args: unknown[]) => calls.push(['delay', ...args]),
      repeat: (...args: unknown[]) => calls.push(['repeat', ...args]),
      offDelay: (...args: unknown[]) => (calls.push(['offDelay', ...args]), true),
      deleteAllTimer: () => calls.push(['deleteAllTimer']),
    } as unknown as EventInterface;
    Timer.init(loop);
    Timer.add(1, note, ['a']);
    Timer.add(2, note, null, false);
    Timer.del(7);
    Timer.delAll();
    expect(calls).to.deep.equal([
      ['repeat', 1, note, ['a']],
      ['delay', 2, note, []],
      ['offDelay', 7],
      ['deleteAllTimer'],
    ]);
  });

  it('sleep() resolves after its time, is no timer, and is not cut short by delAll()', async () => {
    const loop = new EventLoop();
    Timer.init(loop);
    let done = false;
    const sleeping = Timer.sleep(2).then(() => (done = true));
    expect(loop.getTimerCount()).to.equal(0);
    Timer.delAll();
    clock.advance(1999);
    await Promise.resolve();
    expect(done).to.equal(false);
    clock.advance(1);
    await sleeping;
    expect(done).to.equal(true);
    const short = Timer.sleep(-1);
    clock.advance(1);
    await short;
  });

  it('sleep() waits longer than Node can', async () => {
    let done = false;
    const days = 40;
    const sleeping = Timer.sleep(days * 86_400).then(() => (done = true));
    for (let day = 0; day < days - 1; day++) {
      clock.advance(86_400_000);
      await Promise.resolve();
    }
    expect(done).to.equal(false);
    clock.advance(86_400_000);
    await sleeping;
  });

  it('sleep() works without any environment', async () => {
    Timer.init(null);
    const sleeping = Timer.sleep(0);
    clock.advance(1);
    await sleeping;
  });
});
