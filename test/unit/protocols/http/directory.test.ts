import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { findInDirectory, type DirectoryOptions } from '../../../../protocols/http/directory.js';
import { Response } from '../../../../protocols/http/Response.js';

/** A file system as the model knows it: folders, files with their content, links with their target from the root. */
type Node = { dir: Record<string, Node> } | { file: string } | { link: string };

const file = (content: string): Node => ({ file: content });
const dir = (entries: Record<string, Node>): Node => ({ dir: entries });
const link = (target: string): Node => ({ link: target });

/** Everything below a temporary folder; `site` is what is served. Links are absolute paths in it. */
const TREE: Node = dir({
  'secret.txt': file('secret'),
  outside: dir({ 'index.html': file('outside') }),
  'site-private': dir({ 'a.txt': file('sibling') }),
  site: dir({
    'index.html': file('home'),
    'a.txt': file('a'),
    'ä ö%2e.txt': file('umlaut'),
    '100%.txt': file('percent'),
    'back\\slash.txt': file('backslash'),
    '...': file('three dots'),
    '.env': file('env'),
    '.git': dir({ config: file('config') }),
    empty: dir({}),
    sub: dir({ 'index.html': file('sub'), 'b.txt': file('b'), '.hidden': file('hidden'), deep: dir({ 'c.txt': file('c') }) }),
    'only-dir': dir({ 'index.html': dir({}) }),
    'to-a': link('/site/a.txt'),
    'to-sub': link('/site/sub'),
    'to-env': link('/site/.env'),
    'to-git': link('/site/.git'),
    'to-secret': link('/secret.txt'),
    'to-outside': link('/outside'),
    'to-sibling': link('/site-private'),
    'to-root': link('/site'),
    'to-top': link('/'),
    circle: link('/site/circle'),
    dangling: link('/site/nothing'),
    'linked-index': dir({ 'index.html': link('/secret.txt') }),
    'inner-index': dir({ 'index.html': link('/site/a.txt') }),
  }),
});

/** What the model says is at the real path `names` from the top, links followed: names of the real path, and the node. */
function walk(names: readonly string[], budget = { links: 40 }): { path: string[]; node: Node } | null {
  let path: string[] = [];
  let node: Node = TREE;
  for (const name of names) {
    if (!('dir' in node) || !Object.hasOwn(node.dir, name)) return null;
    const next: Node = node.dir[name]!;
    if (!('link' in next)) {
      path = [...path, name];
      node = next;
      continue;
    }
    if (budget.links-- === 0) return null;
    const target = walk(next.link.split('/').filter((part) => part !== ''), budget);
    if (target === null) return null;
    ({ path, node } = target);
  }
  return { path, node };
}

/** What must be served, by the rules as they are documented. */
function expected(path: string, dotFiles: boolean): string | null {
  const allowed = (name: string): boolean => name !== '' && name !== '.' && name !== '..' && (dotFiles || name[0] !== '.');
  const parts = path.replace(/^\//, '').split('/');
  const asDirectory = parts.at(-1) === '';
  if (asDirectory) parts.pop();
  const names: string[] = [];
  for (const part of parts) {
    let name: string;
    try {
      name = decodeURIComponent(part);
    } catch {
      return null;
    }
    if (!allowed(name) || /[/\\\p{Cc}]/u.test(name)) return null;
    names.push(name);
  }
  const inside = (found: ReturnType<typeof walk>): found is { path: string[]; node: Node } =>
    found !== null && found.path[0] === 'site' && found.path.slice(1).every(allowed);
  const found = walk(['site', ...names]);
  if (!inside(found)) return null;
  if ('file' in found.node) return asDirectory ? null : found.node.file;
  const index = walk([...found.path, 'index.html']);
  return inside(index) && 'file' in index.node ? index.node.file : null;
}

describe('Response.fromDirectory', () => {
  let top: string;
  let site: string;

  function build(path: string, node: Node): void {
    if ('file' in node) writeFileSync(path, node.file);
    else if ('link' in node) symlinkSync(join(top, node.link), path);
    else {
      mkdirSync(path, { recursive: true });
      for (const [name, child] of Object.entries(node.dir)) build(join(path, name), child);
    }
  }

  before(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'directory-')));
    build(top, TREE);
    site = join(top, 'site');
  });
  after(() => rmSync(top, { recursive: true }));

  /** Content of what is found, read through the path that is given back. */
  function served(path: string, options?: DirectoryOptions): string | null {
    const found = findInDirectory(site, path, options);
    if (found === null) return null;
    expect(realpathSync(found)).to.equal(found);
    return contentOf(found);
  }

  const contentOf = (path: string): string => (walk(path.slice(top.length + 1).split('/'))!.node as { file: string }).file;

  for (const [path, content] of [
    ['/', 'home'], ['', 'home'], ['/index.html', 'home'], ['/a.txt', 'a'], ['a.txt', 'a'], ['/sub/', 'sub'], ['/sub', 'sub'],
    ['/sub/deep/c.txt', 'c'], ['/%61.txt', 'a'], ['/%C3%A4%20%C3%B6%252e.txt', 'umlaut'], ['/100%25.txt', 'percent'],
    ['/...', 'three dots'], ['/to-a', 'a'], ['/to-sub/b.txt', 'b'], ['/to-root/a.txt', 'a'], ['/to-root/', 'home'], ['/to-top/site/a.txt', 'a'],
    ['/inner-index/', 'a'],
  ] as const) {
    it(`finds ${JSON.stringify(path)}`, () => {
      expect(served(path, path === '/...' ? { dotFiles: true } : {})).to.equal(content);
    });
  }

  for (const path of [
    '/../secret.txt', '/..', '/.', '/./a.txt', '/sub/../a.txt', '/%2e%2e/secret.txt', '/%2E%2E%2Fsecret.txt', '/..%2fsecret.txt',
    '/..%5csecret.txt', '/..\\secret.txt', '/sub%2fb.txt', '/sub%5Cb.txt', '/back\\slash.txt', '/back%5cslash.txt', '/%252e%252e/secret.txt',
    '/a.txt%00', '/a.txt%00.html', '/a.txt\0', '/%0a', '/a.txt/', '/a.txt/x', '//a.txt', '/sub//b.txt', '//', '/sub//',
    '/.env', '/%2eenv', '/.git/config', '/sub/.hidden', '/to-env', '/to-git/config', '/to-secret', '/to-outside/', '/to-outside/index.html',
    '/to-sibling/a.txt', '/to-top/secret.txt', '/circle', '/dangling', '/empty', '/empty/', '/only-dir/',
    '/linked-index/', '/nothing', '/%', '/%zz', '/%ff', '/%c0%ae%c0%ae/secret.txt', '/a.txt?x', '/100%.txt', `/${'x'.repeat(5000)}`,
  ]) {
    it(`finds nothing for ${JSON.stringify(path.slice(0, 60))}`, () => {
      expect(findInDirectory(site, path)).to.equal(null);
    });
  }

  it('shows hidden files where that is wanted, and still nothing outside', () => {
    expect(served('/.env', { dotFiles: true })).to.equal('env');
    expect(served('/to-git/config', { dotFiles: true })).to.equal('config');
    for (const path of ['/..', '/../secret.txt', '/.', '/to-secret']) expect(served(path, { dotFiles: true })).to.equal(null);
  });

  it('takes another index, or none', () => {
    expect(served('/sub/', { index: 'b.txt' })).to.equal('b');
    expect(served('/sub/', { index: '' })).to.equal(null);
    expect(served('/sub/', { index: '../a.txt' })).to.equal('a');
    expect(served('/sub/', { index: '../../secret.txt' })).to.equal(null);
  });

  it('takes a root that is a link, or ends with a slash, and none that is missing', () => {
    expect(findInDirectory(join(site, 'to-outside'), '/')).to.equal(join(top, 'outside', 'index.html'));
    expect(findInDirectory(`${site}/`, '/a.txt')).to.equal(join(site, 'a.txt'));
    expect(findInDirectory(join(site, 'nothing'), '/')).to.equal(null);
    expect(findInDirectory('/', `${site}/a.txt`)).to.equal(join(site, 'a.txt'));
  });

  it('sends regular files alone', () => {
    execFileSync('mkfifo', [join(site, 'fifo')]);
    expect(findInDirectory(site, '/fifo')).to.equal(null);
  });

  it('gives a Response: the file, or a 404', () => {
    const found = Response.fromDirectory(site, '/sub/');
    expect([found.getStatusCode(), found.file?.file]).to.deep.equal([200, join(site, 'sub', 'index.html')]);
    const missing = Response.fromDirectory(site, '/../secret.txt');
    expect([missing.getStatusCode(), missing.rawBody(), missing.file]).to.deep.equal([404, '<h3>404 Not Found</h3>', null]);
  });

  it('agrees with the model for any path', () => {
    const names = new Set<string>(['', '.', '..', '...', 'x', '~', ' ']);
    const collect = (node: Node): void => {
      if ('dir' in node) for (const [name, child] of Object.entries(node.dir)) collect((names.add(name), child));
    };
    collect(TREE);
    const encode = (text: string, how: number): string => {
      if (how === 0) return text;
      if (how === 1) return encodeURIComponent(text);
      return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    };
    const part = fc.tuple(fc.constantFrom(...names), fc.nat(2)).map(([name, how]) => encode(name, how));
    const odd = fc.constantFrom('%2f', '%5c', '\\', '%00', '%2e', '%', '%25', '/');
    const path = fc.array(fc.oneof({ weight: 8, arbitrary: part }, { weight: 1, arbitrary: odd }), { maxLength: 6 })
      .map((parts) => `/${parts.join('/')}`);
    let found = 0;
    fc.assert(fc.property(path, fc.boolean(), (text, dotFiles) => {
      const wanted = expected(text, dotFiles);
      if (wanted !== null) found++;
      expect(served(text, { dotFiles }), text).to.equal(wanted);
    }), { numRuns: 5000 });
    expect(found).to.be.above(300);
  });
});
