// Makes the JavaScript of the package: a few CommonJS files that hold the sources, and one small ES module for each
// door. Run by build.mjs, and by the tests, whose processes run what npm ships.
//
//   node .ci/bundle.mjs FOLDER
//
// Why CommonJS inside, in a package of ES modules: part of it is loaded late and synchronously (lib/standIn.ts), and
// `require` of CommonJS is the one way to do so that always gives the same instance. `require` of an ES module gives
// a second one wherever a loader translates it, as tsx does.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The doors: what package.json lets others import, as paths without an extension. */
const DOORS = Object.values(manifest.exports)
  .filter((door) => typeof door === 'object')
  .map((door) => door.default.replace(/^\.\/dist\/(.*)\.js$/, '$1'));

/** Sources that are run by themselves. */
const PROGRAMS = ['bin/workerman.ts', 'lib/child/watched.ts'];

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

const inRoot = (path) => join(root, `${path}.ts`);
const filesIn = (...folders) =>
  folders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name.replace(/\.ts$/, '')}`));

/**
 * What most processes never use. Each group is a file of its own, loaded when something of it is needed first. A class
 * stands behind the one that it extends.
 */
const LATE = {
  commands: filesIn('lib/commands', 'lib/screens'),
  master: ['lib/master/Master'],
  watch: ['lib/master/Watch'],
  worker: ['lib/child/WorkerProcess'],
  serving: [
    'lib/Listener', 'lib/Heartbeat', 'connection/TcpConnection', 'connection/AsyncTcpConnection',
    'connection/AsyncUdpConnection',
  ],
  http: [
    'protocols/Http', 'protocols/http/Chunk', 'protocols/http/Request', 'protocols/http/Response',
    'protocols/http/ServerSentEvents', 'protocols/http/Session', 'protocols/http/session/FileSessionHandler',
  ],
  websocket: ['protocols/Websocket', 'protocols/Ws'],
  redis: ['RedisSessionHandler', 'RedisClusterSessionHandler'].map((name) => `protocols/http/session/${name}`),
};
const groupOf = new Map(Object.entries(LATE).flatMap(([group, paths]) => paths.map((path) => [inRoot(path), group])));

/**
 * What every process needs. Whenever a late group is loaded, this is there already; told so, esbuild keeps all of it in
 * one file, where it would make one for each combination of groups that share something.
 */
const CORE = [
  'lib/Worker', 'lib/EventLoop', 'lib/createLoop', 'lib/settleFiles', 'lib/bindSocket', 'lib/control/PidFile',
  'lib/control/ControlChannel', 'lib/master/SupervisedWorker', 'lib/failure', 'errors', 'protocols/toBytes',
  'protocols/LastMessage',
];

/** Groups whose classes are what worker processes are there for: these get the classes themselves, not stand-ins. */
const SERVED = ['http', 'websocket'];

/**
 * Files that hand classes to users or enter them where users find them, and the Worker, of which a master uses only the
 * properties: they get stand-ins of late classes.
 */
const HANDS_OUT = [...DOORS, 'protocols/builtIns', 'connection/types', 'lib/Worker'].map(inRoot);

/** Names of the public static fields that a source's class lets others set. An accessor is none: it may do more. */
function settableFields(path) {
  const source = ts.createSourceFile(path, readFileSync(inRoot(path), 'utf8'), ts.ScriptTarget.ES2022);
  const own = source.statements.find((node) => ts.isClassDeclaration(node) && node.name?.text === basename(path));
  const has = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
  return (own?.members ?? [])
    .filter((member) => ts.isPropertyDeclaration(member) && ts.isIdentifier(member.name))
    .filter((member) => has(member, ts.SyntaxKind.StaticKeyword) && !has(member, ts.SyntaxKind.ReadonlyKeyword))
    .map((member) => member.name.text)
    .filter((name) => !name.startsWith('_'));
}

/** The same of a whole group, by the names of the classes. */
const fieldsOf = (group) =>
  Object.fromEntries(
    LATE[group].map((path) => [basename(path), settableFields(path)]).filter(([, fields]) => fields.length > 0),
  );

/** Makes each group of {@link LATE} a file, and puts stand-ins (lib/standIn.ts) in the place of its classes. */
const lateGroups = {
  name: 'late-groups',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^late:/ }, ({ path }) => ({ path: path.slice('late:'.length), namespace: 'late' }));
    onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, importer, kind }) => {
      const group = groupOf.get(resolve(dirname(importer), path.replace(/\.js$/, '.ts')));
      if (!group) return undefined;
      if (kind === 'dynamic-import') return { path: group, namespace: 'late' };
      const isClass = /^[A-Z]/.test(basename(path));
      return isClass && HANDS_OUT.includes(importer) ? { path: group, namespace: 'stand-ins' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'stand-ins' }, ({ path: group }) => {
      const names = LATE[group].map((path) => basename(path));
      const contents = `import { standIns } from './lib/standIn.ts';
        export const { ${names} } =
          standIns(
            ${JSON.stringify(names)}, sync(() => import('late:${group}')), ${SERVED.includes(group)},
            ${JSON.stringify(fieldsOf(group))},
          );`;
      return { contents, resolveDir: root };
    });
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path: group }) => ({
      contents: [
        ...CORE.map((path) => `import './${path}.ts';`),
        ...(LATE[group] ?? [group]).map((path) => `export * from './${path}.ts';`),
      ].join('\n'),
      resolveDir: root,
    }));
  },
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

/**
 * A source that asks for its own address gets that of the file which tsc would have made of it.
 *
 * @param here address of the file that it has become a part of
 * @param up from there to the folder of all
 */
const ownAddress = (here, up) => ({
  name: 'own-address',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/].*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes('import.meta.url')) return undefined;
      const place = `${up}${relative(root, path).replace(/\.ts$/, '.js')}`;
      const address = `new URL(${JSON.stringify(place)}, ${here}).href`;
      const contents = source.replaceAll('import.meta.url', address);
      return { contents: `import { pathToFileURL as addressOf } from 'node:url';\n${contents}`, loader: 'ts' };
    });
  },
});

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
    .replace(/\bsync\(\(\) => import\("(\.[^"]+\.cjs)"\)\)/g, '(() => require("$1"))')
    .replace(/\bimport\("(\.[^"]+\.cjs)"\)/g, 'Promise.resolve().then(() => require("$1"))');
  const left = /^(import|export)\b.*$/m.exec(body);
  if (left) throw new Error(`no CommonJS is known for: ${left[0]}`);
  return tidy(`"use strict";\n${body}`);
}

/** What esbuild has put in to keep a name: `__name(what, 'name')`. */
const isNaming = (node) => ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === '__name';

/** In a class: `static { __name(this, 'name') }`. */
function namedBy(member) {
  if (!ts.isClassStaticBlockDeclaration(member)) return null;
  const [first] = member.body.statements;
  return first && ts.isExpressionStatement(first) && isNaming(first.expression) ? first.expression.arguments[1].text : null;
}

function mentions(node, name) {
  return (ts.isIdentifier(node) && node.text === name) || ts.forEachChild(node, (child) => mentions(child, name)) === true;
}

/** Gives a class its own name back, by which stacks call it: esbuild makes `var Timer = class _Timer { … }` of it. */
function rename(node, context) {
  const naming = node.members.find(namedBy);
  const given = node.name?.text;
  // A class with a static member `name` needs no keeping of it.
  const name = naming ? namedBy(naming) : given?.replace(/^_/, '');
  if (!name || mentions(node, name)) return node;
  const visit = (inner) =>
    ts.isIdentifier(inner) && inner.text === given
      ? ts.factory.createIdentifier(name)
      : ts.visitEachChild(inner, visit, context);
  const members = node.members.filter((member) => member !== naming).map((member) => ts.visitNode(member, visit));
  const { modifiers, typeParameters, heritageClauses } = node;
  const own = ts.factory.createIdentifier(name);
  return ts.factory.updateClassExpression(node, modifiers, own, typeParameters, heritageClauses, members);
}

/**
 * Takes out comments and the calls that keep names. Classes get their names back in another way, and functions have
 * them; one within a function would be named anew by each call.
 */
function tidy(text) {
  const unname = (context) => (file) => {
    const visit = (node) => {
      if (namedBy(node)) return node;
      if (ts.isExpressionStatement(node) && isNaming(node.expression)) return undefined;
      const plain = isNaming(node) ? node.arguments[0] : node;
      return ts.visitEachChild(ts.isClassExpression(plain) ? rename(plain, context) : plain, visit, context);
    };
    return ts.visitEachChild(file, visit, context);
  };
  return ts.transpileModule(text, {
    compilerOptions: { removeComments: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    transformers: { before: [unname] },
  }).outputText;
}

/** A door in both forms: its names, taken from the CommonJS file that holds all of them. */
function doorOf(names, from) {
  const list = names.map((name) => `  ${name},\n`).join('');
  return {
    js: `import { createRequire } from "node:module";\nexport const {\n${list}} = createRequire(import.meta.url)("${from}");\n`,
    cjs: `"use strict";\nconst {\n${list}} = require("${from}");\nmodule.exports = {\n${list}};\n`,
  };
}

/** Writes the JavaScript of the package into a folder. */
export async function bundle(folder) {
  const write = (path, text) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const sources = (entryPoints) =>
    build({
      ...COMMON,
      entryPoints,
      outdir: folder,
      chunkNames: 'parts/[name]-[hash]',
      splitting: true,
      format: 'esm',
      outExtension: { '.js': '.cjs' },
      metafile: true,
      plugins: [knownVersion, ownAddress('addressOf(__filename)', '../'), lateGroups],
    });
  for (const { path, text } of (await sources([{ in: 'late:index', out: 'index' }])).outputFiles) {
    write(path, toCommonJs(text));
  }
  const { outputs } = (await sources(DOORS.map(inRoot))).metafile;
  for (const { entryPoint, exports } of Object.values(outputs)) {
    const door = entryPoint?.replace(/\.ts$/, '');
    if (!DOORS.includes(door)) continue;
    const path = join(folder, door);
    const from = relative(dirname(path), join(folder, 'index.cjs'));
    const { js, cjs } = doorOf(exports.sort(), from.startsWith('.') ? from : `./${from}`);
    write(`${path}.js`, js);
    if (door !== 'index') write(`${path}.cjs`, cjs);
  }
  const programs = await build({
    ...COMMON,
    entryPoints: PROGRAMS,
    outbase: '.',
    outdir: folder,
    format: 'esm',
    plugins: [ownAddress('import.meta.url', '../../')],
  });
  for (const { path, text } of programs.outputFiles) write(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(resolve(process.argv[2]));
