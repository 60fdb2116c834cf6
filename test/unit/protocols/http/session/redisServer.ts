import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, waitUntil } from '../../../../support/process.js';

const run = promisify(execFile);
const started = new Set<RedisServer>();

/** A real Redis on a port and in a folder of its own. Use it with `after(stopAllRedis)`. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'workerman-ts-redis-'));
  readonly #options: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    started.add(server);
    await server.begin();
    return server;
  }

  /** Starts it, again after {@link kill}. */
  async begin(): Promise<void> {
    const child = spawn('redis-server', [
      '--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no',
      ...this.#options,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let output = '';
    let isOver = false;
    const collect = (text: string): void => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (error) => collect(error.message)).once('close', () => (isOver = true));
    await waitUntil(() => {
      if (isOver) throw new Error(`redis-server has ended: ${output}`);
      return /Ready to accept connections/.test(output);
    }, () => output);
  }

  /** Ends it without a word to its clients. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await over;
  }

  /** Makes it hang, or go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(name);
  }

  /** What `redis-cli` prints. */
  async cli(...words: string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(this.port), ...words]);
    return stdout.trim();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A cluster of three masters that has every slot. */
export async function startCluster(): Promise<RedisServer[]> {
  const nodes: RedisServer[] = [];
  const busPorts: number[] = [];
  for (let i = 0; i < 3; i++) {
    busPorts.push(await freePort());
    nodes.push(await RedisServer.start(
      '--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', String(busPorts[i]),
    ));
  }
  const ranges = [['0', '5460'], ['5461', '10922'], ['10923', '16383']];
  for (const [i, node] of nodes.entries()) await node.cli('cluster', 'addslotsrange', ...ranges[i]!);
  for (const i of [1, 2]) {
    await nodes[0]!.cli('cluster', 'meet', '127.0.0.1', String(nodes[i]!.port), String(busPorts[i]));
  }
  for (const node of nodes) {
    await waitUntil(async () => {
      const info = await node.cli('cluster', 'info');
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
    }, () => 'the cluster to be complete');
  }
  return nodes;
}

/** Ends every server that was started here. */
export async function stopAllRedis(): Promise<void> {
  await Promise.all([...started].map((server) => server.remove()));
  started.clear();
}

process.once('exit', () => {
  for (const server of started) void server.remove();
});
