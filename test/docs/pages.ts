import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A fenced block of a page. The comment right above it says what it is when its language is not enough:
 * `<!-- fragment -->` is a part of an HTTP worker's script, `<!-- fragment: websocket -->` of another one, see `prelude/`.
 */
export interface Block {
  /** Path of the page from the root of the repository. */
  page: string;
  /** Line of its first line of code, from 1. */
  line: number;
  /** First word behind the fence: `ts`, `sh`; `''` for none. */
  language: string;
  /** The prelude that a fragment needs; null for code that stands alone. */
  prelude: string | null;
  code: string;
}

/** What a page says. */
export interface Page {
  path: string;
  blocks: Block[];
  /** What `#…` may lead to. */
  anchors: Set<string>;
  /** Targets of links and images, with the line that each stands in. */
  links: { target: string; line: number }[];
}

const TOP = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'llms.txt'];

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return markdownBelow(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

/** As GitHub makes anchors of headings: lower case, no punctuation, dashes for blanks. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  return text.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
}

function readPage(path: string): Page {
  const page: Page = { path, blocks: [], anchors: new Set(), links: [] };
  let open: Block | null = null;
  let above = '';
  for (const [index, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
    const fence = /^```\s*(\S*)/.exec(line);
    if (open !== null) {
      if (fence === null) open.code += `${line}\n`;
      else open = null;
    } else if (fence !== null) {
      const directive = /^<!-- fragment(?:: (\S+))? -->$/.exec(above);
      const prelude = directive === null ? null : (directive[1] ?? 'http');
      open = { page: path, line: index + 2, language: fence[1]!, prelude, code: '' };
      page.blocks.push(open);
    } else {
      readProse(page, line, index + 1);
    }
    if (line.trim() !== '') above = line.trim();
  }
  if (open !== null) throw new Error(`${path}: the block of line ${open.line} has no end`);
  return page;
}

function readProse(page: Page, line: string, number: number): void {
  const heading = /^#{1,6}\s+(.*)$/.exec(line)?.[1];
  if (heading !== undefined) {
    const anchor = anchorOf(heading);
    let name = anchor;
    for (let n = 1; page.anchors.has(name); n++) name = `${anchor}-${n}`;
    page.anchors.add(name);
  }
  const prose = line.replaceAll(/`[^`]*`/g, '');
  for (const [, id] of prose.matchAll(/<a id="([^"]+)">/g)) page.anchors.add(id!);
  for (const [, target] of prose.matchAll(/\]\(([^()\s]+)\)/g)) page.links.push({ target: target!, line: number });
}

/** All pages that people read, the generated reference included. */
export const pages: readonly Page[] = [...TOP.filter((path) => existsSync(join(root, path))), ...markdownBelow('docs')].map(readPage);

/** True for pages that are made from the sources. */
export const isGenerated = (path: string): boolean => path.startsWith('docs/api/');

/** The blocks of all pages that are written by hand, in some languages. */
export function blocksIn(...languages: string[]): Block[] {
  const written = pages.filter(({ path }) => !isGenerated(path));
  return written.flatMap(({ blocks }) => blocks).filter(({ language }) => languages.includes(language));
}

/** Where a block is, for people who have to find it. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`;

/** Path from the root of what a link in a page names. */
export const resolveLink = (page: string, target: string): string =>
  relative(root, join(root, dirname(page), decodeURIComponent(target)));
