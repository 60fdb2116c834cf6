import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BENCH, SERVER_CORE, tree } from './machine.js';
import { compiled, end, freePort, startOn, work } from './processes.js';

/** Who takes part: a program of `contenders/`, `floor`, or `ours@FILE` for the package whose front door that is. */
export type Contender = string;

function commandOf(contender: Contender, port: number): string[] {
  if (contender === 'floor') return [compiled('floor'), String(port)];
  const [name = ''] = contender.split('@');
  const script = join(BENCH, 'load', 'contenders', `${name}.mjs`);
  return name === 'bun' ? [join(BENCH, 'node_modules/.bin/bun'), script] : [process.execPath, script];
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A contender that runs, in a process of its own on the servers' core. */
export class Server {
  readonly contender: Contender;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(contender: Contender, port: number, child: ChildProcess) {
    this.contender = contender;
    this.port = port;
    this.#child = child;
  }

  /** Starts a contender. */
  static launch(contender: Contender, port: number, env: Readonly<Record<string, string>> = {}): Server {
    const [, dist] = contender.split('@');
    const child = startOn(SERVER_CORE, commandOf(contender, port), {
      env: { ...process.env, ...env, ...(dist && { DIST: dist }), PORT: String(port), NODE_ENV: 'production' },
      // Of its own: a service keeps its pid file there.
      cwd: mkdtempSync(join(work(), 'server-')),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return new Server(contender, port, child);
  }

  /** Starts a contender and waits until it accepts connections. */
  static async start(contender: Contender, env?: Readonly<Record<string, string>>): Promise<Server> {
    const server = Server.launch(contender, await freePort(), env);
    for (let tries = 0; tries < 2000 && server.#child.exitCode === null; tries++) {
      if (await accepts(server.port)) return server;
      await sleep(5);
    }
    await server.stop();
    throw new Error(`${contender} does not accept connections`);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** All of its processes, the first one first. */
  get pids(): number[] {
    return tree(this.pid);
  }

  async stop(): Promise<void> {
    await end(this.#child);
  }
}
