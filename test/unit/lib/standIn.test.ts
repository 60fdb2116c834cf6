import { expect } from 'chai';
import { createStandIns } from '../../../lib/standIn.js';

class Parent {
  static inherited = 'by the parent';
}

/** A class with a bit of everything, new for each test, and its stand-in. */
function made() {
  let loads = 0;
  const Real = class Thing extends Parent {
    static limit = 1;
    static #secret = 'kept';
    static get secret(): string {
      return Thing.#secret;
    }
    static set secret(value: string) {
      Thing.#secret = value;
    }
    static readonly fixed: number = 7;
    static get readable(): string {
      return 'only';
    }
    static create(text: string): Thing {
      return new Thing(text);
    }
    readonly #text: string;
    constructor(text: string) {
      super();
      this.#text = text;
    }
    shout(): string {
      return this.#text.toUpperCase();
    }
  };
  const { Thing: Stand } = createStandIns(['Thing'], () => {
    loads++;
    return { Thing: Real };
  });
  return { Real, Stand, loads: () => loads };
}

type Made = ReturnType<typeof made>;

/** Each is done to a stand-in of which nothing has been used yet. */
const FIRST_USES: readonly [title: string, use: (made: Made) => unknown, expected: unknown][] = [
  ['new', ({ Stand }) => new Stand('x').shout(), 'X'],
  ['a class that extends it', ({ Stand }) => new (class extends Stand {})('x').shout(), 'X'],
  ['instanceof', ({ Stand, Real }) => new Real('x') instanceof Stand, true],
  ['instanceof of a stranger', ({ Stand }) => ({}) instanceof Stand, false],
  ['its name', ({ Stand }) => Stand.name, 'Thing'],
  ['its prototype', ({ Stand, Real }) => Stand.prototype === Real.prototype, true],
  ['a static method', ({ Stand }) => Stand.create('x').shout(), 'X'],
  ['a static field', ({ Stand }) => Stand.limit, 1],
  ['an inherited static field', ({ Stand }) => Stand.inherited, 'by the parent'],
  ['a static field that is not there', ({ Stand }) => (Stand as unknown as { nothing?: unknown }).nothing, undefined],
  ['in', ({ Stand }) => ['limit' in Stand, 'nothing' in Stand], [true, false]],
  ['setting a static field', ({ Stand, Real }) => [(Stand.limit = 5), Stand.limit, Real.limit], [5, 5, 5]],
  ['setting through an accessor', ({ Stand, Real }) => [(Stand.secret = 'new'), Stand.secret, Real.secret], ['new', 'new', 'new']],
  ['Object.assign', ({ Stand, Real }) => [Object.assign(Stand, { limit: 6 }) === Stand, Real.limit], [true, 6]],
];

/** A class with two fields that are known to be nothing else, and one that extends it. */
function madeWithFields() {
  class First {
    static size = 1;
    static depth = 1;
  }
  class Second extends First {}
  const seen: number[] = [];
  const load = (): { First: typeof First; Second: typeof Second } => {
    seen.push(First.size);
    return { First, Second };
  };
  const stands = createStandIns(['First', 'Second'], load, { First: ['size'] });
  return { First, Second, stands, seen };
}

describe('the stand-in of a class', () => {
  it('is a function before anything is loaded', () => {
    const { Stand, loads } = made();
    expect(typeof Stand).to.equal('function');
    expect({ Stand }.Stand).to.equal(Stand);
    expect(loads()).to.equal(0);
  });

  for (const [title, use, expected] of FIRST_USES) {
    it(`loads the class, once, at the first use: ${title}`, () => {
      const all = made();
      expect(use(all)).to.deep.equal(expected);
      expect(use(all)).to.deep.equal(expected);
      expect(all.loads()).to.equal(1);
    });
  }

  it('refuses what the class refuses', () => {
    const call = (): unknown => (made().Stand as unknown as () => unknown)();
    expect(call).to.throw(TypeError, "Class constructor Thing cannot be invoked without 'new'");
    const write = (): unknown => Object.assign(made().Stand, { readable: 'no' });
    expect(write).to.throw(TypeError, /readable/);
  });

  it('is what its objects and the classes that extend it name as their class', () => {
    const { Stand, Real } = made();
    class Own extends Stand {}
    expect(Object.getPrototypeOf(Own)).to.equal(Stand);
    expect(new Own('x').constructor).to.equal(Own);
    expect(new Own('x')).to.be.instanceOf(Own).and.instanceOf(Stand).and.instanceOf(Real);
    expect(new Stand('x').constructor).to.equal(Stand);
    expect(Real.create('x').constructor).to.equal(Stand);
    expect(Own.create('x')).to.be.instanceOf(Stand);
  });

  it('keeps the order of classes that extend each other, and the constructors of objects made by others', () => {
    class First {
      static size = 1;
    }
    class Second extends First {}
    const stands = createStandIns(['First', 'Second'], () => ({ First, Second }));
    expect(new stands.Second()).to.be.instanceOf(stands.First);
    expect(Object.getPrototypeOf(stands.Second)).to.equal(stands.First);
    expect(new First().constructor).to.equal(stands.First);
    stands.Second.size = 2;
    expect([stands.First.size, stands.Second.size, First.size, Second.size]).to.deep.equal([1, 2, 1, 2]);
  });

  it('keeps what is set in a mere field until something of the class is used', () => {
    const { First, Second, stands, seen } = madeWithFields();
    stands.First.size = 2;
    stands.First.size = 3;
    expect([seen, First.size]).to.deep.equal([[], 1]);
    expect(stands.First.depth).to.equal(1);
    expect([seen, First.size, stands.First.size, Second.size]).to.deep.equal([[1], 3, 3, 3]);
    stands.First.size = 4;
    expect(First.size).to.equal(4);
  });

  it('gives what was set to the class when the field is read, and keeps the order of what is set', () => {
    const { First, Second, stands } = madeWithFields();
    stands.First.size = 5;
    stands.Second.size = 6;
    expect([First.size, Second.size]).to.deep.equal([5, 6]);
    const other = madeWithFields();
    other.stands.First.size = 7;
    expect(other.stands.Second.size).to.equal(7);
  });

  it('gives it to the class when any other is loaded, which may use the class from within', () => {
    const { First, stands } = madeWithFields();
    stands.First.size = 8;
    expect(made().Stand.limit).to.equal(1);
    expect(First.size).to.equal(8);
  });

  it('loads the class when anything else of it is set', () => {
    const { First, stands, seen } = madeWithFields();
    stands.First.depth = 9;
    expect([seen, First.depth]).to.deep.equal([[1], 9]);
  });

  it('leaves its static members alone when a class that extends it gets its own', () => {
    const { Stand, Real } = made();
    class Own extends Stand {}
    expect(Own.limit).to.equal(1);
    Own.limit = 2;
    expect([Own.limit, Stand.limit, Real.limit]).to.deep.equal([2, 1, 1]);
  });

  it('takes patches of the class and of its prototype', () => {
    const { Stand, Real } = made();
    Stand.prototype.shout = () => 'patched';
    Stand.create = () => new Stand('static');
    expect(new Real('x').shout()).to.equal('patched');
    expect(Real.create).to.equal(Stand.create);
    expect(Object.keys(Stand)).to.include.members(['limit', 'fixed']);
  });
});
