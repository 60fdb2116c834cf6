import { expect } from 'chai';
import fc from 'fast-check';
import { numberText } from '../../../protocols/toBytes.js';

describe('a number as text', () => {
  const table: readonly (readonly [number | bigint, string])[] = [
    [0, '0'], [-0, '0'], [1, '1'], [-17, '-17'], [2.5, '2.5'], [-0.75, '-0.75'], [100000.5, '100000.5'],
    [0.1 + 0.2, '0.3'], [1 / 3, '0.33333333333333'], [2 / 3, '0.66666666666667'], [100 / 3, '33.333333333333'],
    [0.0001, '0.0001'], [0.00012345, '0.00012345'], [0.00001, '1.0E-5'], [-1.5e-7, '-1.5E-7'], [5e-324, '4.9406564584125E-324'],
    [10000208948539.5, '10000208948540'], [99999999999999.5, '1.0E+14'], [9999999999999.5, '9999999999999.5'], [123456789012345.6, '1.2345678901235E+14'],
    [45185220194980.5, '45185220194980'], [-45185220194981.5, '-45185220194982'], [48126034229.0625, '48126034229.062'],
    [1e15, '1000000000000000'], [2 ** 53, '9007199254740992'], [1e18, '1000000000000000000'], [2 ** 62 + 2 ** 12, '4611686018427392000'],
    [2 ** 63, '9.2233720368548E+18'], [-(2 ** 63), '-9223372036854775808'], [1e21, '1.0E+21'], [1.5e300, '1.5E+300'],
    [NaN, 'NAN'], [Infinity, 'INF'], [-Infinity, '-INF'],
    [12345678901234567890123n, '12345678901234567890123'],
  ];
  for (const [value, text] of table) {
    it(`is ${text} as in PHP`, () => {
      expect(numberText(value)).to.equal(text);
    });
  }

  it('means the same number, to 14 digits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = numberText(value);
        expect(text).to.match(/^-?\d+(\.\d+)?(E[+-]\d+)?$/);
        expect(Math.abs(Number(text) - value)).to.be.at.most(Math.abs(value) * 5.1e-14 + 5e-324);
      }),
      { numRuns: 2000 },
    );
  });
});
