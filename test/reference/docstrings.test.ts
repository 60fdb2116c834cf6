import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DeclarationReflection } from 'typedoc';
import { ABSENT, ABSENT_CLASSES, CHECKLIST, COMMANDS, MODES, SIGNALS } from './checklist.js';
import { membersOf } from './members.js';
import { reference, root } from './reference.js';

const page = (path: string): string => readFileSync(join(root, 'docs', path), 'utf8');

/** The text of a docstring, or of the first of each signature's. */
function textOf(reflection: DeclarationReflection): string {
  const comments = [reflection.comment, ...(reflection.signatures ?? []).map(({ comment }) => comment)];
  return comments.map((comment) => comment?.summary.map((part) => part.text).join('') ?? '').join('').trim();
}

describe('the API reference', function () {
  this.timeout(120_000);

  it('has nothing that TypeDoc complains about', async () => {
    expect((await reference()).complaints).to.deep.equal([]);
  });

  for (const [owner, names] of Object.entries(CHECKLIST)) {
    it(`explains ${owner} and each of its members`, async () => {
      const { project } = await reference();
      const { ReflectionKind } = await import('typedoc');
      const kind = names.kind === 'class' ? ReflectionKind.Class : ReflectionKind.Interface;
      const found = project.children?.find((child) => child.name === owner && child.kindOf(kind));
      expect(found, owner).not.to.equal(undefined);
      expect(textOf(found!)).not.to.equal('');
      const silent = membersOf(owner, names).filter(({ name, isStatic }) => {
        const member = found!.children?.find((child) => child.name === name && child.flags.isStatic === isStatic);
        return member === undefined || textOf(member) === '';
      });
      expect(silent.map(({ title }) => title)).to.deep.equal([]);
    });
  }

  it('says which names of Workerman are left out', () => {
    const index = page('api/README.md');
    const absent = [...ABSENT_CLASSES, ...Object.values(ABSENT).flat()];
    expect(absent.filter((name) => !new RegExp(`\\b${name}\\b`).test(index))).to.deep.equal([]);
  });
});

describe('the pages about commands and signals', () => {
  it('know every command and mode', () => {
    const text = page('processes.md') + page('signals.md');
    expect([...COMMANDS, ...MODES].filter((word) => !text.includes(word))).to.deep.equal([]);
  });

  it('know every signal', () => {
    const text = page('signals.md');
    expect(SIGNALS.filter((word) => !text.includes(word))).to.deep.equal([]);
  });
});
