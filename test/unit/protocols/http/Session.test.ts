import { expect } from 'chai';
import { Session } from '../../../../protocols/http/Session.js';
import { FileSessionHandler } from '../../../../protocols/http/session/FileSessionHandler.js';
import { MemoryHandler, useMemory } from './session/MemoryHandler.js';

const ID = 'abcdefghijklmnop';

describe('Session', () => {
  const used = useMemory();

  const make = (data: Record<string, unknown> = {}): Session => new Session(ID, data);
  const stored = (): unknown => used.handler.data(ID);

  describe('settings', () => {
    it('begin with a cookie that ends with the browser and that no script can read', () => {
      expect(Session).to.include({
        name: 'PHPSID', lifetime: 1440, cookieLifetime: 0, cookiePath: '/', domain: '', secure: false, httpOnly: true,
        sameSite: '', autoUpdateTimestamp: false,
      });
      expect(Session.getCookieParams()).to.deep.equal({
        lifetime: 0, path: '/', domain: '', secure: false, httponly: true, samesite: '',
      });
      expect(Session.init()).to.equal(undefined);
    });

    it('name the class of the store and what it is made with, one for the process', async () => {
      const made: unknown[][] = [];
      class Store extends MemoryHandler {
        constructor(...args: unknown[]) {
          super();
          made.push(args);
        }
      }
      class Other extends Store {}
      expect(Session.handlerClass(Store)).to.equal(Store);
      expect(Session.handlerClass()).to.equal(Store);
      expect(made).to.deep.equal([]);
      await make().gc();
      await make().gc();
      expect(made).to.deep.equal([[]]);
      Session.handlerClass(null, { a: 1 });
      await make().gc();
      Session.handlerClass(Other, { b: 2 });
      await make().gc();
      expect(made).to.deep.equal([[], [{ a: 1 }], [{ b: 2 }]]);
      expect(Session.handlerClass(FileSessionHandler, {})).to.equal(FileSessionHandler);
    });
  });

  describe('data', () => {
    it('is set, got, taken and deleted by name', () => {
      const session = make({ a: 1 });
      expect(session.getId()).to.equal(ID);
      session.set('b', [2]);
      expect(session.get('a')).to.equal(1);
      expect(session.get('b')).to.deep.equal([2]);
      expect(session.get('none')).to.equal(null);
      expect(session.get('none', 5)).to.equal(5);
      expect(session.pull('a')).to.equal(1);
      expect(session.pull('a', 'gone')).to.equal('gone');
      session.delete('b');
      expect(session.all()).to.deep.equal({});
    });

    it('is put and forgotten one by one or many at a time', () => {
      const session = make();
      session.put('a', 1);
      session.put({ b: 2, c: 3, d: 4 });
      session.forget('a');
      session.forget(['b', 'none', 'c']);
      expect(session.all()).to.deep.equal({ d: 4 });
      session.flush();
      expect(session.all()).to.deep.equal({});
    });

    it('may be null, which is there but counts as nothing', () => {
      const session = make({ a: null, b: false, c: 0, d: '' });
      expect([session.has('a'), session.exists('a'), session.get('a', 'x')]).to.deep.equal([false, true, 'x']);
      for (const name of ['b', 'c', 'd']) expect([session.has(name), session.exists(name)]).to.deep.equal([true, true]);
      expect([session.has('e'), session.exists('e')]).to.deep.equal([false, false]);
      expect([session.get('b', 1), session.get('c', 1), session.get('d', 1)]).to.deep.equal([false, 0, '']);
    });

    it('may have any name', async () => {
      const session = make();
      expect(session.exists('toString')).to.equal(false);
      expect(session.get('constructor')).to.equal(null);
      session.set('__proto__', { polluted: 1 });
      session.put(JSON.parse('{"__proto__":2}') as Record<string, unknown>);
      expect(session.get('__proto__')).to.equal(2);
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
      await session.save();
      expect((await Session._load(ID)).get('__proto__')).to.equal(2);
    });

    it('is shown as a copy without a prototype', () => {
      const session = make({ a: 1 });
      const all = session.all();
      all['a'] = 2;
      expect(session.get('a')).to.equal(1);
      expect(Object.getPrototypeOf(all)).to.equal(null);
    });
  });

  describe('in the store', () => {
    it('is written when it has changed, and only then', async () => {
      const session = make();
      await session.save();
      expect(used.handler.calls).to.deep.equal([]);
      session.set('a', { b: ['ü', 1.5, true, null] });
      await session.save();
      await session.save();
      expect(used.handler.calls).to.deep.equal([`write ${ID}`]);
      expect(stored()).to.deep.equal({ a: { b: ['ü', 1.5, true, null] } });
    });

    it('is written after every kind of change', async () => {
      const changes: ((session: Session) => void)[] = [
        (s) => s.set('a', 1), (s) => s.put('a', 1), (s) => s.put({}), (s) => s.delete('none'), (s) => s.pull('none'),
        (s) => s.forget('none'), (s) => s.forget([]), (s) => s.flush(),
      ];
      for (const change of changes) {
        const session = make({ x: 1 });
        change(session);
        await session.save();
      }
      expect(used.handler.calls).to.have.length(changes.length);
    });

    it('is removed when it has been emptied', async () => {
      used.handler.stored.set(ID, '{"a":1}');
      const session = await Session._load(ID);
      session.delete('a');
      await session.save();
      expect(used.handler.calls).to.deep.equal([`destroy ${ID}`]);
      expect(stored()).to.equal(undefined);
    });

    it('has its lifetime begun anew with every save, when that is set', async () => {
      Session.autoUpdateTimestamp = true;
      try {
        const session = make();
        await session.save();
        session.set('a', 1);
        await session.save();
        expect(used.handler.calls).to.deep.equal([`touch ${ID}`, `write ${ID}`]);
      } finally {
        Session.autoUpdateTimestamp = false;
      }
    });

    it('can be refreshed and collected by hand', async () => {
      const session = make();
      expect(await session.refresh()).to.equal(false);
      used.handler.stored.set(ID, '{}');
      expect(await session.refresh()).to.equal(true);
      await session.gc();
      expect(used.handler.calls).to.deep.equal([`touch ${ID}`, `touch ${ID}`, 'gc 1440']);
    });

    it('is empty for whatever is no JSON object', async () => {
      for (const text of ['', 'null', '5', '"x"', '[1]', 'a|s:1:"x";', '{"a":', '{"a":1}x']) {
        used.handler.stored.set(ID, text);
        expect((await Session._load(ID)).all(), text).to.deep.equal({});
      }
    });

    it('is still unsaved after a save that failed', async () => {
      used.handler.gate = () => Promise.reject(new Error('full'));
      const session = make();
      session.set('a', 1);
      expect(await session.save().catch((error: Error) => error.message)).to.equal('full');
      used.handler.gate = null;
      await session.save();
      expect(stored()).to.deep.equal({ a: 1 });
    });

    it('fails to save what JSON can not say', async () => {
      const session = make();
      session.set('a', 1n);
      expect(await session.save().catch((error: Error) => error.name)).to.equal('TypeError');
    });

    it('takes the order in which it was told to, and a reader waits', async () => {
      const opened: (() => void)[] = [];
      used.handler.gate = (call) => (call.startsWith('read') ? undefined : new Promise((resolve) => opened.push(resolve)));
      const [first, second] = [make(), make()];
      first.set('n', 1);
      const saves = [first.save()];
      await Promise.resolve();
      second.set('n', 2);
      saves.push(second.save());
      const reading = Session._load(ID);
      first.set('n', 3);
      saves.push(first.save());
      while (used.handler.calls.length < 3) {
        opened.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(saves);
      expect(stored()).to.deep.equal({ n: 3 });
      expect((await reading).get('n')).to.equal(2);
    });

    it('notices a change that is made while it is being written', async () => {
      let open = (): void => {};
      used.handler.gate = () => new Promise((resolve) => (open = resolve));
      const session = make();
      session.set('a', 1);
      const saving = session.save();
      await Promise.resolve();
      session.set('a', 2);
      open();
      await saving;
      expect(stored()).to.deep.equal({ a: 1 });
      expect(session._unsaved).to.equal(true);
      used.handler.gate = null;
      await session._store();
      expect(stored()).to.deep.equal({ a: 2 });
      expect(session._unsaved).to.equal(false);
    });
  });
});
