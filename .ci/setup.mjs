// What `npm start` and `npm test` need before they can run on a fresh clone: the development dependencies, and for the
// tests a few programs of the system. Plain Node, because nothing is installed yet when it runs. Says nothing and takes
// a few milliseconds when all is there.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Programs that the tests start, and the Debian package that brings each. */
const PROGRAMS = [
  { program: 'chromium', debian: 'chromium', why: 'the browser tests' },
  { program: 'openssl', debian: 'openssl', why: 'the tests of TLS, which make their certificates' },
  { program: 'redis-server', debian: 'redis-server', why: 'the tests of sessions in Redis' },
];

const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });

const fail = (message) => {
  console.error(message);
  process.exit(1);
};

// ---------------------------------------------------------------- dependencies

const lockFile = join(root, 'package-lock.json');
const readLock = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {};

/** True when every package of the lock file is installed in that version. Optional ones belong to other platforms. */
function dependenciesAreCurrent() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  if (!existsSync(lockFile)) return true;
  const installed = readLock(installedFile);
  return Object.entries(readLock(lockFile)).every(
    ([path, wanted]) => path === '' || wanted.optional || installed[path]?.version === wanted.version,
  );
}

function installDependencies() {
  // `--include=dev`: NODE_ENV=production must not take away the tools that this is about.
  const args = [existsSync(lockFile) ? 'ci' : 'install', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const result = npm ? run(process.execPath, [npm, ...args]) : run('npm', args);
  if (result.error) fail(`npm ${args[0]} could not be started: ${result.error.message}`);
  if (result.status !== 0)
    fail(`npm ${args[0]} failed with status ${result.status ?? result.signal}; its message is above`);
}

// ---------------------------------------------------------------- programs of the system

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The words that turn a command into one of root: none, `sudo -n`, or null when there is no way. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return run('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

function aptGet(prefix, ...args) {
  const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args];
  return run(command, rest).status === 0;
}

function installPrograms() {
  const missing = PROGRAMS.filter(({ program }) => !onPath(program));
  if (missing.length === 0) return;
  const prefix = onPath('apt-get') ? asRoot() : null;
  if (prefix) {
    aptGet(prefix, 'update');
    aptGet(prefix, 'install', '-y', '--no-install-recommends', ...missing.map(({ debian }) => debian));
  }
  const still = missing.filter(({ program }) => !onPath(program));
  if (still.length === 0) return;
  const names = still.map(({ program, why }) => `${program} (for ${why})`).join(', ');
  fail(`Not installed: ${names}. On Debian: apt-get install ${still.map(({ debian }) => debian).join(' ')}`);
}

if (!dependenciesAreCurrent()) installDependencies();
if (process.argv.includes('--test')) installPrograms();
