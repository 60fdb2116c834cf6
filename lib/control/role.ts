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
    };

const VARIABLE = 'WORKERMAN_TS_ROLE';

/** The environment for a child of the given role. */
export function environmentFor(role: Role): NodeJS.ProcessEnv {
  return { ...process.env, [VARIABLE]: JSON.stringify(role) };
}

function readRole(): Role {
  const text = process.env[VARIABLE];
  delete process.env[VARIABLE];
  // Without the channel to the master the variable is a stray one, inherited from elsewhere.
  if (text === undefined || process.send === undefined) return { kind: 'main' };
  return JSON.parse(text) as Role;
}

export const role: Role = readRole();
