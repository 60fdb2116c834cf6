import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../lib/commands/parseCommand.js';
import { blocksIn, placeOf, root, type Block } from './pages.js';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Files of the repository; others are files of the reader's. */
const OUR_FILES = /^(examples|bench|test|\.ci|node_modules)\//;

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
function npmProblem([command = '', script = '', ...suites]: string[]): string {
  if (!['run', 'start', 'test'].includes(command)) return '';
  const name = command === 'run' ? script : command;
  if (!Object.hasOwn(scripts, name)) return `package.json has no script '${name}'`;
  const missing = suites.filter((suite) => name === 'test' && /^\w+$/.test(suite) && !existsSync(join(root, 'test', suite)));
  return missing.length === 0 || suites.includes('--grep') ? '' : `there are no tests '${missing.join(' ')}'`;
}

/** Says what is wrong with a start script and the words behind it. */
function serviceProblem([file = '', ...words]: string[]): string {
  if (!/\.[cm]?[jt]s$/.test(file)) return `'${file}' is no script`;
  const ours = words.filter((word) => /\.[cm]?[jt]s$/.test(word)).concat(file).filter((path) => OUR_FILES.test(path));
  if (ours.length > 0) return ours.every((path) => existsSync(join(root, path))) ? '' : `there is no ${ours.join(' or ')}`;
  const { command, rest } = parseCommand(words);
  return command === 'usage' || rest.length > 0 ? `'${words.join(' ')}' is no command of a start script` : '';
}

/** Says what is wrong with a command that is one of ours. */
function problemOf([program, ...words]: string[]): string {
  if (program === 'npx' && words[0] === 'workerman' && words[1] === 'init') {
    return /\binit\b/.test(readFileSync(join(root, 'bin', 'workerman.ts'), 'utf8')) ? '' : 'workerman has no init';
  }
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
