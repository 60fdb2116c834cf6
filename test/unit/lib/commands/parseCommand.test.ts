import { expect } from 'chai';
import fc from 'fast-check';
import { COMMANDS, commandWords, parseCommand } from '../../../../lib/commands/parseCommand.js';
import type { ParsedCommand } from '../../../../lib/commands/parseCommand.js';

const PLAIN: ParsedCommand = {
  command: 'start', daemon: false, graceful: false, quiet: false, json: false, watch: false, unknown: false, rest: [],
};

/** Splits a command line at its blanks and parses it. */
const parse = (line: string, extra = ''): ParsedCommand => parseCommand(line === '' ? [] : line.split(' '), extra);

const CASES: [line: string, extra: string, expected: Partial<ParsedCommand>][] = [
  ['', '', {}],
  ['start', '', {}],
  ['start --watch', '', { watch: true }],
  ['--watch', '', { watch: true }],
  ['-q --watch restart', '', { command: 'restart', watch: true, quiet: true }],
  ['reload --watch', '', { command: 'reload', rest: ['--watch'] }],
  ['stop', '', { command: 'stop' }],
  ['restart', '', { command: 'restart' }],
  ['reload', '', { command: 'reload' }],
  ['status', '', { command: 'status' }],
  ['connections', '', { command: 'connections' }],
  ['start -d', '', { daemon: true }],
  ['-d start', '', { daemon: true }],
  ['-d', '', { daemon: true }],
  ['stop -g', '', { command: 'stop', graceful: true }],
  ['restart -d -g', '', { command: 'restart', daemon: true, graceful: true }],
  ['-g restart -d', '', { command: 'restart', daemon: true, graceful: true }],
  ['status -d', '', { command: 'status', daemon: true }],
  ['start -q', '', { quiet: true }],
  ['-q', '', { quiet: true }],
  ['-d -d start', '', { daemon: true }],
  ['start --port 80 foo -d', '', { daemon: true, rest: ['--port', '80', 'foo'] }],
  ['--port 80 start', '', { rest: ['--port', '80'] }],
  ['--port=80', '', { rest: ['--port=80'] }],
  ['start stop', '', { rest: ['stop'] }],
  ['start start', '', { rest: ['start'] }],
  ['-dg start', '', { rest: ['-dg'] }],
  ['--daemon start', '', { rest: ['--daemon'] }],
  ['--port 80', '', { command: 'usage', unknown: true, rest: ['--port', '80'] }],
  ['Start', '', { command: 'usage', unknown: true, rest: ['Start'] }],
  ['foo -d', '', { command: 'usage', unknown: true, daemon: true, rest: ['foo'] }],
  ['-h', '', { command: 'usage' }],
  ['--help', '', { command: 'usage' }],
  ['start -h', '', { command: 'usage' }],
  ['foo --help', '', { command: 'usage', rest: ['foo'] }],
  ['status --json', '', { command: 'status', json: true }],
  ['--json -d status', '', { command: 'status', json: true, daemon: true }],
  ['connections --json', '', { command: 'connections', json: true }],
  ['start --json', '', { rest: ['--json'] }],
  ['--json', '', { rest: ['--json'] }],
  ['', 'start', {}],
  ['', 'start -d', { daemon: true }],
  ['', '  start \t -d ', { daemon: true }],
  ['stop', 'start -d', { command: 'stop', daemon: true, rest: ['start'] }],
  ['foo', 'start', { rest: ['foo'] }],
  ['-g', 'restart', { command: 'restart', graceful: true }],
  ['', 'nonsense', { command: 'usage', unknown: true, rest: ['nonsense'] }],
];

const anyWord = fc.oneof(
  fc.constantFrom<string>(...COMMANDS, '-d', '-g', '-q', '-h', '--help', '--json', '--watch', '', '-', '--', '__proto__'),
  fc.string(),
);

describe('parseCommand', () => {
  for (const [line, extra, expected] of CASES) {
    const title = extra === '' ? `"${line}"` : `"${line}" with "${extra}" from the program`;
    it(`understands ${title}`, () => {
      expect(parse(line, extra)).to.deep.equal({ ...PLAIN, ...expected });
    });
  }

  it('takes an empty argument for an unknown command', () => {
    expect(parseCommand([''], '')).to.deep.equal({ ...PLAIN, command: 'usage', unknown: true, rest: [''] });
  });

  it('accepts any words and never throws', () => {
    fc.assert(fc.property(fc.array(anyWord), fc.string(), (argv, extra) => {
      const parsed = parseCommand(argv, extra);
      const words = commandWords(argv, extra);
      const first = words.find((word) => (COMMANDS as readonly string[]).includes(word));
      const help = words.includes('-h') || words.includes('--help');
      expect(parsed.daemon).to.equal(words.includes('-d'));
      expect(parsed.graceful).to.equal(words.includes('-g'));
      expect(parsed.quiet).to.equal(words.includes('-q'));
      if (help) expect(parsed).to.include({ command: 'usage', unknown: false });
      else if (first !== undefined) expect(parsed).to.include({ command: first, unknown: false });
      else expect(parsed.command).to.equal(words.every((word) => word.startsWith('-')) ? 'start' : 'usage');
      if (!help) expect(parsed.unknown).to.equal(parsed.command === 'usage');
    }));
  });

  it('keeps the words of the user in order and drops only its own', () => {
    fc.assert(fc.property(fc.array(anyWord), (argv) => {
      const { rest, json, watch } = parseCommand(argv, '');
      const own = [...(json ? ['--json'] : []), ...(watch ? ['--watch'] : [])];
      const modes = ['-d', '-g', '-q', '-h', '--help', ...own];
      const foreign = argv.filter((word) => !modes.includes(word));
      const named = foreign.findIndex((word) => (COMMANDS as readonly string[]).includes(word));
      expect(rest).to.deep.equal(foreign.filter((_, index) => index !== named));
    }));
  });
});

describe('commandWords', () => {
  it('puts the words of the program behind those of the command line', () => {
    expect(commandWords(['a b', ''], ' start  -d\n')).to.deep.equal(['a b', '', 'start', '-d']);
  });
});
