import { expect } from 'chai';
import fc from 'fast-check';
import { decodeExtended, parseParameters } from '../../../../../protocols/http/parse/parameters.js';

const parse = (value: string): Record<string, string> => Object.fromEntries(parseParameters(value));

describe('parseParameters', () => {
  const cases: readonly [string, Record<string, string>][] = [
    ['', {}],
    ['form-data', {}],
    ['form-data; name="a"; filename="b.txt"', { name: 'a', filename: 'b.txt' }],
    ['form-data;name=a;filename=b c.txt ', { name: 'a', filename: 'b c.txt' }],
    ['form-data ; filename = "b" ;\tNAME\t=\ta', { filename: 'b', name: 'a' }],
    ['x; a=1; A=2', { a: '1' }],
    ['x; a; b=; =c; ;; d=""', { b: '', d: '' }],
    ['x; a="1;b=2"; c="=": d', { a: '1;b=2', c: '=' }],
    [String.raw`x; a="say \"hi\"; ok"; b="c:\\d\e\"`, { a: 'say "hi"; ok', b: String.raw`c:\d\e"` }],
    [String.raw`x; a="C:\temp\new.txt"`, { a: String.raw`C:\temp\new.txt` }],
    ['x; a="never closed; b=1', { a: 'never closed; b=1' }],
    ['x; a="1" rest; b=2', { a: '1', b: '2' }],
    ['x; __proto__=1', JSON.parse('{"__proto__":"1"}') as Record<string, string>],
  ];
  for (const [value, expected] of cases) {
    it(`reads ${JSON.stringify(value)}`, () => expect(parse(value)).to.deep.equal(expected));
  }

  it('gives back whatever is quoted with its quotes and backslashes escaped (property)', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string(), (a, b) => {
      const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
      expect(parse(`x; a=${quote(a)};b=${quote(b)}`)).to.deep.equal({ a, b });
    }));
  });

  it('ends for whatever it gets, and quickly for what looks like a lot of parameters', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(';', '=', '"', '\\', ' ', 'a') }), (text) => {
      expect(parseParameters(text)).to.be.instanceOf(Map);
    }));
    for (const piece of [';', '="', ';a="\\', '; a=b', '\\"', ' ']) parseParameters(`x${piece.repeat(500_000)}`);
  });
});

describe('decodeExtended', () => {
  const cases: readonly [string, string][] = [
    ["UTF-8''%e2%82%ac%20rates.txt", '€ rates.txt'],
    ["utf-8'en'a%2Fb", 'a/b'],
    ["iso-8859-1''caf%E9", 'café'],
    ["UTF-8''%zz%4%", '%zz%4%'],
    ["UTF-8''%ff", '\ufffd'],
    ["koi8-r''x", 'x'],
    ['plain.txt', 'plain.txt'],
    ["only'one", "only'one"],
  ];
  for (const [value, expected] of cases) {
    it(`reads ${value}`, () => expect(decodeExtended(value)).to.equal(expected));
  }
});
