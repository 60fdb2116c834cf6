// Runs in the master, with `start --watch`: reloads when the code has changed.
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname, extname, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ScriptWorker, ToMaster } from '../control/ipc.js';
import { placeOfHeading, placeText, type FailureReport } from '../failure.js';
import { writeLog } from '../output.js';
import { Settings } from '../Settings.js';
import { wantedProcesses } from '../wantedProcesses.js';
import type { SupervisedWorker } from './SupervisedWorker.js';
import type { ReloadOutcome } from './Supervisor.js';
import type { Watcher } from './WorkerHandle.js';
import { WatchedFiles } from './WatchedFiles.js';

/** What watching needs of the one who supervises. */
export interface WatchHost {
  readonly workers: readonly SupervisedWorker[];
  readonly stopping: boolean;
  reload(graceful: boolean): Promise<ReloadOutcome>;
  /** Ends a reload whose next process has not become ready. */
  abandonReplacement(): void;
}

/**
 * Seconds for which processes of the old code keep connections on which nothing is under way. Without a limit a browser
 * would see the old code for as long as it keeps its connection, or listens to a stream; so it has to ask for another.
 * Requests under way get their answer, within `Worker.stopTimeout`.
 */
const DRAIN_SECONDS = 0.001;
/** A reload that somebody else has ordered comes first. */
const RETRY_MS = 100;
/** Names of files that a line shows. */
const MOST_NAMES = 3;

/** Preloaded by the worker processes; the same kind of file as this one, compiled or not. */
const preload = new URL(`../child/watched${extname(import.meta.url)}`, import.meta.url).href;

/**
 * Which files are watched is what the worker processes say that they have loaded. Node tells it by itself to the parent
 * of a process that has `WATCH_REPORT_DEPENDENCIES` in its environment, as it does for its own `--watch`: modules of
 * both kinds, imported at the top or later, whoever translates them. Installed packages are left out.
 */
export class Watch implements Watcher {
  readonly execArgv: readonly string[] = ['--import', preload];
  readonly environment: NodeJS.ProcessEnv = { WATCH_REPORT_DEPENDENCIES: '1' };
  readonly #host: WatchHost;
  readonly #files: WatchedFiles;
  readonly #folder: string;
  readonly #pending = new Set<string>();
  #busy = false;
  /** Some process has said what it loads. */
  #told = false;
  #failure: FailureReport | null = null;
  #script: readonly ScriptWorker[] | null = null;

  /** @param startFile full path of the start script */
  constructor(host: WatchHost, startFile: string) {
    this.#host = host;
    this.#folder = dirname(startFile);
    this.#files = new WatchedFiles((paths) => this.#changed(paths));
    try {
      this.#files.add([realpathSync(startFile)]);
    } catch {
      // Its name was given without the extension: the processes will say it.
    }
    if (Settings.drainTimeout === 0) Settings.drainTimeout = DRAIN_SECONDS;
    writeLog(`[watch] ${this.#name(startFile)} and what it loads: saved changes are reloaded`);
  }

  /** @internal */
  heard(message: Extract<ToMaster, { type: 'script' | 'failed' }>): void {
    if (message.type === 'script') {
      this.#script = message.workers;
      if (!this.#told) writeLog('[watch] this version of Node does not say what it loads: only the script is watched');
      this.#told = true;
      return;
    }
    this.#failure = message;
    // The error may be in a file that was not there, or not loaded, before.
    this.#files.add(message.files);
  }

  /** @internal What Node says of a process, among whatever else user code sends. */
  heardStray(raw: unknown): void {
    if (typeof raw !== 'object' || raw === null) return;
    const { 'watch:import': urls, 'watch:require': paths } = raw as Record<string, unknown>;
    this.#told ||= urls !== undefined || paths !== undefined;
    const files = [...textsOf(urls).flatMap(pathOf), ...textsOf(paths)];
    this.#files.add(files.filter((path) => path.startsWith(sep) && !path.includes(`${sep}node_modules${sep}`)));
  }

  close(): void {
    this.#files.close();
  }

  #changed(paths: readonly string[]): void {
    for (const path of paths) this.#pending.add(path);
    // The code that is on its way is out of date, and may never be ready.
    if (this.#busy) this.#host.abandonReplacement();
    else void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#pending.size > 0 && !this.#host.stopping) await this.#reload();
    this.#busy = false;
  }

  async #reload(): Promise<void> {
    const paths = [...this.#pending];
    this.#pending.clear();
    this.#failure = this.#script = null;
    const begun = performance.now();
    const outcome = await this.#host.reload(true);
    if (this.#host.stopping) return;
    if (outcome === 'ignored') await sleep(RETRY_MS);
    if (outcome === 'ignored' || (outcome === 'aborted' && this.#pending.size > 0)) {
      for (const path of paths) this.#pending.add(path);
      return;
    }
    const result =
      outcome === 'done'
        ? `reloaded in ${Math.round(performance.now() - begun)} ms${this.#afterwards()}`
        : await this.#whyNot(paths);
    writeLog(`[watch] ${this.#names(paths)} changed: ${result}`);
  }

  #afterwards(): string {
    const differences = this.#differences();
    return differences === '' ? '' : `; to take over after a restart: ${differences}`;
  }

  async #whyNot(paths: readonly string[]): Promise<string> {
    const differences = this.#differences();
    if (differences !== '' && this.#failure === null) {
      return `restart to take it over, the old code serves: ${differences}`;
    }
    const reason = await this.#reason(paths);
    return `the new code fails to start, the old goes on serving: ${reason.replaceAll(this.#folder + sep, '')}`;
  }

  async #reason(paths: readonly string[]): Promise<string> {
    if (this.#failure === null) return 'its process has ended before it was ready';
    const { summary, files } = this.#failure;
    if (files.length > 0 || !summary.startsWith('SyntaxError')) return summary;
    for (const path of paths) {
      const place = await syntaxErrorIn(path);
      if (place !== '') return `${summary} at ${place}`;
    }
    return summary;
  }

  /** What the script says and only a start can change. */
  #differences(): string {
    const script = this.#script;
    if (script === null) return '';
    const { workers } = this.#host;
    if (script.length !== workers.length) return `it has ${script.length} Workers, the service ${workers.length}`;
    const found = workers.flatMap((worker, index) => differencesOf(worker, script[index] as ScriptWorker));
    return found.join(', ');
  }

  #name(path: string): string {
    const name = relative(this.#folder, path);
    return name.startsWith('..') ? path : name;
  }

  #names(paths: readonly string[]): string {
    const names = paths.map((path) => this.#name(path));
    const more = names.length - MOST_NAMES;
    return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ');
  }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Loaders add queries to the URLs of files; modules of Node have other schemes. */
function pathOf(url: string): string[] {
  try {
    return url.startsWith('file:') ? [fileURLToPath(url.replace(/[?#].*$/, ''))] : [];
  } catch {
    return [];
  }
}

function differencesOf(worker: SupervisedWorker, wanted: ScriptWorker): string[] {
  const name = worker.name === 'none' ? '' : ` of ${worker.name}`;
  const now = worker.getSocketName();
  if (now !== wanted.socketName) return [`the address${name} is ${wanted.socketName}, in the service ${now}`];
  const count = wantedProcesses(worker.count);
  return wanted.count === count ? [] : [`count${name} is ${wanted.count}, in the service ${count}`];
}

/** V8 keeps the place of a syntax error to itself until Node prints it. @returns file, line and column, or `''` */
function syntaxErrorIn(path: string): Promise<string> {
  if (!/\.[cm]?js$/.test(path)) return Promise.resolve('');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', path], (_, __, output) => {
      const place = placeOfHeading(output);
      resolve(place === null ? '' : placeText(place));
    });
  });
}
