import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackage } from './packed.js';
import { cleanUpScripts, freePort, startScript, TSX, type Script } from './process.js';

/**
 * Starts an example as a user does who has just installed the package: copied into an empty folder, on the packed
 * package, under tsx. Examples listen on ports that are written in them; here each of those becomes a free one of the
 * loopback interface.
 */

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const dependency = (name: string): string => fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url));

export interface ExampleOptions {
  /** Ports as they are written in the example. */
  replacePorts?: readonly number[];
  env?: Readonly<Record<string, string>>;
  /** Other packages that the example imports. */
  dependencies?: readonly string[];
  /**
   * Processes of each worker, at most. Default 1: every process takes a while to start, and how connections are spread
   * over several is none of an example's business.
   */
  count?: number;
  /** Changes more of each source: an interval, for instance, that a test does not want to wait for. */
  edit?: (source: string) => string;
}

export interface Example {
  script: Script;
  /** Where its start file is, with all that lies beside it. */
  folder: string;
  /** The port that stands for `written`. */
  port(written: number): number;
  /** Stops it, and fails when a worker process has ended before, or a process stays behind. */
  stop(): Promise<void>;
}

const folders = new Set<string>();

/**
 * @param path of the start file in the folder of examples: `sse.ts`, or `json-rpc/start.ts` when an example is a folder.
 * Everything in that folder comes along.
 */
export async function startExample(path: string, options: ExampleOptions = {}): Promise<Example> {
  const project = mkdtempSync(join(tmpdir(), 'workerman-ts-example-'));
  folders.add(project);
  writeFileSync(join(project, 'package.json'), '{"type":"module"}\n');
  linkPackages(join(project, 'node_modules'), options.dependencies ?? []);

  const ports = new Map<number, number>();
  for (const port of options.replacePorts ?? []) ports.set(port, await freePort());
  const target = join(project, 'examples');
  const [copied] = path.split('/', 1);
  cpSync(join(examples, copied!), join(target, copied!), { recursive: true });
  for (const file of sources(target)) {
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, (options.edit ?? String)(limitCount(replacePorts(source, ports), options.count ?? 1)));
  }

  const start = join(target, path);
  const script = startScript({
    folder: dirname(start),
    name: basename(start),
    launcher: [process.execPath, '--import', TSX],
    env: options.env ?? {},
  });
  await script.started();
  return {
    script,
    folder: script.folder,
    port: (written) => {
      const port = ports.get(written);
      if (port === undefined) throw new Error(`${path} was not started with another port for ${written}`);
      return port;
    },
    stop: async () => {
      const ended = /exit with status.*/.exec(script.log());
      if (ended) throw new Error(`A worker process has ended (${ended[0]}): ${script.describe()}`);
      await script.stop();
    },
  };
}

/** Kills what still runs and removes what {@link startExample} has made. For `after` or `afterEach`. */
export async function cleanUpExamples(): Promise<void> {
  await cleanUpScripts();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** The packed package, and what the example needs beside it, from our own dependencies. */
function linkPackages(target: string, dependencies: readonly string[]): void {
  mkdirSync(target);
  symlinkSync(join(installPackage().app, 'node_modules', 'workerman-ts'), join(target, 'workerman-ts'));
  for (const name of dependencies) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    symlinkSync(dependency(name), join(target, name));
  }
}

function sources(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => ['.ts', '.html'].includes(extname(file))).map((file) => join(folder, file));
}

/** All at once, since a free port may be the next one to be replaced. */
function replacePorts(source: string, ports: ReadonlyMap<number, number>): string {
  return source
    .replaceAll('://0.0.0.0:', '://127.0.0.1:')
    .replace(/(?<=:)\d+\b/g, (port) => String(ports.get(Number(port)) ?? port));
}

const limitCount = (source: string, most: number): string =>
  source.replace(/(?<=\.count = )\d+/g, (count) => String(Math.min(Number(count), most)));
