import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { files, manifest, type Manifest, type OwnManifest, type Project } from './files.js';
import { TEMPLATES } from './templates.js';

/**
 * `workerman init`: lays out a project that starts at once. Asks nothing: what was not said has a default, and all that
 * it writes are short files that can be changed.
 */

const names = Object.keys(TEMPLATES);
const [DEFAULT_TEMPLATE = ''] = names;

const templateLine = (name: string): string => `${' '.repeat(23)}${name.padEnd(10)} ${TEMPLATES[name]?.about ?? ''}\n`;

const HELP = `Usage: workerman init [folder] [--template <name>] [--docker] [--systemd] [--install]
Lays out a project in the folder, which is made when it is not there; without one in the current folder.
  --template <name>  what to begin with; default ${DEFAULT_TEMPLATE}
${names.map(templateLine).join('')}  --docker           adds a Dockerfile
  --systemd          adds a unit for systemd
  --install          runs npm install
`;

/** May lie in a folder that counts as empty; `package.json` is one of them when npm has just written it. */
const HARMLESS = [
  /^\.(git|gitignore|gitattributes|gitkeep|editorconfig|DS_Store|idea|vscode)$/,
  /^(LICEN[CS]E|README)(\.\w+)?$/i,
  /^(package\.json|package-lock\.json|node_modules)$/,
];
const MOST_NAMES = 5;

/** A mistake of the caller: its message is all that is shown. */
class Refusal extends Error {}

interface Options {
  folder: string;
  template: string;
  docker: boolean;
  systemd: boolean;
  install: boolean;
}

function parse(words: string[]): Options | null {
  const { values, positionals } = parseWords(words);
  if (values.help) return null;
  const [folder = '.', ...more] = positionals;
  if (more.length > 0) throw new Refusal(`expected one folder, got ${positionals.join(' ')}`);
  const { template = DEFAULT_TEMPLATE, docker = false, systemd = false, install = false } = values;
  if (!names.includes(template)) {
    throw new Refusal(`expected --template ${names.join(', ')}; got '${template}'`);
  }
  return { folder: resolve(folder), template, docker, systemd, install };
}

function parseWords(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        template: { type: 'string' },
        docker: { type: 'boolean' },
        systemd: { type: 'boolean' },
        install: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new Refusal((error as Error).message);
  }
}

/** @returns the `package.json` that is there already */
function checkFolder(folder: string): Manifest | undefined {
  if (!existsSync(folder)) return undefined;
  if (!statSync(folder).isDirectory()) throw new Refusal(`${folder} is not a folder`);
  const others = readdirSync(folder).filter((name) => !HARMLESS.some((pattern) => pattern.test(name)));
  if (others.length > 0) {
    const more = others.length - MOST_NAMES;
    const list = others.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
    throw new Refusal(`${folder} is not empty (${list}), and nothing is overwritten; name a new folder`);
  }
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch (error) {
    throw new Refusal(`${file} can not be read: ${(error as Error).message}`);
  }
}

/** A name that npm accepts, and that can be a user's and a unit's. */
function projectName(folder: string): string {
  const name = basename(folder).toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^[-0-9]+|-+$/g, '');
  return name === '' ? 'app' : name;
}

function ownManifest(): OwnManifest {
  for (const place of ['../../package.json', '../../../package.json']) {
    const url = new URL(place, import.meta.url);
    if (existsSync(url)) return JSON.parse(readFileSync(url, 'utf8')) as OwnManifest;
  }
  throw new Error('the package has no package.json');
}

function layOut(options: Options): string[] {
  const existing = checkFolder(options.folder);
  const project: Project = { ...options, name: projectName(options.folder) };
  mkdirSync(options.folder, { recursive: true });
  writeFileSync(join(options.folder, 'package.json'), manifest(project, ownManifest(), existing));
  const missing = [...files(project)].filter(([name]) => !existsSync(join(options.folder, name)));
  for (const [name, text] of missing) writeFileSync(join(options.folder, name), text);
  return ['package.json', ...missing.map(([name]) => name)];
}

function nextSteps({ folder, template, install }: Options): string {
  const here = relative(process.cwd(), folder);
  const steps = [
    ...(here === '' ? [] : [`cd ${here}`]),
    ...(install ? [] : ['npm install']),
    'npm run dev      # starts it, and reloads what you save; Ctrl+C stops it',
  ];
  return `Next:\n${steps.map((step) => `  ${step}\n`).join('')}Then ${TEMPLATES[template]?.look ?? ''}\n`;
}

function npmInstall(folder: string): boolean {
  const { status, error } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  if (status === 0) return true;
  const reason = error?.message ?? `status ${String(status)}`;
  process.stderr.write(`workerman init: npm install failed (${reason}); the files are there\n`);
  return false;
}

/**
 * Carries out `workerman init`.
 *
 * @param words what follows `init` on the command line
 * @returns the exit code
 */
export function init(words: string[]): number {
  try {
    const options = parse(words);
    if (options === null) {
      process.stdout.write(HELP);
      return 0;
    }
    const written = layOut(options);
    process.stdout.write(`${options.folder} (${options.template}): ${written.join(', ')}\n`);
    if (options.install && !npmInstall(options.folder)) return 1;
    process.stdout.write(nextSteps(options));
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    process.stderr.write(`workerman init: ${(error as Error).message}\nMore with: workerman init --help\n`);
    return 1;
  }
}
