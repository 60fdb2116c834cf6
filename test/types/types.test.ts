import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';

/**
 * Compiles the `*.test-d.ts` files against the declarations that we ship, under the strictest options that a user may
 * have. A line that must not compile carries `@ts-expect-error`, and that fails when the line does compile.
 */

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const files = readdirSync(here).filter((name) => name.endsWith('.test-d.ts'));

const DOORS = {
  'workerman-ts': 'index.d.ts',
  'workerman-ts/connection': 'connection/index.d.ts',
  'workerman-ts/protocols': 'protocols/index.d.ts',
  'workerman-ts/protocols/http': 'protocols/http/index.d.ts',
  'workerman-ts/timer': 'timer/index.d.ts',
};

const text = (diagnostics: readonly ts.Diagnostic[]): string =>
  ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  });

/** Writes the declarations of the package to a folder, as the build does. */
function emitDeclarations(folder: string): string {
  const configFile = join(root, '.ci', 'tsconfig.build.json');
  const host: ts.ParseConfigFileHost = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (problem) => expect.fail(text([problem])),
  };
  const config = ts.getParsedCommandLineOfConfigFile(configFile, { outDir: folder, emitDeclarationOnly: true }, host)!;
  const program = ts.createProgram(config.fileNames, config.options);
  const { diagnostics } = program.emit();
  return text([...config.errors, ...diagnostics]);
}

function compile(declarations: string, more: ts.CompilerOptions): Map<string, string> {
  const program = ts.createProgram(
    files.map((file) => join(here, file)),
    {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: [], // the compiler's default since TypeScript 6: the package brings Node's types itself
      typeRoots: [join(root, 'node_modules', '@types')],
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      noFallthroughCasesInSwitch: true,
      noImplicitOverride: true,
      noImplicitReturns: false, // a handler may answer on one path and return nothing on the other
      noUncheckedIndexedAccess: true,
      noUncheckedSideEffectImports: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      isolatedModules: true,
      verbatimModuleSyntax: true,
      skipLibCheck: false,
      paths: Object.fromEntries(Object.entries(DOORS).map(([door, file]) => [door, [join(declarations, file)]])),
      ...more,
    },
  );
  const problems = new Map<string, string>();
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const name = diagnostic.file?.fileName ?? '';
    const key = files.find((file) => name === join(here, file)) ?? 'elsewhere';
    problems.set(key, (problems.get(key) ?? '') + text([diagnostic]));
  }
  return problems;
}

describe('the types that users see', function () {
  this.timeout(120_000);
  let declarations: string;
  let emitted: string;
  let problems: Map<string, string>;
  let bracketProblems: Map<string, string>;

  before(() => {
    declarations = mkdtempSync(join(tmpdir(), 'workerman-ts-types-'));
    emitted = emitDeclarations(declarations);
    problems = compile(declarations, {});
    bracketProblems = compile(declarations, { noPropertyAccessFromIndexSignature: true });
  });
  after(() => rmSync(declarations, { recursive: true, force: true }));

  it('are emitted without a complaint', () => {
    expect(emitted).to.equal('');
  });

  it('hold together when libraries are checked, too', () => {
    expect(problems.get('elsewhere') ?? '').to.equal('');
  });

  for (const file of files) {
    it(`are as ${file} says`, () => {
      expect(problems.get(file) ?? '').to.equal('');
    });
  }

  // The compiler option demands worker['users'] for what has no declared name: data without a shape can not comply.
  for (const file of files.filter((name) => name !== 'userData.test-d.ts')) {
    it(`are as ${file} says also where undeclared members must be written in brackets`, () => {
      expect(bracketProblems.get(file) ?? '').to.equal('');
    });
  }
});
