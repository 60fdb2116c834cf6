import { WorkermanError } from '../../../errors.js';

/** What is used of a client of the package `redis`, or of another that speaks like one. */
export interface RedisConnection {
  /** The value of a key; null when there is none. */
  get(key: string): Promise<unknown>;
  /** Sets a key for so many seconds. */
  setEx(key: string, seconds: number, value: string): Promise<unknown>;
  /** Gives a key so many seconds; what counts as false when there is none. */
  expire(key: string, seconds: number): Promise<unknown>;
  /** Deletes a key. */
  del(key: string): Promise<unknown>;
  /** Ends the connection at once; what waits for an answer is rejected. */
  destroy?(): unknown;
}

/** A client of the package `redis` that has not been connected yet. */
export interface RedisClient extends RedisConnection {
  /** Connects; rejects when that fails. */
  connect(): Promise<unknown>;
  /** Listens to the state of the connection. */
  on(event: 'error' | 'ready', listener: (error?: unknown) => void): unknown;
}

/** Stands for an answer that did not come in time. */
const LATE = Symbol('late');

/**
 * The connection of a process to Redis, made when it is first needed, and again after a failure. A client of `redis`
 * connects again by itself but lets commands wait for it without end; here each has its time, after which it fails, be
 * it that Redis is gone or that it hangs. The connection is given up then, and with it whatever still waited to be sent
 * and could reach Redis when nobody expects it any more.
 */
export class RedisLink {
  readonly #connect: () => Promise<RedisConnection>;
  readonly #address: string;
  readonly #seconds: number;
  #connection: Promise<RedisConnection> | null = null;
  #clients: RedisClient[] = [];
  /** What is wrong with the connection at present: the reason why a command gets no answer. */
  #trouble: unknown = null;

  /**
   * @param connect makes the connection; may use {@link open}
   * @param address where Redis is, for messages
   * @param seconds that a command may take, connecting included
   */
  constructor(connect: () => Promise<RedisConnection>, address: string, seconds: number) {
    this.#connect = connect;
    this.#address = address;
    this.#seconds = seconds;
  }

  /** Connects a client, which is ended when the link is closed. */
  async open(client: RedisClient): Promise<RedisConnection> {
    this.#clients.push(client);
    // Without a listener an error of the connection would be one of the process; the commands will tell it.
    client.on('error', (error) => {
      this.#trouble = error;
    });
    client.on('ready', () => {
      this.#trouble = null;
    });
    await client.connect();
    return client;
  }

  /** @throws WorkermanError with the code of the system where there is one, else `WM_SESSION` */
  async run<Result>(command: (redis: RedisConnection) => Promise<Result>): Promise<Result> {
    const end = performance.now() + this.#seconds * 1000;
    for (;;) {
      const connection = (this.#connection ??= this.#connect());
      let isConnected = false;
      try {
        const redis = await within(end, connection);
        isConnected = true;
        return await within(end, command(redis));
      } catch (error) {
        const isMine = this.#connection === connection;
        if (isMine && (error === LATE || !isConnected)) this.close();
        // Another command has given the connection up, and this one has time left.
        if (isMine || error === LATE) throw this.#explain(error);
      }
    }
  }

  /** Ends the connection. The next command makes a new one. */
  close(): void {
    this.#connection?.catch(() => {});
    this.#connection = null;
    const clients = this.#clients;
    this.#clients = [];
    for (const client of clients) {
      // One that was never connected throws.
      try {
        client.destroy?.();
      } catch {}
    }
  }

  #explain(error: unknown): unknown {
    if (error instanceof WorkermanError) return error;
    const cause = error === LATE ? this.#trouble : error;
    const what = error === LATE ? `did not answer within ${this.#seconds} s` : 'failed';
    const code = (cause as { code?: unknown } | null)?.code;
    const fallback = error === LATE ? 'ETIMEDOUT' : 'WM_SESSION';
    return new WorkermanError(
      typeof code === 'string' ? code : fallback,
      `Redis at ${this.#address} ${what}${cause instanceof Error ? `: ${cause.message}` : ''}`,
      { cause },
    );
  }
}

/** The result, or a rejection with {@link LATE} at the time `end` of the monotonic clock. */
async function within<Result>(end: number, result: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // After a turn of the loop: where a program has kept it busy for so long, the answer may be there, unread.
    timer = setTimeout(() => setImmediate(reject, LATE), Math.max(0, end - performance.now()));
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
