import { clientOptions, loadRedis } from './loadRedis.js';
import type { RedisConnection } from './RedisLink.js';
import { RedisSessionHandler, type RedisSessionConfig } from './RedisSessionHandler.js';

/** Settings of {@link RedisClusterSessionHandler}, by Workerman's names. */
export interface RedisClusterSessionConfig extends Omit<RedisSessionConfig, 'host' | 'port' | 'database'> {
  /** Some of the nodes, `ip:port`; the others are found by asking them. */
  host: readonly string[];
  /** Seconds to wait for a connection. Default 2. */
  timeout?: number;
  /** Seconds to wait for the answer to a command. Default: `timeout`. */
  read_timeout?: number;
  /** Taken for the sake of Workerman's configurations: connections live as long as the process. */
  persistent?: boolean;
}

const DEFAULT_PORT = 6379;

/** As {@link RedisSessionHandler}, in a cluster: each session on the node that its key belongs to. */
export class RedisClusterSessionHandler extends RedisSessionHandler {
  readonly #cluster: RedisClusterSessionConfig;

  /** Connects to nothing yet. @param config some of the nodes, and how keys are named */
  constructor(config: RedisClusterSessionConfig) {
    const { host: _seeds, ...shared } = config;
    super(shared);
    this.#cluster = config;
  }

  protected override async createRedisConnection(config: RedisSessionConfig): Promise<RedisConnection> {
    const { createCluster } = await loadRedis();
    return this.connectClient(createCluster({
      rootNodes: this.#cluster.host.map((seed) => ({ socket: parseSeed(seed) })),
      defaults: clientOptions(config),
      RESP: 2,
      // A node that is down concerns those sessions only that are on it.
      minimizeConnections: true,
    }));
  }

  protected override get address(): string {
    return this.#cluster.host.join(', ');
  }

  protected override get commandTimeout(): number {
    return this.#cluster.read_timeout ?? super.commandTimeout;
  }
}

function parseSeed(seed: string): { host: string; port: number } {
  const colon = seed.lastIndexOf(':');
  const host = colon < 0 ? seed : seed.slice(0, colon);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: colon < 0 ? DEFAULT_PORT : Number(seed.slice(colon + 1)) };
}
