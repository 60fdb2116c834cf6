/** Looks at the answers before anything is timed, and measures their lengths for the client. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileOf } from './processes.js';
import { ACCEPT } from './requests.js';

/** How the client works; see client.c. */
export type Load =
  | { mode: 'ask'; connections: number; depth: number; request: Buffer }
  | { mode: 'once'; connections: number; request: Buffer }
  | { mode: 'greeted'; connections: number; depth: number; greeting: Buffer; request: Buffer }
  | { mode: 'rotate'; connections: number; active: number; request: Buffer }
  | { mode: 'idle'; connections: number; request: Buffer }
  | {
    mode: 'fan'; connections: number; depth: number; rounds: number; greeting: Buffer; trigger: Buffer; answered: boolean;
  };

/** Whether an answer, head and body, is what it has to be. */
export type Check = (answer: Buffer) => boolean;

const QUIET = 150;
const PATIENCE = 10_000;

/** A connection that notes what it hears. */
class Listener {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #heard = 0;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#heard += chunk.length;
    });
  }

  say(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** All that has come since the last time, once there was something and then nothing for a while. */
  async hear(): Promise<Buffer> {
    const deadline = performance.now() + PATIENCE;
    for (let last = -1; last !== this.#heard || this.#heard === 0;) {
      if (performance.now() > deadline) throw new Error('no answer');
      last = this.#heard;
      await sleep(QUIET);
    }
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#heard = 0;
    return all;
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}

async function lengthOfAnswer(listener: Listener, request: Buffer, check: Check, times = 1): Promise<number> {
  listener.say(request);
  const one = await listener.hear();
  if (!check(one)) throw new Error(`wrong answer: ${JSON.stringify(one.toString('latin1', 0, 400))}`);
  if (times > 1) {
    listener.say(Buffer.concat(Array.from({ length: times }, () => request)));
    const many = await listener.hear();
    if (many.length !== times * one.length || !check(many.subarray(-one.length))) {
      throw new Error(`${times} requests at once were answered with ${many.length} bytes, one with ${one.length}`);
    }
  }
  return one.length;
}

async function lengthOfGreeting(listener: Listener, greeting: Buffer): Promise<number> {
  listener.say(greeting);
  const answer = await listener.hear();
  const text = answer.toString('latin1');
  const isGood = text.startsWith('HTTP/1.1 101 ') ? text.includes(ACCEPT) : text.startsWith('HTTP/1.1 200 ');
  if (!isGood) throw new Error(`wrong greeting: ${JSON.stringify(text)}`);
  return answer.length;
}

/** Arguments of client.c for this server. `seconds` is a number or anything that takes its place. */
export async function prepare(load: Load, port: number, seconds: string, check: Check): Promise<string[]> {
  const listener = new Listener(port);
  const base = [load.mode, String(port), String(load.connections)];
  try {
    switch (load.mode) {
      case 'ask': {
        const length = await lengthOfAnswer(listener, load.request, check, load.depth);
        return [...base, String(load.depth), seconds, fileOf('request', load.request), String(length)];
      }
      case 'once': {
        const length = await lengthOfAnswer(listener, load.request, check);
        return [...base, seconds, fileOf('request', load.request), String(length)];
      }
      case 'rotate': {
        const length = await lengthOfAnswer(listener, load.request, check);
        return [...base, String(load.active), seconds, fileOf('request', load.request), String(length)];
      }
      case 'idle': {
        const length = await lengthOfAnswer(listener, load.request, check);
        return [...base, fileOf('request', load.request), String(length)];
      }
      case 'greeted': {
        const greetingLength = await lengthOfGreeting(listener, load.greeting);
        const length = await lengthOfAnswer(listener, load.request, check, load.depth);
        return [
          ...base, String(load.depth), seconds, fileOf('greeting', load.greeting), String(greetingLength),
          fileOf('request', load.request), String(length),
        ];
      }
      case 'fan':
        return [...base, ...(await prepareFan(load, listener, port, check))];
    }
  } finally {
    await listener.close();
  }
}

async function prepareFan(
  load: Extract<Load, { mode: 'fan' }>, listener: Listener, port: number, check: Check,
): Promise<string[]> {
  const greetingLength = await lengthOfGreeting(listener, load.greeting);
  const caller = new Listener(port);
  try {
    if (!load.answered) await lengthOfGreeting(caller, load.greeting);
    caller.say(load.trigger);
    const [delivered, answer] = await Promise.all([listener.hear(), caller.hear()]);
    if (!check(delivered)) throw new Error(`wrong delivery: ${JSON.stringify(delivered.toString('latin1'))}`);
    if (load.answered && !answer.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error('the trigger was refused');
    if (load.depth > 1) {
      caller.say(Buffer.concat(Array.from({ length: load.depth }, () => load.trigger)));
      const [all, answers] = await Promise.all([listener.hear(), caller.hear()]);
      if (all.length !== load.depth * delivered.length || answers.length !== load.depth * answer.length) {
        throw new Error(`${load.depth} triggers at once: ${all.length} bytes delivered, ${delivered.length} for one`);
      }
    }
    return [
      String(load.depth), String(load.rounds), fileOf('greeting', load.greeting), String(greetingLength),
      fileOf('trigger', load.trigger), load.answered ? String(answer.length) : '0', String(delivered.length),
    ];
  } finally {
    await caller.close();
  }
}
