import { expect } from 'chai';
import { cell, rounded, shorten, titleLine, versionLine, widest } from '../../../../lib/screens/table.js';

describe('the table helpers', () => {
  it('put the odd dash of a title line to the right', () => {
    expect(titleLine(' A ', 8)).to.equal('-- A ---');
    expect(titleLine(' A ', 7)).to.equal('-- A --');
  });

  it('do not cut a title that is wider than its line', () => {
    expect(titleLine(' LONG ', 3)).to.equal(' LONG ');
  });

  it('fill a cell to the right and never cut it', () => {
    expect(cell('ab', 4)).to.equal('ab  ');
    expect(cell(12345, 4)).to.equal('12345');
  });

  it('find the widest value above the least width', () => {
    expect(widest([], 8)).to.equal(8);
    expect(widest(['123456789', 'a'], 8)).to.equal(9);
  });

  it('shorten what is over the limit only', () => {
    expect(shorten('abcd', 4)).to.equal('abcd');
    expect(shorten('abcde', 4)).to.equal('ab..');
  });

  it('round without trailing zeros', () => {
    expect(rounded(2.5, 2)).to.equal('2.5');
    expect(rounded(2.006, 2)).to.equal('2.01');
    expect(rounded(2, 1)).to.equal('2');
  });

  it('pad the versions to 24 and 30 characters', () => {
    const line = versionLine({ version: '1.2.3', node: '20.19.0', os: 'Linux/6.1' });
    expect(line).to.equal(`Workerman/1.2.3${' '.repeat(9)}Node/20.19.0${' '.repeat(18)}Linux/6.1`);
  });
});
