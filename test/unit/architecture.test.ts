import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const config = fileURLToPath(new URL('../../.ci/dependency-cruiser.cjs', import.meta.url));
const depcruise = fileURLToPath(new URL('../../node_modules/.bin/depcruise', import.meta.url));

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

/** An import that must be refused, and the rule that has to refuse it. */
const FORBIDDEN: readonly [from: string, to: string, rule: string][] = [
  ['errors.ts', 'lib/Log.ts', 'errors-is-a-leaf'],
  ['timer/Timer.ts', 'connection/TcpConnection.ts', 'timer-knows-only-errors'],
  ['protocols/Text.ts', 'connection/SendQueue.ts', 'protocols-know-no-lib-and-no-connection'],
  ['protocols/http/Response.ts', 'lib/Log.ts', 'protocols-know-no-lib-and-no-connection'],
  ['protocols/http/Request.ts', 'protocols/Http.ts', 'protocol-parts-know-no-protocol'],
  ['protocols/registry.ts', 'protocols/Text.ts', 'registry-is-a-leaf'],
  ['protocols/toBytes.ts', 'protocols/http/Response.ts', 'registry-is-a-leaf'],
  ['connection/TcpConnection.ts', 'protocols/Http.ts', 'connection-knows-only-the-registry'],
  ['connection/UdpConnection.ts', 'lib/Log.ts', 'connection-knows-only-the-registry'],
  ['connection/index.ts', 'lib/Listener.ts', 'connection-door-opens-no-lib'],
  ['lib/Listener.ts', 'protocols/Http.ts', 'lib-knows-no-concrete-protocol'],
  ['lib/Settings.ts', 'protocols/index.ts', 'doors-are-for-users'],
  ['connection/AsyncTcpConnection.ts', 'timer/index.ts', 'doors-are-for-users'],
  ['lib/master/Supervisor.ts', 'lib/child/WorkerProcess.ts', 'lib-master-knows-no-room-beside-or-above'],
  ['lib/master/WorkerHandle.ts', 'lib/Worker.ts', 'lib-master-knows-no-room-beside-or-above'],
  ['lib/child/guard.ts', 'lib/master/signals.ts', 'lib-child-knows-no-room-beside-or-above'],
  ['lib/child/loop.ts', 'lib/Worker.ts', 'lib-child-knows-no-room-beside-or-above'],
  ['lib/commands/stop.ts', 'lib/master/signals.ts', 'lib-commands-knows-no-room-beside-or-above'],
  ['lib/control/PidFile.ts', 'lib/commands/parseCommand.ts', 'lib-control-knows-no-room-beside-or-above'],
  ['lib/screens/banner.ts', 'connection/SendQueue.ts', 'lib-control-and-screens-are-below'],
  ['lib/SocketName.ts', 'lib/commands/parseCommand.ts', 'lib-files-below-know-nothing-above'],
  ['lib/runAll.ts', 'lib/Worker.ts', 'lib-runAll-knows-no-worker'],
  ['lib/Worker.ts', 'lib/commands/parseCommand.ts', 'lib-worker-goes-through-runAll'],
  ['lib/Log.ts', 'errors.ts', 'log-is-a-leaf'],
];

/** Two files that need each other. */
const CIRCLE: readonly [from: string, to: string][] = [
  ['lib/circleOne.ts', 'lib/circleTwo.ts'],
  ['lib/circleTwo.ts', 'lib/circleOne.ts'],
];

/** Imports as they should be. None of them may be complained about. */
const ALLOWED: readonly [from: string, to: string][] = [
  ['index.ts', 'lib/Worker.ts'],
  ['index.ts', 'protocols/index.ts'],
  ['bin/workerman.ts', 'lib/commands/parseCommand.ts'],
  ['protocols/index.ts', 'protocols/registry.ts'],
  ['protocols/index.ts', 'protocols/Http.ts'],
  ['connection/index.ts', 'protocols/index.ts'],
  ['lib/Worker.ts', 'lib/Listener.ts'],
  ['lib/allowed.ts', 'connection/TcpConnection.ts'],
  ['lib/allowed.ts', 'protocols/registry.ts'],
  ['lib/allowed.ts', 'timer/Timer.ts'],
  ['lib/child/allowed.ts', 'lib/control/messages.ts'],
  ['lib/commands/allowed.ts', 'lib/screens/banner.ts'],
  ['connection/allowed.ts', 'protocols/registry.ts'],
  ['connection/allowed.ts', 'protocols/toBytes.ts'],
  ['connection/allowed.ts', 'errors.ts'],
  ['connection/allowed.ts', 'timer/Timer.ts'],
  ['protocols/Http.ts', 'protocols/http/parse/head.ts'],
  ['protocols/Websocket.ts', 'protocols/websocket/frames.ts'],
];

/** Imports of a type only, which are free to point anywhere. */
const TYPES_ONLY: readonly [from: string, to: string][] = [
  ['protocols/Frame.ts', 'connection/TcpConnection.ts'],
  ['connection/ConnectionInterface.ts', 'lib/Worker.ts'],
];

/** The specifier that `from` writes for `to`: relative, and ending in `.js` as TypeScript wants it. */
function specifier(from: string, to: string): string {
  const up = '../'.repeat(from.split('/').length - 1) || './';
  return `${up}${to.replace(/\.ts$/, '.js')}`;
}

function writeTree(folder: string): void {
  const files = new Map<string, string[]>();
  const lines = (file: string): string[] => {
    if (!files.has(file)) files.set(file, []);
    return files.get(file)!;
  };
  for (const [from, to] of [...FORBIDDEN, ...ALLOWED, ...CIRCLE]) {
    lines(to);
    lines(from).push(`import '${specifier(from, to)}';`);
  }
  for (const [from, to] of TYPES_ONLY) {
    lines(to);
    lines(from).push(`import type { Thing } from '${specifier(from, to)}';`, 'export type Mine = Thing;');
  }
  for (const [file, content] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), [...content, 'export interface Thing { x: 1 }', 'export {};', ''].join('\n'));
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{"compilerOptions":{"module":"NodeNext","moduleResolution":"NodeNext"}}',
  );
}

describe('the import directions', () => {
  let folder: string;
  let violations: Violation[];

  before(function () {
    this.timeout(30_000);
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-architecture-'));
    writeTree(folder);
    const entries = ['index.ts', 'errors.ts', 'bin', 'lib', 'connection', 'protocols', 'timer'];
    const result = spawnSync(process.execPath, [depcruise, '--config', config, '--output-type', 'json', ...entries], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    if (!result.stdout.startsWith('{')) throw new Error(`dependency-cruiser said nothing usable: ${result.stderr}`);
    violations = (JSON.parse(result.stdout) as { summary: { violations: Violation[] } }).summary.violations;
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [from, to, rule] of FORBIDDEN) {
    it(`refuse that ${from} imports ${to}`, () => {
      const names = violations.filter((v) => v.from === from && v.to === to).map((v) => v.rule.name);
      expect(names).to.include(rule);
    });
  }

  it('refuse two files that import each other', () => {
    const found = violations.filter(
      (v) => v.rule.name === 'no-circles' && CIRCLE.some(([from, to]) => v.from === from && v.to === to),
    );
    expect(found).to.have.length.above(0);
  });

  for (const [from, to] of ALLOWED) {
    it(`let ${from} import ${to}`, () => {
      const names = violations.filter((v) => v.from === from && v.to === to).map((v) => v.rule.name);
      expect(names.filter((name) => name !== 'no-circles')).to.deep.equal([]);
    });
  }

  for (const [from, to] of TYPES_ONLY) {
    it(`let ${from} name a type of ${to}`, () => {
      expect(violations.filter((v) => v.from === from && v.to === to)).to.deep.equal([]);
    });
  }
});
