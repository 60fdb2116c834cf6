
/**
 * How long clients may take, watched by one timer for the whole process.
 *
 * Nothing is noted when a byte comes in or goes out. Once a second the timer looks at every connection and compares what
 * it sees with what it saw before, so a request costs nothing here, and a limit is kept to within two seconds. The timer
 * runs while there are connections to watch and never keeps the process alive.
 */

/** Limits for what clients may do. `Http` shows them as its static properties; 0 turns a limit off. */
export interface Limits {
  /** Seconds. */
  headersTimeout: number;
  /** Seconds. */
  requestTimeout: number;
  /** Seconds. */
  keepAliveTimeout: number;
  /** Seconds. */
  sendTimeout: number;
  /** Header lines of one request. */
  maxHeaderCount: number;
  /** Bytes of all requests that have not arrived whole. */
  maxBufferedBytes: number;
}

const MIB = 1024 * 1024;

/** The limits in force. */
export const limits: Limits = {
  headersTimeout: 60,
  requestTimeout: 300,
  keepAliveTimeout: 75,
  sendTimeout: 300,
  maxHeaderCount: 2000,
  maxBufferedBytes: 256 * MIB,
};

/** The answer to a request that took too long to arrive. */
export const REQUEST_TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/** What is asked of a connection that is watched. */
export interface Watched {
  readonly protocol: unknown;
  readonly bytesRead: number;
  getStatus(): number;
  end(data?: unknown, raw?: boolean): void;
  close(): void;
}

/** Looks at a connection and does what is due. @returns false when there is nothing to watch any more */
export type Inspector<C extends Watched> = (connection: C, watch: Watch, now: number) => boolean;

const PERIOD_MS = 1000;
const CLOSED = 16;

/** What the timer remembers about one connection. */
export class Watch {
  readonly inspect: Inspector<never>;
  readonly #protocol: unknown;
  #state = 0;
  #since = -1;
  #progress = 0;
  #progressSince = -1;

  constructor(inspect: Inspector<never>, protocol: unknown) {
    this.inspect = inspect;
    this.#protocol = protocol;
  }

  /** True when the connection speaks what it spoke when it was first watched. */
  isFor(protocol: unknown): boolean {
    return protocol === this.#protocol;
  }

  /** Seconds for which the connection has been seen in this state, as a number of the inspector's choice. */
  secondsIn(state: number, now: number): number {
    if (state !== this.#state || this.#since < 0) {
      this.#state = state;
      this.#since = now;
    }
    return (now - this.#since) / 1000;
  }

  /** The connection is in a state without limits. */
  forget(): void {
    this.#since = -1;
  }

  /** Seconds for which `progress` has not changed; null starts anew. */
  secondsWithout(progress: number | null, now: number): number {
    if (progress === null) {
      this.#progressSince = -1;
      return 0;
    }
    if (progress !== this.#progress || this.#progressSince < 0) {
      this.#progress = progress;
      this.#progressSince = now;
    }
    return (now - this.#progressSince) / 1000;
  }
}

const watches = new Map<Watched, Watch>();
let timer: NodeJS.Timeout | null = null;

/**
 * Watches a connection from now on, with the limits that `inspect` keeps. Once is enough, as long as it speaks the same
 * protocol.
 */
export function watch<C extends Watched>(connection: C, inspect: Inspector<C>): void {
  if (watches.get(connection)?.isFor(connection.protocol)) return;
  watches.set(connection, new Watch(inspect as Inspector<never>, connection.protocol));
  if (timer !== null) return;
  timer = setInterval(sweep, PERIOD_MS);
  timer.unref();
}

/** Watches a connection no more. */
export function unwatch(connection: Watched): void {
  if (watches.delete(connection) && watches.size === 0) stop();
}

/** Connections that are watched. */
export function watched(): Iterable<[Watched, Watch]> {
  return watches;
}

/** True while the timer runs. */
export const isWatching = (): boolean => timer !== null;

/** One look at every connection. @param now milliseconds on a clock that never goes back */
export function sweep(now: number = performance.now()): void {
  for (const [connection, watch] of watches) {
    const isOver = connection.getStatus() === CLOSED || !watch.isFor(connection.protocol);
    if (isOver || !watch.inspect(connection as never, watch, now)) watches.delete(connection);
  }
  if (watches.size === 0) stop();
}

function stop(): void {
  if (timer !== null) clearInterval(timer);
  timer = null;
}

/** True when `seconds` have gone by and the limit is on. */
export const isOver = (seconds: number, limit: number): boolean => limit > 0 && seconds >= limit;

/**
 * `headersTimeout` for a protocol that begins with a request of HTTP: a connection whose handshake is not done in time
 * gets 408, or is closed when nothing of it has come.
 *
 * @param isDone asked once a second; when it says true, the connection is left alone for good
 */
export function watchHandshake<C extends Watched>(connection: C, isDone: (connection: C) => boolean): void {
  watch(connection, (self: C, watch, now) => {
    if (isDone(self)) return false;
    if (isOver(watch.secondsIn(0, now), limits.headersTimeout)) refuseLate(self, self.bytesRead > 0);
    return true;
  });
}

/** 408, or nothing to a client that has asked nothing. */
export function refuseLate(connection: Watched, hasBegun: boolean): void {
  if (hasBegun) connection.end(REQUEST_TIMEOUT, true);
  else connection.close();
}
