import { expect } from 'chai';
import * as api from '../../index.js';
import { compileBlocks } from './compile.js';
import { namesInPage } from './names.js';
import { blocksIn, isGenerated, pages, placeOf, type Block } from './pages.js';

/** Languages that a test here checks, and those that none can. `''` is for drawings and output. */
const LANGUAGES = ['ts', 'js', 'json', 'sh', '', 'php', 'nginx', 'caddyfile'];

describe('the TypeScript and JavaScript in the pages', function () {
  this.timeout(60_000);
  const blocks = blocksIn('ts', 'js');
  const names = namesInPage();
  let complaints: Map<Block, string>;

  before(() => {
    complaints = compileBlocks([...blocks, names]);
  });

  for (const block of blocks) {
    it(`compiles: ${placeOf(block)}`, () => {
      expect(complaints.get(block)).to.equal('');
    });
  }

  it('compiles: each name that docs/coming-from-php.md promises', () => {
    expect(complaints.get(names)).to.equal('');
  });

  it('leaves no class of the package out of docs/coming-from-php.md', () => {
    expect(Object.keys(api).filter((name) => !new RegExp(`\\b${name}\\b`).test(names.code))).to.deep.equal([]);
  });
});

describe('the JSON in the pages', () => {
  for (const block of blocksIn('json')) {
    it(`parses: ${placeOf(block)}`, () => {
      expect(() => JSON.parse(block.code) as unknown).not.to.throw();
    });
  }
});

describe('the blocks in the pages', () => {
  it('are in languages that are known here, so that none escapes its check by a typing mistake', () => {
    const blocks = pages.filter(({ path }) => !isGenerated(path)).flatMap((page) => page.blocks);
    const strange = blocks.filter(({ language }) => !LANGUAGES.includes(language));
    expect(strange.map((block) => `${placeOf(block)} ${block.language}`)).to.deep.equal([]);
  });
});
