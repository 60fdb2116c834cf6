import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, type Block } from './pages.js';

const PAGE = 'docs/coming-from-php.md';

/**
 * The names in the last section of docs/coming-from-php.md, as code that uses each. Those that are not here stand in the
 * last paragraph of the page.
 */
export function namesInPage(): Block {
  const text = readFileSync(join(root, PAGE), 'utf8');
  const section = text.slice(text.indexOf('\n## Every name\n'), text.indexOf('\n**Not here**'));
  const names = [...section.matchAll(/`(\w+(?:\.\w+)?)`/g)].map(([, name]) => name!);
  const code = names.map((name) => `void ${name};`).join('\n');
  return { page: PAGE, line: 1, language: 'ts', prelude: 'names', code };
}
