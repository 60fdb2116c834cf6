import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Starts real scripts as real processes and never leaves one behind.
 *
 * Each script is copied into a folder of its own, so that its pid file, its log and its control socket stand alone,
 * and gets `workerman-ts` from the sources by the paths of our tsconfig. Every process of a script, daemons and
 * their workers too, inherits a mark in its environment, by which /proc finds them all.
 *
 * Use it as `afterEach(cleanUpScripts)`: it kills what is still there, also when the test has failed.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What `--import` wants to hear to run TypeScript, from whatever folder. */
export const TSX: string = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const MARK = 'WORKERMAN_TS_TEST_MARK';
const DEADLINE = 15_000;

export interface ScriptOptions {
  /** Path of the script; it is copied. Either this or `source`. */
  script?: string;
  /** Text of the script, when it is a few lines that belong to one test. */
  source?: string;
  /** Name of the copied script. Default: that of `script`, or `start.ts`. */
  name?: string;
  /** Files and folders that have to lie beside the script. */
  alongside?: readonly string[];
  /** Words after the script's name. Default `['start']`. */
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Options of node itself, before the script. */
  nodeArgs?: readonly string[];
  /** The words before the script's name, instead of node with tsx and our sources: `['npx', 'workerman']`. */
  launcher?: readonly string[];
  /** A folder that is there already. It is not removed. Default: a new one. */
  folder?: string;
}

/** How a process ended: as Node tells it. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How a command of a script (`stop`, `status` …) ended, and all that it printed. */
export interface CommandResult extends Exit {
  output: string;
}

const scripts = new Set<Script>();

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `done` says something other than null, undefined or false, and fails with what `failure` says. Whoever
 * looks at the output of processes then sees all that had been printed before `done` came true: where `done` has looked
 * at a file, the pipe with the output may not have been read yet.
 */
export async function waitUntil<T>(
  done: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  failure: () => string,
  deadline: number = DEADLINE,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await done();
    if (value !== null && value !== undefined && value !== false) {
      // Between two turns everything is read that is there to be read.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      return value;
    }
    if (Date.now() > end) throw new Error(`Waited ${deadline / 1000} s in vain: ${failure()}`);
    await sleep(10);
  }
}

/** Below the ports that the system gives to clients: between the choice and the use of one, nobody else gets it. */
const FIRST_PORT = 10_000;
const PORTS = 22_000;
let lastPort = Math.floor(Math.random() * PORTS);

/**
 * A port that nobody listens on, another one each time. Tests that run side by side (`WORKERMAN_TS_LANE`) choose among
 * odd ports or among even ones.
 */
export async function freePort(): Promise<number> {
  const lane = Number(process.env['WORKERMAN_TS_LANE'] ?? 0);
  for (;;) {
    lastPort = (lastPort + 1) % PORTS;
    const port = FIRST_PORT + lastPort;
    if (port % 2 === lane % 2 && (await isFree(port))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, resolve);
    });
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Waits until somebody accepts connections on a port of 127.0.0.1 or at the path of a unix socket. */
export async function accepting(
  target: { port: number } | { path: string },
  deadline: number = DEADLINE,
): Promise<void> {
  const attempt = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect('port' in target ? { ...target, host: '127.0.0.1' } : target);
      const settle = (accepted: boolean): void => {
        socket.destroy();
        resolve(accepted);
      };
      socket.once('connect', () => settle(true)).once('error', () => settle(false));
    });
  await waitUntil(attempt, () => `nobody accepts connections at ${JSON.stringify(target)}`, deadline);
}

/** Number and command line of each process that carries `mark` in its environment. Zombies are not counted. */
function marked(mark: string): Map<number, string> {
  const found = new Map<number, string>();
  const wanted = `${MARK}=${mark}`;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (!readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(wanted)) continue;
      if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${entry}/status`, 'latin1'))) continue;
      found.set(Number(entry), readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' ').trim());
    } catch {
      // It ended while we looked, or belongs to somebody else.
    }
  }
  return found;
}

/** The parent of a process, or 0 when it is gone. */
export function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A script that was started, with everything it has printed so far. */
export class Script {
  /** Where the script was copied to; its pid file and log are here. */
  readonly folder: string;
  readonly file: string;
  readonly child: ChildProcess;
  /** What the process printed on both streams, in the order in which it came. */
  output = '';
  readonly #mark: string;
  readonly #options: ScriptOptions;
  #exit: Exit | null = null;

  constructor(options: ScriptOptions) {
    this.#options = options;
    this.#mark = randomUUID();
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'workerman-ts-'));
    this.file = join(this.folder, options.name ?? (options.script ? basename(options.script) : 'start.ts'));
    if (!options.folder) writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}\n');
    if (options.script) cpSync(options.script, this.file);
    else if (options.source !== undefined) writeFileSync(this.file, options.source);
    for (const path of options.alongside ?? []) cpSync(path, join(this.folder, basename(path)), { recursive: true });
    this.child = this.#spawn(options.args ?? ['start']);
    this.child.once('close', (code, signal) => {
      this.#exit = { code, signal };
    });
    const collect = (chunk: string): void => {
      this.output += chunk;
    };
    this.child.stdout!.setEncoding('utf8').on('data', collect);
    this.child.stderr!.setEncoding('utf8').on('data', collect);
  }

  #spawn(args: readonly string[]): ChildProcess {
    const { nodeArgs = [], launcher, env } = this.#options;
    const [program, ...words] = launcher ?? [process.execPath, ...nodeArgs, '--import', TSX];
    const child = spawn(program!, [...words, this.file, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        ...(launcher ? {} : { TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') }),
        ...env,
        [MARK]: this.#mark,
      },
    });
    child.on('error', (error) => {
      this.output += `\n(could not be started: ${error.message})\n`;
    });
    return child;
  }

  /** Number of the process that was started: the master, unless it became a daemon. */
  get pid(): number {
    return this.child.pid!;
  }

  /** What is in the log file, `''` without one. */
  log(file = 'workerman.log'): string {
    const path = join(this.folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Everything a failed test wants to see. */
  describe(): string {
    const processes = [...this.processes()].map(([pid, line]) => `  ${pid} ${line}`).join('\n');
    return `${basename(this.file)} in ${this.folder}${this.#exit ? `, ended with ${JSON.stringify(this.#exit)}` : ''}
--- output
${this.output}
--- log
${this.log()}
--- processes
${processes}`;
  }

  /** Waits for `pattern` in the output, from `from` on. Fails at once when the process ends without it. */
  waitFor(
    pattern: RegExp,
    { from = 0, deadline = DEADLINE }: { from?: number; deadline?: number } = {},
  ): Promise<RegExpExecArray> {
    return waitUntil(
      () => {
        const ended = this.#exit !== null;
        const match = pattern.exec(this.output.slice(from));
        if (!match && ended) throw new Error(`${pattern} never came: ${this.describe()}`);
        return match;
      },
      () => `${pattern} in the output of ${this.describe()}`,
      deadline,
    );
  }

  /** Waits for `pattern` in the log file. */
  waitForLog(
    pattern: RegExp,
    { from = 0, deadline = DEADLINE }: { from?: number; deadline?: number } = {},
  ): Promise<RegExpExecArray> {
    return waitUntil(
      () => pattern.exec(this.log().slice(from)),
      () => `${pattern} in the log of ${this.describe()}`,
      deadline,
    );
  }

  /** Waits until the banner has been printed: the addresses are bound. */
  async started(): Promise<this> {
    await this.waitFor(/Start success\./);
    return this;
  }

  signal(name: NodeJS.Signals, pid: number = this.pid): void {
    process.kill(pid, name);
  }

  /** Waits for the end of the process that was started. */
  async exit(deadline: number = DEADLINE): Promise<Exit> {
    return waitUntil(
      () => this.#exit,
      () => `the end of ${this.describe()}`,
      deadline,
    );
  }

  /** Runs a command of the same script (`stop`, `status`, `reload -g` …) to its end. */
  async run(args: readonly string[], deadline: number = DEADLINE): Promise<CommandResult> {
    const child = this.#spawn(args);
    let output = '';
    let exit: Exit | null = null;
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.once('close', (code, signal) => (exit = { code, signal }));
    const ended = await waitUntil(
      () => exit,
      () => `the command ${args.join(' ')} of ${this.describe()}\n--- it printed\n${output}`,
      deadline,
    );
    return { ...ended, output };
  }

  /** Every process that is alive and comes from this script, however it was started, by number. */
  processes(): Map<number, string> {
    return marked(this.#mark);
  }

  /** The children of the master, by number: the worker processes. The compiler that tsx runs beside it is none. */
  workers(master: number = this.pid): number[] {
    const children = [...this.processes()].filter(([pid, line]) => parentOf(pid) === master && !/esbuild/.test(line));
    return children.map(([pid]) => pid).sort((a, b) => a - b);
  }

  /** Fails unless every process of this script is gone, soon. */
  async leavesNothingBehind(deadline = 5000): Promise<void> {
    await waitUntil(
      () => this.processes().size === 0,
      () => `processes are left behind by ${this.describe()}`,
      deadline,
    );
  }

  /** Stops the script in the plain way and fails when anything outlives it. */
  async stop(): Promise<Exit> {
    if (this.#exit === null) this.signal('SIGINT');
    const exit = await this.exit();
    await this.leavesNothingBehind();
    return exit;
  }

  /** Kills whatever is left and removes the folder. */
  async kill(): Promise<void> {
    // In rounds: a master that is about to be killed may just have started another worker.
    for (let round = 0; round < 100; round++) {
      const left = [...this.processes().keys()];
      if (left.length === 0) break;
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone already.
        }
      }
      await sleep(10);
    }
    if (!this.#options.folder) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a script. It is killed by {@link cleanUpScripts} at the latest. */
export function startScript(options: ScriptOptions): Script {
  const script = new Script(options);
  scripts.add(script);
  return script;
}

/** Kills every script that was started and is not gone yet. For `afterEach` or `after`. */
export async function cleanUpScripts(): Promise<void> {
  const all = [...scripts];
  scripts.clear();
  await Promise.all(all.map((script) => script.kill()));
}

// The last resort, when the test run itself is cut short.
process.once('exit', () => {
  for (const script of scripts) {
    for (const pid of script.processes().keys()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }
});
