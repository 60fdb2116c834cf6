import { expect } from 'chai';
import { EventLoop } from '../../../lib/EventLoop.js';
import { TimerHeap } from '../../../lib/TimerHeap.js';
import { until } from '../connection/peers.js';
import { FakeClock } from './fakeClock.js';

describe('EventLoop', () => {
  describe('timers', () => {
    let clock: FakeClock;
    let loop: EventLoop;
    let ran: unknown[];
    const note = (...args: unknown[]): void => void ran.push(args.length === 1 ? args[0] : args);
    beforeEach(() => {
      clock = new FakeClock();
      clock.install();
      loop = new EventLoop();
      ran = [];
    });
    afterEach(() => clock.uninstall());

    it('numbers all kinds in one sequence from 1, which deleteAllTimer does not restart', () => {
      expect([loop.delay(1, note), loop.repeat(1, note), loop.delay(1, note)]).to.deep.equal([1, 2, 3]);
      loop.deleteAllTimer();
      expect(loop.repeat(1, note)).to.equal(4);
    });

    it('run a one-shot once and a repeat again and again, with their arguments', () => {
      loop.delay(0.01, note, ['once', 1]);
      loop.repeat(0.02, note, ['again']);
      loop.delay(0.03, note);
      clock.advance(61);
      expect(ran).to.deep.equal([['once', 1], 'again', [], 'again', 'again']);
    });

    it('first run after one interval, to the millisecond', () => {
      loop.delay(0.001, note, ['a']);
      loop.repeat(0.003, note, ['b']);
      clock.advance(0.9);
      expect(ran).to.deep.equal([]);
      clock.advance(0.1);
      expect(ran).to.deep.equal(['a']);
      clock.advance(1.9);
      expect(ran).to.deep.equal(['a']);
      clock.advance(0.1);
      expect(ran).to.deep.equal(['a', 'b']);
    });

    it('run what is due together in order of creation, and what is due earlier before', () => {
      loop.delay(0.02, note, ['late']);
      loop.delay(0.01, note, [1]);
      loop.repeat(0.01, note, [2]);
      loop.delay(0.01, note, [3]);
      loop.delay(0.005, note, ['early']);
      clock.block(50);
      clock.advance(1);
      expect(ran).to.deep.equal(['early', 1, 2, 3, 'late']);
    });

    it('count a negative delay and interval as 0', () => {
      loop.delay(-5, note, ['a']);
      const id = loop.repeat(-5, note, ['b']);
      clock.advance(1);
      expect(ran).to.deep.equal(['a', 'b']);
      clock.advance(2);
      expect(ran).to.deep.equal(['a', 'b', 'b', 'b']);
      loop.offRepeat(id);
    });

    it('with an interval of 0 run once in a turn, every millisecond, and leave room for others', () => {
      loop.repeat(0, note, ['r']);
      loop.delay(0, () => loop.delay(0, note, ['inner']));
      clock.advance(1);
      expect(ran).to.deep.equal(['r']);
      clock.advance(1);
      expect(ran).to.deep.equal(['r', 'r', 'inner']);
    });

    it('are due again one interval after the start of a run; missed runs are not made up for', () => {
      const starts: number[] = [];
      loop.repeat(0.01, () => {
        starts.push(clock.now);
        // The second run takes 25 ms.
        if (starts.length === 2) clock.block(25);
      });
      clock.advance(70);
      expect(starts).to.deep.equal([1010, 1020, 1046, 1056, 1066]);
    });

    it('after a blocked process run once at once, then one interval later', () => {
      const starts: number[] = [];
      loop.repeat(0.01, () => starts.push(clock.now));
      clock.block(55);
      clock.advance(25);
      expect(starts).to.deep.equal([1055, 1065, 1075]);
    });

    it('are gone when they are deleted: true once, then false', () => {
      const one = loop.delay(0.01, note);
      const two = loop.repeat(0.01, note);
      expect([loop.offDelay(one), loop.offDelay(one)]).to.deep.equal([true, false]);
      // Either method deletes either kind.
      expect([loop.offDelay(two), loop.offRepeat(two)]).to.deep.equal([true, false]);
      expect(loop.offRepeat(loop.delay(0.01, note))).to.equal(true);
      expect([loop.offDelay(99), loop.offDelay(0), loop.offDelay(-1)]).to.deep.equal([false, false, false]);
      clock.advance(100);
      expect(ran).to.deep.equal([]);
      expect(loop.getTimerCount()).to.equal(0);
    });

    it('do not run when another that is due in the same turn deletes them', () => {
      const victims: number[] = [];
      loop.delay(0.01, () => {
        for (const id of victims) expect(loop.offDelay(id)).to.equal(true);
      });
      victims.push(loop.delay(0.01, note), loop.repeat(0.01, note));
      loop.delay(0.01, note, ['survivor']);
      clock.block(50);
      clock.advance(50);
      expect(ran).to.deep.equal(['survivor']);
    });

    it('do not run when another that is due in the same turn deletes all', () => {
      loop.delay(0.01, () => {
        loop.deleteAllTimer();
        loop.delay(0.01, note, ['new']);
      });
      loop.delay(0.01, note, ['old']);
      loop.repeat(0.01, note, ['old']);
      clock.block(50);
      clock.advance(50);
      expect(ran).to.deep.equal(['new']);
    });

    it('may delete themselves', () => {
      const id = loop.repeat(0.01, () => {
        note('run');
        expect(loop.offRepeat(id)).to.equal(true);
        expect(loop.offRepeat(id)).to.equal(false);
      });
      clock.advance(50);
      expect(ran).to.deep.equal(['run']);
      expect(clock.pending).to.equal(0);
    });

    it('are not there any more when a one-shot runs', () => {
      const id = loop.delay(0.01, () => note([loop.getTimerCount(), loop.offDelay(id)]));
      expect(loop.getTimerCount()).to.equal(1);
      clock.advance(10);
      expect(ran).to.deep.equal([[0, false]]);
    });

    it('are counted while they wait', () => {
      loop.delay(1, note);
      const id = loop.repeat(1, note);
      expect(loop.getTimerCount()).to.equal(2);
      clock.advance(1000);
      expect(loop.getTimerCount()).to.equal(1);
      loop.offRepeat(id);
      expect(loop.getTimerCount()).to.equal(0);
      loop.delay(1, note);
      loop.deleteAllTimer();
      expect(loop.getTimerCount()).to.equal(0);
    });

    it('that are added by a callback run in a later turn', () => {
      loop.delay(0.01, () => {
        note('outer');
        loop.delay(0, note, ['inner']);
      });
      loop.delay(0.01, note, ['beside']);
      clock.advance(10);
      expect(ran).to.deep.equal(['outer', 'beside']);
      clock.advance(1);
      expect(ran).to.deep.equal(['outer', 'beside', 'inner']);
    });

    it('use one timeout of Node for all, and none when there is nothing to wait for', () => {
      for (let i = 10; i > 0; i--) loop.delay(i, note);
      expect(clock.pending).to.equal(1);
      loop.deleteAllTimer();
      expect(clock.pending).to.equal(0);
      loop.delay(0.001, note);
      clock.advance(5);
      expect(clock.pending).to.equal(0);
    });

    it('longer than Node can wait are waited for in legs', () => {
      const days = 60;
      const ms = days * 86_400_000;
      loop.delay(days * 86_400, note, ['due']);
      expect(clock.waits).to.deep.equal([2_147_483_647]);
      clock.advance(2_147_483_647);
      expect(ran).to.deep.equal([]);
      clock.advance(ms - 2_147_483_647 - 1);
      expect(ran).to.deep.equal([]);
      clock.advance(1);
      expect(ran).to.deep.equal(['due']);
      expect(Math.max(...clock.waits)).to.be.at.most(2_147_483_647);
      expect(clock.waits).to.have.length(3);
    });

    it('that repeat after longer than Node can wait do that too', () => {
      loop.repeat(3_000_000, note, ['due']);
      clock.advance(3_000_000_000 - 1);
      expect(ran).to.have.length(0);
      clock.advance(1);
      clock.advance(3_000_000_000);
      expect(ran).to.have.length(2);
    });

    it('give their exceptions to the error handler and go on', () => {
      const errors: unknown[] = [];
      loop.setErrorHandler((error) => void errors.push(error));
      loop.repeat(0.01, () => {
        throw new Error('mine');
      });
      loop.delay(0.01, note, ['next']);
      clock.advance(20);
      expect(errors.map(String)).to.deep.equal(['Error: mine', 'Error: mine']);
      expect(ran).to.deep.equal(['next']);
    });

    it('do not pile up in memory when they are added and deleted', () => {
      const sizes: number[] = [];
      const { push } = TimerHeap.prototype;
      const heaps = new Set<TimerHeap>();
      TimerHeap.prototype.push = function (this: TimerHeap, entry) {
        heaps.add(this);
        push.call(this, entry);
        sizes.push(this.size);
      };
      try {
        const kept = loop.delay(1e6, note);
        for (let i = 0; i < 50_000; i++) loop.offDelay(loop.delay(1000 + (i % 7), note));
        expect(Math.max(...sizes.slice(-1000))).to.be.below(100);
        expect(heaps.size).to.equal(1);
        expect(loop.getTimerCount()).to.equal(1);
        expect(loop.offDelay(kept)).to.equal(true);
        const ids = Array.from({ length: 50_000 }, (_, i) => loop.repeat(1 + (i % 100), note));
        for (const id of ids) loop.offRepeat(id);
        expect([...heaps][0]!.size).to.be.below(100);
      } finally {
        TimerHeap.prototype.push = push;
      }
    });
  });

  describe('async callbacks', () => {
    it('are not waited for, and their rejections go to the error handler', async () => {
      const loop = new EventLoop();
      const errors: unknown[] = [];
      let started = 0;
      loop.setErrorHandler((error) => void errors.push(error));
      loop.repeat(0.001, async () => {
        started++;
        await new Promise(() => {});
      });
      loop.delay(0.001, () => Promise.reject(new Error('late')));
      loop.delay(0.001, () => ({ then: (_: unknown, reject: (e: unknown) => void) => reject('thenable') }));
      await until(() => started > 2 && errors.length === 2);
      loop.stop();
      expect(errors.map(String).sort()).to.deep.equal(['Error: late', 'thenable']);
    });

    it('keep the process alive only in a loop of the foreground', () => {
      const resources = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = resources();
      const background = new EventLoop(true);
      background.delay(100, () => {});
      expect(resources()).to.equal(before);
      const foreground = new EventLoop();
      foreground.delay(100, () => {});
      expect(resources()).to.equal(before + 1);
      background.stop();
      foreground.stop();
      expect(resources()).to.equal(before);
    });
  });

  describe('signals', () => {
    const SIGNAL = 'SIGWINCH';
    afterEach(() => process.removeAllListeners(SIGNAL));

    it('have one handler each, which gets the number; a new one replaces the old', async () => {
      const loop = new EventLoop();
      const heard: unknown[] = [];
      process.on(SIGNAL, () => heard.push('of somebody else'));
      loop.onSignal(SIGNAL, (signal) => void heard.push(['one', signal]));
      loop.onSignal(28, (signal) => void heard.push(['two', signal]));
      expect(process.listenerCount(SIGNAL)).to.equal(1);
      process.kill(process.pid, SIGNAL);
      await until(() => heard.length > 0);
      expect(heard).to.deep.equal([['two', 28]]);
      loop.stop();
    });

    it('are ignored, not deadly, when the handler is taken off', async () => {
      const loop = new EventLoop();
      let heard = 0;
      expect(loop.offSignal(SIGNAL)).to.equal(false);
      loop.onSignal(SIGNAL, () => heard++);
      expect([loop.offSignal(SIGNAL), loop.offSignal(SIGNAL)]).to.deep.equal([true, false]);
      expect(process.listenerCount(SIGNAL)).to.equal(1);
      const arrived = new Promise((resolve) => process.once(SIGNAL, resolve));
      process.kill(process.pid, SIGNAL);
      await arrived;
      expect(heard).to.equal(0);
    });

    it('give the exceptions of their handlers to the error handler', async () => {
      const loop = new EventLoop();
      const errors: unknown[] = [];
      loop.setErrorHandler((error) => void errors.push(error));
      loop.onSignal(SIGNAL, () => {
        throw new Error('mine');
      });
      process.kill(process.pid, SIGNAL);
      await until(() => errors.length === 1);
      loop.onSignal(SIGNAL, async () => {
        throw new Error('late');
      });
      process.kill(process.pid, SIGNAL);
      await until(() => errors.length === 2);
      expect(errors.map(String)).to.deep.equal(['Error: mine', 'Error: late']);
      loop.stop();
    });

    it('that can not be handled, and what is no signal, are refused', () => {
      const loop = new EventLoop();
      for (const signal of ['SIGKILL', 'SIGSTOP', 9, 19, 0, 999, 'SIGNONE', '__proto__', 'toString']) {
        expect(() => loop.onSignal(signal as NodeJS.Signals, () => {}), String(signal)).to.throw(TypeError);
      }
    });
  });

  it('prints exceptions when there is no error handler', () => {
    const clock = new FakeClock();
    const { write } = process.stderr;
    let printed = '';
    clock.install();
    try {
      process.stderr.write = (text: string | Uint8Array) => {
        printed += String(text);
        return true;
      };
      const loop = new EventLoop();
      loop.delay(0.001, () => {
        throw new Error('printed');
      });
      clock.advance(1);
    } finally {
      process.stderr.write = write;
      clock.uninstall();
    }
    expect(printed).to.match(/^Error: printed\n {4}at /);
  });

  it('drops timers and handlers in stop()', () => {
    const clock = new FakeClock();
    clock.install();
    try {
      const loop = new EventLoop();
      loop.run();
      loop.delay(1, () => expect.fail('dropped'));
      loop.onSignal('SIGWINCH', () => expect.fail('dropped'));
      loop.stop();
      expect(loop.getTimerCount()).to.equal(0);
      expect(loop.offSignal('SIGWINCH')).to.equal(false);
      clock.advance(5000);
    } finally {
      process.removeAllListeners('SIGWINCH');
      clock.uninstall();
    }
  });
});
