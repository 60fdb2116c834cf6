import { WorkermanError } from '../../../errors.js';

/** The settings that clients of one Redis and of a cluster share. */
export interface SharedSettings {
  /** Seconds to wait for a connection. */
  timeout?: number;
  /** Seconds between two pings; 0: none. */
  ping?: number;
  /** Password, or user and password. */
  auth?: string | readonly string[] | null;
}

export const DEFAULT_TIMEOUT = 2;
const DEFAULT_PING = 55;

/** Longest pause between two attempts to connect, in milliseconds. */
const MAX_RETRY_PAUSE = 500;

/**
 * The package `redis`, which is loaded only by those who use it.
 * @throws WorkermanError `ERR_MODULE_NOT_FOUND` when it is not installed
 */
export async function loadRedis(): Promise<typeof import('redis')> {
  try {
    return await import('redis');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new WorkermanError(code, 'Please install redis: npm i redis', { cause: error });
  }
}

/** Options of a client of `redis`. */
export interface ClientOptions {
  RESP: 2;
  disableClientInfo: true;
  commandOptions: { timeout: undefined };
  pingInterval?: number;
  username?: string;
  password?: string;
  socket: { connectTimeout: number; reconnectStrategy: (retries: number) => number };
}

/** The options, for one Redis or for each node of a cluster. */
export function clientOptions(settings: SharedSettings): ClientOptions {
  const { timeout = DEFAULT_TIMEOUT, ping = DEFAULT_PING, auth = null } = settings;
  return {
    // The old form of the protocol, which every Redis understands.
    RESP: 2,
    disableClientInfo: true,
    // Each command has its time already.
    commandOptions: { timeout: undefined },
    ...(ping > 0 ? { pingInterval: ping * 1000 } : {}),
    ...credentials(auth),
    socket: {
      connectTimeout: timeout * 1000,
      reconnectStrategy: (retries) => Math.min(2 ** retries * 20, MAX_RETRY_PAUSE),
    },
  };
}

function credentials(auth: SharedSettings['auth']): { username?: string; password?: string } {
  if (!auth || auth.length === 0) return {};
  if (typeof auth === 'string') return { password: auth };
  const [first, second] = auth;
  return second === undefined ? { password: first as string } : { username: first as string, password: second };
}
