import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import * as api from '../../index.js';
import { root, type Block } from './pages.js';

/*
 * All code of the pages in one compilation, under the strictest options that a user may have. Each block is a module of
 * its own that exists in memory only, in a folder from which packages are found as from anywhere in the repository.
 */

const FOLDER = join(root, 'test', 'docs', 'pages');

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  allowJs: true,
  checkJs: true,
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noUncheckedIndexedAccess: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  paths: {
    'workerman-ts': [join(root, 'index.ts')],
    'workerman-ts/connection': [join(root, 'connection/index.ts')],
    'workerman-ts/protocols': [join(root, 'protocols/index.ts')],
    'workerman-ts/protocols/http': [join(root, 'protocols/http/index.ts')],
    'workerman-ts/timer': [join(root, 'timer/index.ts')],
  },
};

/** Names that a prelude declares. */
function namesIn(prelude: string): string[] {
  const file = join(root, 'test', 'docs', 'prelude', `${prelude}.ts`);
  if (!existsSync(file)) throw new Error(`There is no prelude '${prelude}'`);
  return [...readFileSync(file, 'utf8').matchAll(/^export declare const (\w+)/gm)].map(([, name]) => name!);
}

/** The module that a block is. What is put around a fragment stands in its first line, so that lines keep their numbers. */
function moduleOf({ prelude, code }: Block): string {
  if (prelude === null) return code;
  const imports = `import { ${Object.keys(api).join(', ')} } from 'workerman-ts';`;
  const declared = `import { ${namesIn(prelude).join(', ')} } from '../prelude/${prelude}.js';`;
  return `${imports} ${declared} async function fragment() { ${code} }`;
}

/** What the compiler says against each block; an empty text for one that is fine. */
export function compileBlocks(blocks: readonly Block[]): Map<Block, string> {
  const modules = new Map<string, { block: Block; text: string }>();
  for (const [i, block] of blocks.entries()) {
    modules.set(join(FOLDER, `${i}.${block.language}`), { block, text: moduleOf(block) });
  }
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists.call(host, name);
  host.readFile = (name) => modules.get(name)?.text ?? readFile.call(host, name);
  const program = ts.createProgram([...modules.keys()], OPTIONS, host);
  const complaints = new Map<Block, string>();
  for (const [name, { block }] of modules) {
    const source = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    complaints.set(block, found.map((diagnostic) => explain(diagnostic, source, block)).join('\n'));
  }
  return complaints;
}

function explain({ start = 0, messageText }: ts.Diagnostic, source: ts.SourceFile, block: Block): string {
  const { line } = source.getLineAndCharacterOfPosition(start);
  return `${block.page}:${block.line + line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}
