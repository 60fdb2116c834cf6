import { expect } from 'chai';
import fc from 'fast-check';
import { toPayload } from '../../../../protocols/websocket/outgoing.js';
import { isStill } from '../../../../protocols/websocket/sameJson.js';

const text = (value: unknown): string | undefined => JSON.stringify(value) as string | undefined;

/** Values of every kind that JSON treats in a way of its own. */
const anything = fc.anything({
  withDate: true, withBoxedValues: true, withNullPrototype: true, withSparseArray: true, withMap: true, withTypedArray: true,
});

describe('an object that is sent again', () => {
  it('is known when it is what it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isStill(value, JSON.parse(text(value) as string))).to.equal(true);
      }),
    );
  });

  it('is never taken for what has another JSON', () => {
    let same = 0;
    const check = (value: unknown, before: unknown): void => {
      const json = text(before);
      if (json === undefined || !isStill(value, JSON.parse(json))) return;
      same++;
      expect(text(value)).to.equal(json);
    };
    fc.assert(fc.property(anything, anything, check));
    fc.assert(fc.property(anything, (value) => check(value, value)));
    const small = fc.dictionary(fc.constantFrom('a', 'b', '1', '__proto__', 'toJSON'), fc.constantFrom<unknown>(
      0, -0, NaN, 1, '', '1', null, undefined, true, [], {}, [0], [undefined], { a: 1 }, () => 1, Symbol('s'), new Date(0),
    ), { maxKeys: 3 });
    fc.assert(fc.property(small, small, check), { numRuns: 3000 });
    expect(same).to.be.greaterThan(100);
  });

  it('is put into JSON once, however often it is sent', () => {
    let made = 0;
    const stringify = JSON.stringify;
    const message = { type: 'tick', values: [1, 2, { deep: 'x' }], none: null };
    JSON.stringify = ((...args: Parameters<typeof stringify>) => (made++, stringify(...args))) as typeof stringify;
    try {
      const first = toPayload(message);
      for (let i = 0; i < 1000; i++) expect(toPayload(message)).to.equal(first);
      expect(made).to.equal(1);
      message.values[1] = 3;
      expect(toPayload(message)).to.equal('{"type":"tick","values":[1,3,{"deep":"x"}],"none":null}');
      (message.values[2] as { deep: string }).deep = 'y';
      expect(toPayload(message)).to.equal('{"type":"tick","values":[1,3,{"deep":"y"}],"none":null}');
      expect(made).to.equal(3);
    } finally {
      JSON.stringify = stringify;
    }
  });

  it('says something new where its class or a toJSON makes it', () => {
    let count = 0;
    const counter = { toJSON: () => ++count };
    expect([toPayload(counter), toPayload(counter), toPayload(counter)]).to.deep.equal(['1', '2', '3']);
    const date = new Date(0);
    const before = toPayload({ date });
    date.setTime(1000);
    expect(toPayload({ date })).to.not.equal(before);
    expect([toPayload(null), toPayload([]), toPayload([])]).to.deep.equal(['null', '[]', '[]']);
  });
});
