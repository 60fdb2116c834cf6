// Makes the JavaScript of the package: a few CommonJS files that hold the sources, and one small ES module for each
// door. Run by build.mjs, and by the tests, whose processes run what npm ships.
//
//   node .ci/bundle.mjs FOLDER
//
// Why CommonJS inside, in a package of ES modules: part of it is loaded late and synchronously (lib/standIn.ts), and
// `require` of CommonJS is the one way to do so that always gives the same instance. `require` of an ES module gives
// a second one wherever a loader translates it, as tsx does.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The doors: what package.json lets others import, as paths without an extension. */
const DOORS = Object.values(manifest.exports)
  .filter((door) => typeof door === 'object')
  .map((door) => door.default.replace(/^\.\/dist\/(.*)\.js$/, '$1'));

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  keepNames: true,
  legalComments: 'none',
  packages: 'external',
  platform: 'node',
  target: 'es2022',
};

/** The version is known by now: nobody needs to read package.json when the package is loaded. */
const knownVersion = {
  name: 'known-version',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]version\.ts$/ }, () => ({
      contents: `export const VERSION = ${JSON.stringify(manifest.version)};`,
    }));
  },
};

/** A list of names in braces, as in an import, in the form of a destructuring pattern. */
const asPattern = (names) => names.replace(/(\w+) as (\w+)/g, '$1: $2');
/** The same of an export, in the form of an object. */
const asObject = (names) => names.replace(/(\w+) as (\w+)/g, '$2: $1');

/**
 * Turns a file that esbuild has written as an ES module into CommonJS. Only the lines of imports and exports differ, and
 * esbuild writes those in few forms. Imported names become constants, which cost nothing when they are used; esbuild's
 * own CommonJS looks each one up in an object, each time. That is right because nothing that is exported is ever
 * assigned again and no two files need each other.
 */
function toCommonJs(text) {
  const body = text
    .replace(/^import "([^"]+)";$/gm, 'require("$1");')
    .replace(/^import (\w+) from "([^"]+)";$/gm, 'const $1 = require("$2");')
    .replace(/^import \* as (\w+) from "([^"]+)";$/gm, 'const $1 = require("$2");')
    .replace(/^import (\{[^}]*\}) from "([^"]+)";$/gm, (_, names, from) => `const ${asPattern(names)} = require("${from}");`)
    .replace(/^export (\{[^}]*\});$/gm, (_, names) => `module.exports = ${asObject(names)};`)
    .replace(/\bimport\("(\.[^"]+\.cjs)"\)/g, 'Promise.resolve().then(() => require("$1"))');
  const left = /^(import|export)\b.*$/m.exec(body);
  if (left) throw new Error(`no CommonJS is known for: ${left[0]}`);
  return tidy(`"use strict";\n${body}`);
}

/** What esbuild has put in to keep a name: `__name(what, 'name')`. */
const isNaming = (node) => ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === '__name';

/**
 * Takes out comments, and all naming but that of classes: only those may have been renamed by esbuild in a way that
 * somebody sees, and a function in a function would be named anew by each call.
 */
function tidy(text) {
  const unname = (context) => (file) => {
    const visit = (node) => {
      if (ts.isClassStaticBlockDeclaration(node)) return node;
      if (ts.isExpressionStatement(node) && isNaming(node.expression)) return undefined;
      return ts.visitEachChild(isNaming(node) ? node.arguments[0] : node, visit, context);
    };
    return ts.visitEachChild(file, visit, context);
  };
  return ts.transpileModule(text, {
    compilerOptions: { removeComments: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    transformers: { before: [unname] },
  }).outputText;
}

/** The ES module of a door: its names, taken from the CommonJS file beside it. */
function doorOf(file, names) {
  return `import { createRequire } from "node:module";
export const {
${names.map((name) => `  ${name},\n`).join('')}} = createRequire(import.meta.url)("./${file}");
`;
}

/** Writes the JavaScript of the package into a folder. */
export async function bundle(folder) {
  const write = (path, text) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const sources = await build({
    ...COMMON,
    entryPoints: DOORS.map((door) => ({ in: `./${door}.ts`, out: door })),
    outdir: folder,
    chunkNames: 'parts/[name]-[hash]',
    splitting: true, // what is imported on demand, or by several, becomes a file of its own
    format: 'esm',
    outExtension: { '.js': '.cjs' },
    metafile: true,
    plugins: [knownVersion],
  });
  for (const { path, text } of sources.outputFiles) write(path, toCommonJs(text));
  for (const [path, { entryPoint, exports }] of Object.entries(sources.metafile.outputs)) {
    if (!DOORS.includes(entryPoint?.replace(/\.ts$/, ''))) continue;
    const file = resolve(root, path);
    write(file.replace(/\.cjs$/, '.js'), doorOf(relative(dirname(file), file), exports.sort()));
  }
  const programs = await build({ ...COMMON, entryPoints: ['bin/workerman.ts'], outdir: join(folder, 'bin'), format: 'esm' });
  for (const { path, text } of programs.outputFiles) write(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(resolve(process.argv[2]));
