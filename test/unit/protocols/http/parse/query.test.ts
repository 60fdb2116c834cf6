import querystring from 'node:querystring';
import { expect } from 'chai';
import fc from 'fast-check';
import { NestedPairs, nestPairs, parseStr } from '../../../../../protocols/http/parse/query.js';

/** As JSON, which shows lists and records apart and does not mind a missing prototype. */
const json = (input: string): unknown => JSON.parse(JSON.stringify(parseStr(input)));

/** Inputs, all with the same result. */
const table: [inputs: string[], result: string][] = [
  [['a=1&a=2'], '{"a":"2"}'],
  [['a', 'a='], '{"a":""}'],
  [['a=b=c'], '{"a":"b=c"}'],
  [['&&a=1&&'], '{"a":"1"}'],
  [['', '&', '=v', '%20=', '[a]=1', '[]=1', '[=1', '%00=1', '='], '{}'],
  [['a.b=1', 'a b=1', 'a+b=1', 'a%20b=1', 'a%2Eb=1'], '{"a_b":"1"}'],
  [['+a=1', '%20a=1'], '{"a":"1"}'],
  [['.a=1'], '{"_a":"1"}'],
  [['  a  =1'], '{"a__":"1"}'],
  [['\ta\n=1', '%09a%0A=1'], '{"\\ta\\n":"1"}'],
  [['a[]=1&a[]=2', 'a[0]=1&a[1]=2', 'a%5B%5D=1&a[%5d=2'], '{"a":["1","2"]}'],
  [['a[1]=x&a[0]=y'], '{"a":{"1":"x","0":"y"}}'],
  [['a[2]=x'], '{"a":{"2":"x"}}'],
  [['a[]=x&a[5]=y&a[]=z'], '{"a":{"0":"x","5":"y","6":"z"}}'],
  [['a[-3]=x&a[]=y'], '{"a":{"-3":"x","-2":"y"}}'],
  [['a[x]=1&a[]=2'], '{"a":{"x":"1","0":"2"}}'],
  [['a[]=1&a[x]=2'], '{"a":{"0":"1","x":"2"}}'],
  [['a[b][c]=1'], '{"a":{"b":{"c":"1"}}}'],
  [['a[b][]=1&a[b][]=2'], '{"a":{"b":["1","2"]}}'],
  [['a[][b]=1&a[][b]=2'], '{"a":[{"b":"1"},{"b":"2"}]}'],
  [['a[][]=1'], '{"a":[["1"]]}'],
  [['a[b.c]=1'], '{"a":{"b.c":"1"}}'],
  [['a[b c]=1'], '{"a":{"b c":"1"}}'],
  [['a.b[c.d]=1'], '{"a_b":{"c.d":"1"}}'],
  [['a[ ]=1', 'a[%09]=1', 'a[%0b]=1'], '{"a":["1"]}'],
  [['a[  ]=1'], '{"a":{"  ":"1"}}'],
  [['a[ x ]=1'], '{"a":{" x ":"1"}}'],
  [['a[b]c=1', 'a[b]c[d]=1', 'a[b].c=1', 'a[b]]=1', 'a[b][c=1'], '{"a":{"b":"1"}}'],
  [['a[]x=1&a[]y=2'], '{"a":["1","2"]}'],
  [['a[][', 'a[]'], '{"a":[""]}'],
  [['a[=1'], '{"a_":"1"}'],
  [['a[b=1'], '{"a_b":"1"}'],
  [['a[b.c=1', 'a.b[c=1'], '{"a_b_c":"1"}'],
  [['a[[b]]=1'], '{"a":{"[b":"1"}}'],
  [['a[b[c]]=1'], '{"a":{"b[c":"1"}}'],
  [['a]=1'], '{"a]":"1"}'],
  [['a]b=1'], '{"a]b":"1"}'],
  [[']a=1'], '{"]a":"1"}'],
  [['a=1&a[x]=2'], '{"a":{"x":"2"}}'],
  [['a[x]=1&a=2'], '{"a":"2"}'],
  [['a[x]=1&a[x][y]=2'], '{"a":{"x":{"y":"2"}}}'],
  [['a=%zz'], '{"a":"%zz"}'],
  [['a=%'], '{"a":"%"}'],
  [['a=%4'], '{"a":"%4"}'],
  [['a=%41%4'], '{"a":"A%4"}'],
  [['a=%u0041'], '{"a":"%u0041"}'],
  [['a=%-1%4g%g4%%41'], '{"a":"%-1%4g%g4%A"}'],
  [['a=+'], '{"a":" "}'],
  [['a=%2B', 'a=%2b'], '{"a":"+"}'],
  [['a=%00b'], '{"a":"\\u0000b"}'],
  [['a=%ff'], '{"a":"\ufffd"}'],
  [['a%00b=1'], '{"a":"1"}'],
  [['a[%00]=1'], '{"a_":"1"}'],
  [['a[b%00c]=1'], '{"a_b":"1"}'],
  [['a=1;b=2'], '{"a":"1;b=2"}'],
  [['__proto__=1'], '{"__proto__":"1"}'],
  [['__proto__[x]=1'], '{"__proto__":{"x":"1"}}'],
  [['a[__proto__][x]=1'], '{"a":{"__proto__":{"x":"1"}}}'],
  [['constructor=1'], '{"constructor":"1"}'],
  [['a["b"]=1'], '{"a":{"\\"b\\"":"1"}}'],
  [['你=好', '%E4%BD%A0=%e5%a5%bd'], '{"你":"好"}'],
  [['0=a&1=b'], '{"0":"a","1":"b"}'],
  [['a[01]=x&a[1.5]=y&a[-0]=z&a[]=0'], '{"a":{"01":"x","1.5":"y","-0":"z","0":"0"}}'],
  [['a[0]=x&a[0]=y&a[]=z'], '{"a":["y","z"]}'],
];

describe('parseStr', () => {
  for (const [inputs, result] of table) {
    it(`gives ${result} for ${inputs.map((input) => JSON.stringify(input)).join(', ')}`, () => {
      for (const input of inputs) {
        expect(json(input), input).to.deep.equal(JSON.parse(result));
        expect(JSON.stringify(parseStr(Buffer.from(input))), input).to.equal(JSON.stringify(parseStr(input)));
      }
    });
  }

  it('joins raw bytes and % sequences to one character', () => {
    expect(parseStr(Buffer.from('a=\xe4%BD\xa0', 'latin1')).a).to.equal('你');
    expect(parseStr(Buffer.from('a=\xff', 'latin1')).a).to.equal('\ufffd');
  });

  it('gives the same for an input above 4 KB', () => {
    const filler = `z=${'z'.repeat(5000)}`;
    expect({ ...parseStr(`a=b&c=%41+d&${filler}&ü=ü`) }).to.deep.equal({
      a: 'b',
      c: 'A d',
      z: 'z'.repeat(5000),
      ü: 'ü',
    });
  });

  it('uses 1000 pieces, or as many as it is told, and counts empty ones not', () => {
    const many = Array.from({ length: 1200 }, (_, i) => `k${i}=${i}`);
    expect(Object.keys(parseStr(many.join('&&')))).to.have.length(1000);
    expect(Object.keys(parseStr(many.join('&'), 3))).to.deep.equal(['k0', 'k1', 'k2']);
    expect(Object.keys(parseStr('=ignored&a=1&b=2', 2))).to.deep.equal(['a']);
    expect(Object.keys(parseStr('a=1', 0))).to.deep.equal([]);
  });

  it('nests 64 groups and ignores a pair with more', () => {
    let value: unknown = parseStr(`a${'[]'.repeat(64)}=x`).a;
    let depth = 0;
    for (; Array.isArray(value); depth++) value = value[0];
    expect([depth, value]).to.deep.equal([64, 'x']);
    expect(json(`a${'[b]'.repeat(65)}=x&c=1`)).to.deep.equal({ c: '1' });
    expect(json(`a${'[b]'.repeat(64)}[c=x`), 'the last one is not even closed').to.deep.equal({});
    expect(json(`a${'[b]'.repeat(100_000)}=x`)).to.deep.equal({});
    expect(json(`a${'['.repeat(100_000)}=x`)).to.deep.equal({ [`a${'_'.repeat(100_000)}`]: 'x' });
  });

  it('counts integer keys to the end of 64 bits', () => {
    expect(json('a[9223372036854775806]=x&a[]=y&a[]=lost')).to.deep.equal({
      a: { '9223372036854775806': 'x', '9223372036854775807': 'y' },
    });
    expect(json('a[9223372036854775808]=x&a[]=y')).to.deep.equal({ a: { '9223372036854775808': 'x', 0: 'y' } });
    expect(json('a[-9223372036854775808]=x&a[]=y')).to.deep.equal({
      a: { '-9223372036854775808': 'x', '-9223372036854775807': 'y' },
    });
    expect(json('a[-9223372036854775809]=x&a[]=y')).to.deep.equal({ a: { '-9223372036854775809': 'x', 0: 'y' } });
  });

  it('gives objects without a prototype, at the top and below', () => {
    const result = parseStr('a[b][c]=1&__proto__[x]=2&__proto__[y]=3');
    expect(Object.getPrototypeOf(result)).to.equal(null);
    expect(Object.getPrototypeOf(result.a)).to.equal(null);
    expect(Object.getPrototypeOf((result.a as Record<string, object>).b)).to.equal(null);
    expect(Object.getPrototypeOf(parseStr(''))).to.equal(null);
    expect(Object.hasOwn(result, '__proto__')).to.equal(true);
    expect({ ...(result.__proto__ as object) }).to.deep.equal({ x: '2', y: '3' });
  });

  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '&',
          '=',
          '[',
          ']',
          '[]',
          '%',
          '%5B',
          '%00',
          '+',
          ' ',
          '.',
          '__proto__',
          'constructor',
          'a',
          '0',
          '-1',
          'ü',
        ),
        fc.string({ maxLength: 4 }),
      ),
      { maxLength: 30 },
    )
    .map((list) => list.join(''));

  it('never throws and never touches Object.prototype', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (input) => {
          const result = parseStr(input);
          expect(Object.getPrototypeOf(result)).to.equal(null);
          expect(Object.getOwnPropertyNames(Object.prototype)).to.have.length(before);
          expect(({} as Record<string, unknown>).x).to.equal(undefined);
          expect(assertBare(result)).to.equal(true);
        },
      ),
    );
  });

  it('agrees with node:querystring for simple pairs', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !/[[ .\0]/.test(text));
    const value = fc.string({ unit: 'binary', maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 8 }), (pairs) => {
        const text = pairs.map(([key, each]) => `${querystring.escape(key)}=${querystring.escape(each)}`).join('&');
        const expected = querystring.parse(text);
        const result = parseStr(text);
        expect(Object.keys(result).sort()).to.deep.equal(Object.keys(expected).sort());
        for (const [key] of pairs) expect(result[key]).to.equal(expected[key]);
      }),
    );
  });
});

/** True when no object in `value` has a prototype other than that of arrays. */
function assertBare(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== null) return false;
  return Object.values(value).every(assertBare);
}

describe('nestPairs', () => {
  it('takes names and values literally', () => {
    expect({ ...nestPairs([['a+b%41', 'c+%41']]) }).to.deep.equal({ 'a+b%41': 'c+%41' });
  });

  it('nests values of any kind and leaves them as they are', () => {
    const first = { name: 'x' };
    const second = { name: 'y' };
    const result = nestPairs([
      ['f[]', first],
      ['f[]', second],
      ['g[a][b]', first],
      ['h', first],
      ['h[x]', second],
    ]);
    expect(JSON.stringify(result)).to.equal(
      '{"f":[{"name":"x"},{"name":"y"}],"g":{"a":{"b":{"name":"x"}}},"h":{"x":{"name":"y"}}}',
    );
    expect((result.f as object[])[0]).to.equal(first);
    expect(Object.getPrototypeOf(first)).to.equal(Object.prototype);
  });

  it('stops at its limit', () => {
    expect({
      ...nestPairs(
        [
          ['a', 1],
          ['b', 2],
          ['c', 3],
        ],
        2,
      ),
    }).to.deep.equal({ a: 1, b: 2 });
  });

  it('is what NestedPairs does pair by pair', () => {
    const pairs = new NestedPairs<number>();
    pairs.add('a[]', 1);
    pairs.add('[ignored]', 2);
    pairs.add('a[]', 3);
    expect({ ...pairs.toRecord() }).to.deep.equal({ a: [1, 3] });
  });
});
