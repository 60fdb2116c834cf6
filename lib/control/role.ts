import { isProcessAlive } from './processes.js';

/**
 * What this process is. The master tells its children by one environment variable, which is taken out of the
 * environment at import, before any user code runs, so that programs started by a worker know nothing of it.
 */
export type Role =
  /** Started by a person or a program: becomes the master, or a short-lived command process. */
  | { readonly kind: 'main' }
  /** Started in the background by `start -d`: becomes the master. */
  | { readonly kind: 'daemon' }
  /** A worker process: serves the Worker at `index` (order of construction) under `id`. */
  | {
      readonly kind: 'worker';
      readonly index: number;
      readonly id: number;
      readonly socketName: string;
      /** A warm replacement: reads the script, then waits for the order to start. */
      readonly standby: boolean;
      readonly daemonize: boolean;
      /** The master wants to know which files this process loads. */
      readonly watched?: boolean;
    };

const VARIABLE = 'WORKERMAN_TS_ROLE';

/** Options of node about its inspector; a child can not have the port that its parent has. */
const INSPECT = /^--(inspect|debug)(-|=|$)/;
/** Those of them whose value may be the next word. */
const INSPECT_WITH_VALUE = /^--(inspect|debug)-port$/;

function withoutInspector(words: readonly string[]): string[] {
  return words.filter((word, i) => !INSPECT.test(word) && !INSPECT_WITH_VALUE.test(words[i - 1] ?? ''));
}

/** Options of node for a child: this process's (loaders), without its inspector's. */
export function execArgvForChild(): string[] {
  return withoutInspector(process.execArgv);
}

/** The environment for a child of the given role. */
export function environmentFor(role: Role): NodeJS.ProcessEnv {
  const text = JSON.stringify({ ...role, parent: process.pid });
  const environment: NodeJS.ProcessEnv = { ...process.env, [VARIABLE]: text };
  const { NODE_OPTIONS: options } = environment;
  if (options?.includes('--inspect')) environment['NODE_OPTIONS'] = withoutInspector(options.split(/\s+/)).join(' ');
  return environment;
}

function readRole(): Role {
  const text = process.env[VARIABLE];
  delete process.env[VARIABLE];
  // Without the channel to the master the variable is a stray one, inherited from elsewhere.
  if (text === undefined || process.send === undefined) return { kind: 'main' };
  const { parent, ...role } = JSON.parse(text) as Role & { parent: number };
  // So it is in a process that a worker process forked before it imported this package. But a worker process whose
  // master has died remains one, and leaves as such: it must never take itself for a start of the service.
  return parent === process.ppid || !isProcessAlive(parent) ? role : { kind: 'main' };
}

export const role: Role = readRole();
