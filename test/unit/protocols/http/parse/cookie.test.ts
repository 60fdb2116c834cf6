import { expect } from 'chai';
import fc from 'fast-check';
import { parseCookie } from '../../../../../protocols/http/parse/cookie.js';

const cookies = (header: string): Record<string, string> => ({ ...parseCookie(header) });

describe('parseCookie', () => {
  it('cuts at semicolons and at the first equals sign', () => {
    expect(cookies('a=1; b=2;c=3=4')).to.deep.equal({ a: '1', b: '2', c: '3=4' });
  });

  it('leaves out pieces without an equals sign', () => {
    expect(cookies('a; b=1;; ;c')).to.deep.equal({ b: '1' });
    expect(cookies('')).to.deep.equal({});
  });

  it('trims names and leaves values exactly as they are', () => {
    expect(cookies(' \ta\t = 1 ;b= "x y" ;c=%41+c')).to.deep.equal({ a: ' 1 ', b: ' "x y" ', c: '%41+c' });
    expect(cookies('\u00a0a\u00a0=1')).to.deep.equal({ '\u00a0a\u00a0': '1' });
  });

  it('lets the last of several win, allows an empty name and nests nothing', () => {
    expect(cookies('a=1; a=2; =x; b[]=1; b[c]=2')).to.deep.equal({ a: '2', '': 'x', 'b[]': '1', 'b[c]': '2' });
  });

  it('gives names such as __proto__ no meaning', () => {
    const result = parseCookie('__proto__=1; constructor=2');
    expect(Object.getPrototypeOf(result)).to.equal(null);
    expect(Object.entries(result)).to.deep.equal([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  it('finds what was put together', () => {
    const name = fc.stringMatching(/^[!-:<>-~]{0,6}$/);
    const value = fc.stringMatching(/^[ -:<-~]{0,8}$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        fc.constantFrom(';', '; ', ' ;\t'),
        (pairs, separator) => {
          const clean = pairs.map(([key, each]) => [key, each] as const);
          const result = parseCookie(clean.map(([key, each]) => `${key}=${each};x`).join(separator));
          for (const [key, each] of new Map(clean)) expect(result[key]).to.equal(each);
          expect(Object.keys(result)).to.have.length(new Map(clean).size);
        },
      ),
    );
  });
});
