import { clientOptions, DEFAULT_TIMEOUT, loadRedis } from './loadRedis.js';
import { type RedisClient, type RedisConnection, RedisLink } from './RedisLink.js';
import type { SessionHandlerInterface } from './SessionHandlerInterface.js';
import { sessionSettings } from './sessionSettings.js';

/** Settings of {@link RedisSessionHandler}, by Workerman's names. */
export interface RedisSessionConfig {
  /** Name or address, or the path of a unix socket. Default `'127.0.0.1'`. */
  host?: string;
  /** Default 6379. */
  port?: number;
  /** Seconds to wait for a connection, and for the answer to a command. Default 2. */
  timeout?: number;
  /** Password, or user and password. */
  auth?: string | readonly string[] | null;
  /** Number of the database. Default 0. */
  database?: number;
  /** Put in front of every id. Default, and when empty: `'redis_session_'`. */
  prefix?: string;
  /** Seconds between the pings that keep the connection alive; 0: none. Default 55. */
  ping?: number;
  /** Taken for the sake of Workerman's configurations: one connection carries all commands of a process. */
  pool?: Readonly<Record<string, unknown>>;
}

const DEFAULT_PREFIX = 'redis_session_';
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 6379;

/**
 * Sessions in Redis, by the package `redis` (node-redis), which has to be installed beside this one. Redis itself
 * forgets them when their lifetime is over.
 *
 * There is one connection for the process, made when it is first needed. A command that has no answer after `timeout`
 * seconds fails; as soon as Redis is back, commands succeed again.
 */
export class RedisSessionHandler implements SessionHandlerInterface {
  /** As given to the constructor. */
  protected readonly config: RedisSessionConfig;
  readonly #prefix: string;
  #link: RedisLink | null = null;
  #isLoaded = false;

  /** Connects to nothing yet. @param config where Redis is, and how keys are named */
  constructor(config: RedisSessionConfig = {}) {
    this.config = config;
    this.#prefix = config.prefix || DEFAULT_PREFIX;
  }

  /** Nothing to do. */
  open(_savePath: string, _name: string): boolean {
    return true;
  }

  /** Ends the connection; the next command makes a new one. */
  close(): boolean {
    this.#link?.close();
    return true;
  }

  /** GET. @returns false when nothing is stored under `id` */
  async read(id: string): Promise<string | false> {
    const data = await this.#run((redis) => redis.get(this.#prefix + id));
    return typeof data === 'string' ? data : false;
  }

  /** SETEX, for `Session.lifetime` seconds. */
  async write(id: string, data: string): Promise<boolean> {
    await this.#run((redis) => redis.setEx(this.#prefix + id, sessionSettings.lifetime, data));
    return true;
  }

  /** EXPIRE, in `Session.lifetime` seconds. @returns false when nothing is stored under `id` */
  async updateTimestamp(id: string, _data: string = ''): Promise<boolean> {
    return Boolean(await this.#run((redis) => redis.expire(this.#prefix + id, sessionSettings.lifetime)));
  }

  /** DEL. @returns true, also when there was nothing */
  async destroy(id: string): Promise<boolean> {
    await this.#run((redis) => redis.del(this.#prefix + id));
    return true;
  }

  /** Nothing to do: Redis forgets by itself. */
  gc(_maxLifetime: number): boolean {
    return true;
  }

  /**
   * Makes the connection; a subclass may make another one. Called again when it was given up after a failure. Rejects
   * when the package `redis` is not installed or the connection fails.
   */
  protected async createRedisConnection(config: RedisSessionConfig): Promise<RedisConnection> {
    const { createClient } = await loadRedis();
    const { host = DEFAULT_HOST, port = DEFAULT_PORT, database = 0 } = config;
    const options = clientOptions(config);
    const place = host.startsWith('/') ? { path: host, tls: false as const } : { host, port };
    return this.connectClient(createClient({ ...options, database, socket: { ...place, ...options.socket } }));
  }

  /** For subclasses: connects a client of the package `redis`, and ends it with the connection. */
  protected connectClient(client: unknown): Promise<RedisConnection> {
    return this.#redis.open(client as RedisClient);
  }

  /** Where Redis is, for messages. */
  protected get address(): string {
    const { host = DEFAULT_HOST, port = DEFAULT_PORT } = this.config;
    return host.startsWith('/') ? host : `${host}:${port}`;
  }

  /** Seconds that a command may take. */
  protected get commandTimeout(): number {
    return this.config.timeout ?? DEFAULT_TIMEOUT;
  }

  async #run<Result>(command: (redis: RedisConnection) => Promise<Result>): Promise<Result> {
    if (!this.#isLoaded) {
      // Takes its time once, which is not that of a command. A subclass may do without the package.
      await loadRedis().catch(() => {});
      this.#isLoaded = true;
    }
    return this.#redis.run(command);
  }

  get #redis(): RedisLink {
    return (this.#link ??= new RedisLink(
      () => this.createRedisConnection(this.config), this.address, this.commandTimeout,
    ));
  }
}
