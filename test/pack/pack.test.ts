import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { installPackage, type Packed } from '../support/packed.js';
import { accepting, cleanUpScripts, freePort, startScript, TSX, type Script } from '../support/process.js';

/** The package as npm ships it, installed in an empty folder and used there as a stranger would. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const SERVER = (address: string): string => `
import { Worker } from 'workerman-ts';
const worker = new Worker('${address}');
worker.onMessage = (connection, request) => { connection.send('hello ' + request.path()); };
Worker.runAll();
`;

describe('the package on npm', function () {
  this.timeout(150_000);
  let app: string;
  let packed: Packed;

  before(() => ({ app, packed } = installPackage()));
  afterEach(cleanUpScripts);

  /** Starts a server, asks it something, stops it by its own command. */
  async function serves(
    name: string,
    source: (address: string) => string,
    launcher: readonly string[],
  ): Promise<Script> {
    const port = await freePort();
    const script = startScript({ folder: app, name, source: source(`http://127.0.0.1:${port}`), launcher });
    await script.started();
    await accepting({ port });
    const answer = await fetch(`http://127.0.0.1:${port}/there`);
    expect(await answer.text()).to.equal('hello /there');
    expect((await script.run(['stop'])).output).to.match(/stop success/);
    await script.exit();
    await script.leavesNothingBehind();
    return script;
  }

  it('holds what runs, the types, the licence and nothing else', function () {
    const paths = packed.files.map((file) => file.path);
    const kB = (bytes: number): string => `${Math.ceil(bytes / 1024)} kB`;
    this.test!.title += ` (${paths.length} files, ${kB(packed.size)} packed, ${kB(packed.unpackedSize)} on disk)`;
    expect(paths).to.include.members([
      'LICENSE',
      'package.json',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/bin/workerman.js',
    ]);
    const others = paths.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(c?js|d\.ts))$/.test(path));
    expect(others).to.deep.equal([]);
    expect(paths.filter((path) => /\b(test|examples|bench|docs|golden)\b/.test(path))).to.deep.equal([]);
    expect(packed.unpackedSize).to.be.below(1 << 20);
  });

  it('has a program that can be executed', () => {
    const bin = readFileSync(join(app, 'node_modules', 'workerman-ts', 'dist', 'bin', 'workerman.js'), 'utf8');
    expect(bin).to.match(/^#!\/usr\/bin\/env node\n/);
  });

  it('serves from a plain JavaScript file', async () => {
    await serves('plain.js', SERVER, [process.execPath]);
  });

  it('serves from a TypeScript file under tsx', async () => {
    const typed = (address: string): string =>
      SERVER(address).replace("'hello ' + request.path()", '`hello ${request.path() satisfies string}` as string');
    await serves('typed.ts', typed, [process.execPath, '--import', TSX]);
  });

  it('serves from a CommonJS file', async () => {
    const common = (address: string): string => SERVER(address).replace(/^import (.*) from (.*);$/m, 'const $1 = require($2);');
    await serves('common.cjs', common, [process.execPath]);
    await serves('common.cts', common, [process.execPath, '--import', TSX]);
  });

  it('is one and the same for import and require', () => {
    const source = `
      import * as door from 'workerman-ts';
      import { createRequire } from 'node:module';
      const { Worker, ...others } = createRequire(import.meta.url)('workerman-ts');
      const strangers = Object.keys(door).filter((name) => door[name] !== { Worker, ...others }[name]);
      console.log(strangers.length === 0 ? 'fine' : strangers.join());
      process.exit();
    `;
    writeFileSync(join(app, 'both.mts'), source);
    for (const args of [['--import', TSX, 'both.mts'], ['--input-type=module', '-e', source]]) {
      const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8', timeout: 30_000 });
      expect({ stdout: stdout.trim(), stderr }).to.deep.equal({ stdout: 'fine', stderr: '' });
    }
  });

  it('serves through npx workerman', async () => {
    await serves('byName.js', SERVER, ['npx', '--no-install', 'workerman']);
  });

  it('lets every sub-path be imported', () => {
    const source = `
      const root = await import('workerman-ts');
      for (const path of ['connection', 'protocols', 'protocols/http', 'timer']) {
        const door = await import('workerman-ts/' + path);
        const names = Object.keys(door);
        if (names.length === 0) throw new Error(path + ' exports nothing');
        const strangers = names.filter((name) => door[name] !== root[name]);
        if (strangers.length > 0) throw new Error(path + ' exports other things than the root: ' + strangers);
      }
      const inside = await import('workerman-ts/dist/lib/Worker.js').catch((error) => error.code);
      if (inside !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error('the inside can be imported');
      const { version } = (await import('workerman-ts/package.json', { with: { type: 'json' } })).default;
      if (version !== root.Worker.VERSION) throw new Error('Worker.VERSION is ' + root.Worker.VERSION);
      console.log('fine');
      process.exit();
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      cwd: app,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(stdout.trim(), stderr).to.equal('fine');
  });

  it('has declarations that the compiler accepts with all libraries checked', () => {
    const config = {
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noImplicitOverride: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      files: ['typed.ts'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config));
    const imports = ['connection', 'protocols', 'protocols/http', 'timer'].map(
      (path, i) => `export * as door${i} from 'workerman-ts/${path}';`,
    );
    writeFileSync(join(app, 'typed.ts'), `${SERVER('http://127.0.0.1:1')}\n${imports.join('\n')}`);
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', app], {
      cwd: app,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stdout).to.equal('');
    expect(status).to.equal(0);
  });
});
