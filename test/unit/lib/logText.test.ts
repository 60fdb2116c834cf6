import { expect } from 'chai';
import fc from 'fast-check';
import { WorkermanError } from '../../../errors.js';
import { decorate, formatMessage, supportsColour } from '../../../lib/logText.js';

describe('decorate', () => {
  const text = '<n>a<w> b </w><g>c</g></n> <b>d</b> < w >';

  it('removes the tags when no decoration is asked for', () => {
    expect(decorate(text, false, true)).to.equal('a b c <b>d</b> < w >');
  });

  it('removes the tags when the terminal shows no colours', () => {
    expect(decorate(text, true, false)).to.equal('a b c <b>d</b> < w >');
  });

  it('makes escape sequences of the tags otherwise', () => {
    expect(decorate(text, true, true)).to.equal(
      '\x1b[1A\n\x1b[Ka\x1b[47;30m b \x1b[0m\x1b[32;40mc\x1b[0m\x1b[0m <b>d</b> < w >',
    );
  });

  it('leaves text without tags alone', () => {
    fc.assert(fc.property(fc.string(), fc.boolean(), (plain, decorated) => {
      fc.pre(!/<\/?[nwg]>/.test(plain));
      expect(decorate(plain, decorated, true)).to.equal(plain);
    }));
  });
});

describe('supportsColour', () => {
  it('follows the stream', () => {
    expect(supportsColour({ isTTY: true }, {})).to.equal(true);
    expect(supportsColour({ isTTY: false }, {})).to.equal(false);
    expect(supportsColour({}, {})).to.equal(false);
  });

  it('says yes in Hyper', () => {
    expect(supportsColour({}, { TERM_PROGRAM: 'Hyper' })).to.equal(true);
    expect(supportsColour({}, { TERM_PROGRAM: 'other' })).to.equal(false);
  });

  it('says no whenever NO_COLOR is set, to nothing even', () => {
    for (const value of ['', '0', '1']) {
      expect(supportsColour({ isTTY: true }, { NO_COLOR: value, TERM_PROGRAM: 'Hyper' })).to.equal(false);
    }
  });
});

describe('formatMessage', () => {
  it('trims text at both ends', () => {
    expect(formatMessage(' \n a\n b \t\n')).to.equal('a\n b');
  });

  it('shows an error with class, message and stack', () => {
    const lines = formatMessage(new TypeError('it broke')).split('\n');
    expect(lines[0]).to.equal('TypeError: it broke');
    expect(lines[1]).to.match(/^ {4}at .*logText\.test\.ts/);
    expect(lines.length).to.be.above(2);
  });

  it('shows the class of an error that never set its name', () => {
    class Broken extends Error {}
    expect(formatMessage(new Broken('x'))).to.match(/^Broken: x\n {4}at /);
  });

  it('shows a name that was set after the stack was taken', () => {
    expect(formatMessage(new WorkermanError('WM_LISTEN', 'x'))).to.match(/^WorkermanError: x\n {4}at /);
    const renamed = new Error('first\n    at nowhere');
    renamed.name = 'Renamed';
    expect(formatMessage(renamed)).to.match(/^Renamed: first\n {4}at nowhere\n {4}at .*logText/);
  });

  it('shows an error without a stack', () => {
    const bare = new Error('x');
    delete bare.stack;
    expect(formatMessage(bare)).to.equal('Error: x');
  });

  it('shows the causes of an error, and ends with a circle of them', () => {
    const inner = new Error('inner');
    const outer = new RangeError('outer', { cause: new Error('middle', { cause: inner }) });
    const shown = (error: Error): string[] => formatMessage(error).split('\n').filter((line) => !/^ {4}at /.test(line));
    expect(shown(outer)).to.deep.equal(['RangeError: outer', 'Caused by: Error: middle', 'Caused by: Error: inner']);
    inner.cause = outer;
    expect(shown(outer)).to.have.length(9);
  });

  it('shows the errors that one stands for, and causes that are no errors', () => {
    const several = new AggregateError([new Error('one'), 'two'], '');
    expect(formatMessage(several)).to.match(/^AggregateError: \n[^]*\nCaused by: Error: one\n[^]*\nCaused by: two$/);
    expect(formatMessage(new Error('x', { cause: { code: 7 } }))).to.match(/\nCaused by: \{ code: 7 \}$/);
  });

  it('makes text of every other value', () => {
    expect([0, true, null, undefined, 7n, Symbol('s')].map(formatMessage)).to.deep.equal([
      '0', 'true', 'null', 'undefined', '7', 'Symbol(s)',
    ]);
    expect(formatMessage({ a: [1] })).to.equal('{ a: [ 1 ] }');
  });

  it('never throws', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'message', { get: () => { throw new Error('no'); } });
    expect(formatMessage(hostile)).to.equal('[a value that can not be shown]');
    fc.assert(fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }), (value) => {
      expect(formatMessage(value)).to.be.a('string');
    }));
  });
});
