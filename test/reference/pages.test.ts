import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { reference, root } from './reference.js';

const AGAIN = 'docs/api is not what the docstrings say: run `npm run docs` and commit what it writes';

/** Path → text of every page below a folder. */
function pagesIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md')).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

describe('the pages in docs/api', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-reference-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are those that the docstrings make', async () => {
    const { app, project } = await reference();
    await app.outputs.writeOutput({ name: 'markdown', path: folder }, project);
    const made = pagesIn(folder);
    const kept = pagesIn(join(root, 'docs', 'api'));
    expect(Object.keys(kept), AGAIN).to.deep.equal(Object.keys(made));
    for (const [path, text] of Object.entries(made)) expect(kept[path], `${path}: ${AGAIN}`).to.equal(text);
  });

  it('say nothing of the machine that made them', () => {
    const text = Object.values(pagesIn(join(root, 'docs', 'api'))).join('\n');
    expect(text).not.to.include(root);
    expect(text).not.to.include(tmpdir());
    expect(text).not.to.match(/\b[0-9a-f]{40}\b|Defined in/);
  });
});
