import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as api from '../../index.js';
import { root } from './pages.js';

const MIB = 1024 * 1024;

/** Rows of docs/limits.md that name a member of a class: class, member, what the page says is its default. */
function rows(): [owner: string, member: string, value: string][] {
  const page = readFileSync(join(root, 'docs/limits.md'), 'utf8');
  const found = [...page.matchAll(/^\| `([A-Z]\w+)\.(\w+)` \| ([^|]+) \|/gm)];
  return found.map(([, owner, member, value]) => [owner!, member!, value!]);
}

/** A default as it is written on the page. */
function parseDefault(text: string): number | boolean {
  if (text === 'off') return false;
  const [number, unit] = text.split(' ');
  return Number(number) * (unit === 'MiB' ? MIB : 1);
}

describe('docs/limits.md', () => {
  for (const [owner, member, value] of rows()) {
    it(`knows the default of ${owner}.${member}`, () => {
      const holder = (api as unknown as Record<string, Record<string, unknown>>)[owner];
      expect(holder?.[member]).to.equal(parseDefault(value));
    });
  }

  it('knows every limit of Http that can be set', () => {
    const settable = Object.entries(Object.getOwnPropertyDescriptors(api.Http)).filter(([, { set }]) => set !== undefined);
    const documented = rows().filter(([owner]) => owner === 'Http').map(([, member]) => member);
    expect(documented).to.include.members(settable.map(([name]) => name));
  });
});
