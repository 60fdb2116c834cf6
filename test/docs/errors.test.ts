import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ERROR_CODES } from '../../errors.js';
import { PHRASES } from '../../protocols/http/phrases.js';
import { root } from './pages.js';
import { sources, thrownErrors } from './thrown.js';

const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');

/** Cells of the rows below a heading. */
function rowsBelow(heading: string): string[][] {
  const start = page.indexOf(`\n${heading}\n`);
  const end = page.indexOf('\n#', start + heading.length);
  const rows = page.slice(start, end < 0 ? undefined : end).split('\n').filter((line) => /^\| [`\w]/.test(line));
  // The first one has the names of the columns.
  return rows.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

const bare = (cell: string | undefined): string => (cell ?? '').replace(/^`(.*)`$/, '$1');

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Finds a line of the page in the sources, where something is filled in for each `<name>`. */
const patternOf = (line: string): RegExp => new RegExp(line.split(/<[\w ]+>/).map(escape).join('(\\$\\{[^`\\n]*\\})'));

describe('docs/errors.md', () => {
  it('says of each code what the code says', () => {
    const documented = rowsBelow('## Errors that the package throws').map(([code, means]) => [bare(code), means]);
    expect(Object.fromEntries(documented)).to.deep.equal(ERROR_CODES);
  });

  it('has every text that the package throws, with its code, and no other', () => {
    const thrown = thrownErrors().map(({ code, message }) => {
      if (code === 'TypeError') return `${message} | none: a plain \`TypeError\``;
      return `${message} | ${code === null ? "the system's" : `\`${code}\``}`;
    });
    const documented = rowsBelow('### Texts').map(([text, code]) => `${bare(text)} | ${code}`);
    expect(documented).to.have.members([...new Set(thrown)]);
  });

  for (const heading of ['## What onError hears', '## What the operator sees']) {
    it(`quotes lines that the package writes: ${heading.slice(3)}`, () => {
      const lines = rowsBelow(heading).map(([line]) => line ?? '').filter((line) => line.startsWith('`'));
      expect(lines).not.to.be.empty;
      expect(lines.filter((line) => !sources.some((source) => patternOf(bare(line)).test(source)))).to.deep.equal([]);
    });
  }

  it('quotes answers by the phrases of HTTP', () => {
    const answers = rowsBelow('## What a peer hears').flatMap(([, answer]) => answer?.match(/(?<=`)\d{3} [^`]+/g) ?? []);
    expect(answers).not.to.be.empty;
    for (const answer of answers) expect(PHRASES[Number(answer.slice(0, 3))]).to.equal(answer.slice(4));
  });
});
