import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { Case, Send, Transport } from './cases.js';
import { bytesOf, explain, isDecided, isRight, isSilence, show } from './match.js';

/** Plays the client of a recorded case against a running program. */

/** Where the program listens: a port of 127.0.0.1, or the path of a unix socket. */
export type Target = { port: number } | { path: string };

const TIMEOUT = 3000;
/** How long surplus bytes or an unwanted close are waited for, once the answer is there. */
const SETTLE = 60;
/** The same when silence is the answer. */
const SILENCE = 200;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Variables taken from an answer, for a later request (a session id that the server gave out). */
type Variables = Record<string, string>;

function bytesToSend(item: Send, variables: Variables): Buffer {
  const bytes = item.pieces ? Buffer.concat(item.pieces.map(bytesOf)) : Buffer.from(item.b64 ?? '', 'base64');
  if (!item.subst) return bytes;
  const filled = bytes.toString('latin1').replace(/\{\{(\w+)\}\}/g, (whole, name: string) => variables[name] ?? whole);
  return Buffer.from(filled, 'latin1');
}

/** One stream connection of the client, with what it has received. It stays half open when the server closes. */
class Client {
  readonly socket: Socket;
  connected = false;
  /** The server has closed or reset the connection. */
  closed = false;
  /** Nothing more can come, not even bytes that are still unread. */
  finished = false;
  failure = '';
  lastEvent: number = Date.now();
  #chunks: Buffer[] = [];
  #wake: () => void = () => {};

  constructor(target: Target) {
    this.socket = connect({ ...target, ...('port' in target ? { host: '127.0.0.1' } : {}), allowHalfOpen: true });
    this.socket.setNoDelay();
    const event = (change: () => void): void => {
      change();
      this.lastEvent = Date.now();
      this.#wake();
    };
    this.socket.on('connect', () => event(() => (this.connected = true)));
    this.socket.on('data', (chunk) => event(() => this.#chunks.push(chunk)));
    this.socket.on('end', () => event(() => (this.closed = this.finished = true)));
    this.socket.on('close', () => event(() => (this.closed = this.finished = true)));
    this.socket.on('error', (error) =>
      event(() => {
        this.failure = error.message;
        this.closed = this.finished = true;
      }),
    );
  }

  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Waits for the next event, `ms` at most. */
  async event(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = resolve;
    });
    clearTimeout(timer);
    this.#wake = () => {};
  }
}

/** Waits for what an item waits for. False when it never came and sending on makes no sense. */
async function awaitPattern(
  client: Client,
  wait: NonNullable<Send['await']>,
  variables: Variables,
  end: number,
): Promise<boolean> {
  const pattern = new RegExp(wait.re);
  for (;;) {
    const match = pattern.exec(client.received.toString('latin1'));
    if (match) {
      (wait.names ?? []).forEach((name, index) => (variables[name] = match[index + 1] ?? ''));
      return true;
    }
    if (client.closed) return true;
    if (Date.now() >= end) return false;
    await client.event(end - Date.now());
  }
}

async function sendAll(client: Client, items: readonly Send[], end: number): Promise<void> {
  const variables: Variables = Object.create(null) as Variables;
  for (const item of items) {
    if (item.await && !(await awaitPattern(client, item.await, variables, end))) return;
    if (item.delay_ms) await sleep(item.delay_ms);
    const bytes = bytesToSend(item, variables);
    if (bytes.length > 0 && !client.failure) client.socket.write(bytes);
    if (item.fin && !client.failure) client.socket.end();
    client.lastEvent = Date.now();
  }
}

async function playStream(test: Case, target: Target): Promise<string> {
  const end = Date.now() + (test.timeout_ms ?? TIMEOUT);
  const settle = test.settle_ms ?? (isSilence(test.expect) ? SILENCE : SETTLE);
  const client = new Client(target);
  let readFrom = 0;
  if (test.read_after_ms) {
    readFrom = Date.now() + test.read_after_ms;
    client.socket.pause();
    setTimeout(() => client.socket.resume(), test.read_after_ms);
  }
  try {
    while (!client.connected && !client.failure && Date.now() < end) await client.event(end - Date.now());
    if (!client.connected) return `could not connect: ${client.failure || 'timed out'}`;
    await sendAll(client, test.send, end);
    while (!client.finished && Date.now() < end) {
      const waiting = !isDecided(test.expect, client.received, client.closed) || Date.now() <= readFrom;
      const until = waiting ? end : client.lastEvent + settle;
      if (Date.now() >= until) break;
      await client.event(Math.min(until, end, readFrom > Date.now() ? readFrom + 1 : end) - Date.now());
    }
    if (isRight(test.expect, client.received, client.closed)) return '';
    return explain(test.expect, client.received, client.closed) + (Date.now() >= end ? '\n(gave up waiting)' : '');
  } finally {
    client.socket.destroy();
  }
}

async function playDatagrams(test: Case, target: { port: number }): Promise<string> {
  const wanted = (test.expect.datagrams ?? []).map((datagram) => Buffer.from(datagram.b64, 'base64'));
  const settle = test.settle_ms ?? (wanted.length > 0 ? SETTLE : 150);
  const end = Date.now() + (test.timeout_ms ?? TIMEOUT);
  const received: Buffer[] = [];
  let lastEvent = Date.now();
  let failure = '';
  const socket = createSocket('udp4');
  socket.on('message', (message) => {
    received.push(message);
    lastEvent = Date.now();
  });
  socket.on('error', (error) => (failure = error.message));
  try {
    await new Promise<void>((resolve) => socket.connect(target.port, '127.0.0.1', resolve));
    for (const item of test.send) {
      if (item.delay_ms) await sleep(item.delay_ms);
      await new Promise<void>((resolve) => socket.send(bytesToSend(item, {}), () => resolve()));
      lastEvent = Date.now();
    }
    while (Date.now() < end && !(received.length >= wanted.length && Date.now() - lastEvent >= settle)) await sleep(5);
  } finally {
    socket.close();
  }
  const same =
    received.length === wanted.length && received.every((datagram, index) => datagram.equals(wanted[index]!));
  if (same) return '';
  const list = (datagrams: readonly Buffer[]): string => datagrams.map((d) => show(d, 80)).join(' | ') || '(none)';
  return `expected ${list(wanted)}\nreceived ${list(received)}${failure && `\n${failure}`}`;
}

/** An idle connection beside the case. It tells whether the worker process has survived. */
async function withWitness(target: Target, play: () => Promise<string>): Promise<string> {
  const witness = new Client(target);
  try {
    await sleep(60);
    const problem = await play();
    await sleep(300);
    return problem || (witness.closed ? 'another, idle connection was closed: the worker process has ended' : '');
  } finally {
    witness.socket.destroy();
  }
}

/** Plays one case. Returns `''`, or what is wrong with the outcome. */
export async function playCase(test: Case, target: Target, transport: Transport): Promise<string> {
  if (transport === 'udp') return playDatagrams(test, target as { port: number });
  const play = (): Promise<string> => playStream(test, target);
  return test.witness ? withWitness(target, play) : play();
}

/**
 * Plays cases, `atOnce` at a time and those marked `alone` after all others. `done` gets each outcome as it is there.
 */
export async function playCases(
  cases: readonly Case[],
  target: Target,
  transport: Transport,
  done: (test: Case, problem: string) => void,
  atOnce = 8,
): Promise<void> {
  const one = async (test: Case): Promise<void> => {
    let problem: string;
    try {
      problem = await playCase(test, target, transport);
    } catch (error) {
      problem = `the replay itself failed: ${error instanceof Error ? error.stack : String(error)}`;
    }
    done(test, problem);
  };
  const queue = cases.filter((test) => !test.alone);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < queue.length) await one(queue[next++]!);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  for (const test of cases) if (test.alone) await one(test);
}
