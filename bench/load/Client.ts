import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_CORE } from './machine.js';
import { compiled, startOn } from './processes.js';

/** What the client has counted. */
export interface Count {
  answers: number;
  /** Seconds from the start signal. */
  seconds: number;
}

/** One run of client.c: {@link start}, {@link count}, look at the server, {@link leave}. */
export class Client {
  readonly #child: ChildProcess;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /**
   * Starts the client and returns when its connections are open and greeted.
   *
   * @param args as at the top of client.c
   * @param answers it stops after so many, 0 for no limit
   */
  static async start(args: readonly string[], answers = 0): Promise<Client> {
    const child = startOn(CLIENT_CORE, [compiled('client'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...(answers > 0 && { ANSWERS: String(answers) }) },
    });
    const client = new Client(child);
    await client.#printed(/^ready\n/);
    return client;
  }

  /** Lets it work. Fails when it has seen a wrong answer or none at all. Its connections stay open. */
  async count(): Promise<Count> {
    const begun = performance.now();
    this.#child.stdin?.write('\n');
    const line = await this.#printed(/^ready\n(\d+) (\d+)\n/);
    const seconds = (performance.now() - begun) / 1000;
    const [answers, failures] = [Number(line[1]), Number(line[2])];
    if (failures > 0 || answers === 0) {
      throw new Error(`the client counted ${answers} answers and ${failures} failures`);
    }
    return { answers, seconds };
  }

  /** Closes its connections. */
  async leave(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end('\n\n');
    await ended;
  }

  async #printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = text.exec(this.#output);
      if (match) return match;
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) throw new Error(`the client ended too early (${exitCode ?? signalCode})`);
      await sleep(2);
    }
  }
}
