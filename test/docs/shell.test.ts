import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../lib/commands/parseCommand.js';
import { blocksIn, placeOf, root, type Block } from './pages.js';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Words of each command in a block, without comments, pipes and what stands behind them. */
function commandsIn({ code }: Block): string[][] {
  return code
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s*(?:\||&&|;)\s*/))
    .map((command) => command.trim().split(/\s+/))
    .filter(([program]) => program !== '');
}

/** Says what is wrong with `npm run x`, `npm start`, `npm test`; an empty text for nothing. */
function npmProblem([command = '', script = '']: string[]): string {
  const name = command === 'run' ? script : command === 't' ? 'test' : command;
  if (!['run', 'start', 'test'].includes(command)) return '';
  return Object.hasOwn(scripts, name) ? '' : `package.json has no script '${name}'`;
}

/** Says what is wrong with a start script and the words behind it. */
function serviceProblem([file = '', ...words]: string[]): string {
  if (!/\.[cm]?[jt]s$/.test(file)) return `'${file}' is no script`;
  if (/^(examples|bench|test|\.ci)\//.test(file)) return existsSync(join(root, file)) ? '' : `there is no ${file}`;
  const { command, rest } = parseCommand(words);
  return command === 'usage' || rest.length > 0 ? `'${words.join(' ')}' is no command of a start script` : '';
}

/** Says what is wrong with a command that is one of ours. */
function problemOf([program, ...words]: string[]): string {
  if (program === 'npm') return npmProblem(words);
  if (program === 'node') return serviceProblem(words.filter((word) => !word.startsWith('--import') && word !== 'tsx'));
  if (program === 'npx' && (words[0] === 'workerman' || words[0] === 'tsx')) return serviceProblem(words.slice(1));
  return '';
}

describe('the commands in the pages', () => {
  for (const block of blocksIn('sh')) {
    it(`exist: ${placeOf(block)}`, () => {
      const commands = commandsIn(block);
      expect(commands).not.to.be.empty;
      expect(commands.map(problemOf).filter((problem) => problem !== '')).to.deep.equal([]);
    });
  }
});
