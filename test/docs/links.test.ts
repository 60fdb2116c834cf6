import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isGenerated, pages, resolveLink, root, type Page } from './pages.js';

/** What does not lead anywhere, with the line it stands in. */
function brokenLinks({ path, links, anchors }: Page): string[] {
  return links.filter(({ target }) => !/^(https?|mailto):/.test(target)).flatMap(({ target, line }) => {
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? path : resolveLink(path, file);
    if (!existsSync(join(root, found))) return [`line ${line}: ${target}: there is no ${found}`];
    const known = found === path ? anchors : pages.find((page) => page.path === found)?.anchors;
    return anchor === undefined || known === undefined || known.has(anchor) ? [] : [`line ${line}: ${target}: no such heading`];
  });
}

describe('the links in the pages', () => {
  for (const page of pages) {
    it(`lead somewhere: ${page.path}`, () => {
      expect(brokenLinks(page)).to.deep.equal([]);
    });
  }

  it('lead from the README, in a few steps, to every page that is written by hand', () => {
    const reached = new Set(['README.md', 'llms.txt']);
    for (const path of reached) {
      const page = pages.find((candidate) => candidate.path === path);
      for (const { target } of page?.links ?? []) {
        if (!/^(https?|mailto):|^#/.test(target)) reached.add(resolveLink(path, target.split('#')[0]!));
      }
    }
    const lost = pages.map(({ path }) => path).filter((path) => !isGenerated(path) && !reached.has(path));
    expect(lost).to.deep.equal([]);
  });

  it('lead from llms.txt to every page of docs/ that is written by hand, one line each', () => {
    const { links } = pages.find(({ path }) => path === 'llms.txt')!;
    const written = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !isGenerated(path));
    expect(links.map(({ target }) => target)).to.include.members(written);
    expect(new Set(links.map(({ line }) => line)).size).to.equal(links.length);
  });
});
