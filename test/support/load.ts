import { connect, type Socket } from 'node:net';

/** What a load has seen. */
export interface LoadResult {
  answers: number;
  /** Requests that got no answer, a part of one, or a wrong one; each with the reason. */
  failures: string[];
  /** Longest time in milliseconds in which no client at all got an answer, between two marks. */
  gaps: number[];
}

/**
 * A server that stops sees a client off that is silent for 200 ms (QUIET_MS in lib/child/Drain.ts). A load that does
 * not get its turn for half of that may be such a client, against its will: what it asks then may meet the end half
 * way.
 */
const HELD_UP_MS = 100;
const TICK_MS = 10;

/**
 * HTTP clients that ask again as soon as they are answered: some on connections that they keep, some with a new
 * connection for every request. A kept connection may be closed by the server only after an answer that says
 * `Connection: close`, or while nothing is asked; everything else counts as a failure, unless this very process was
 * held up between a request and the one before.
 */
export class Load {
  readonly #port: number;
  readonly #body: RegExp;
  readonly #pause: number;
  readonly result: LoadResult = { answers: 0, failures: [], gaps: [] };
  readonly #clients: Promise<void>[] = [];
  readonly #sockets = new Set<Socket>();
  #running = true;
  #lastAnswer = performance.now();
  #longestGap = 0;
  readonly #ticks: NodeJS.Timeout;
  #lastTick = performance.now();
  /** The end of the last time that this process did not get its turn. */
  #heldUpUntil = 0;

  /**
   * @param body what every answer's body has to match
   * @param pause milliseconds from an answer to the next request on a kept connection, or to the next connection;
   * without one the clients take all that the machine has
   */
  constructor(port: number, body: RegExp, pause: number = 0) {
    this.#port = port;
    this.#body = body;
    this.#pause = pause;
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
    this.#ticks.unref();
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#lastTick > HELD_UP_MS) this.#heldUpUntil = now;
    this.#lastTick = now;
  }

  #wasHeldUpSince(time: number): boolean {
    return this.#heldUpUntil >= time || performance.now() - this.#lastTick > HELD_UP_MS;
  }

  start(keepAlive: number, oneShot: number): void {
    for (let i = 0; i < keepAlive; i++) this.#clients.push(this.#client(true));
    for (let i = 0; i < oneShot; i++) this.#clients.push(this.#client(false));
  }

  /** Notes the longest gap since the last mark. */
  mark(): number {
    const gap = Math.max(this.#longestGap, performance.now() - this.#lastAnswer);
    this.result.gaps.push(gap);
    this.#longestGap = 0;
    this.#lastAnswer = performance.now();
    return gap;
  }

  async stop(): Promise<LoadResult> {
    this.#running = false;
    await Promise.all(this.#clients);
    for (const socket of this.#sockets) socket.destroy();
    clearInterval(this.#ticks);
    return this.result;
  }

  async #client(keepAlive: boolean): Promise<void> {
    while (this.#running) {
      const failure = await this.#connection(keepAlive);
      if (failure !== null) this.result.failures.push(failure);
      if (this.#pause > 0) await new Promise((resolve) => setTimeout(resolve, this.#pause));
    }
  }

  /** One connection from its beginning to its end. */
  #connection(keepAlive: boolean): Promise<string | null> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1');
      this.#sockets.add(socket);
      const kind = keepAlive ? 'keep-alive' : 'one request';
      const request = `GET / HTTP/1.1\r\nHost: a\r\n${keepAlive ? '' : 'Connection: close\r\n'}\r\n`;
      let text = '';
      let asked = false;
      // When the server has heard of this client: at the last request, and at the one before or the connect.
      let spoke = performance.now();
      let spokeBefore = spoke;
      const cut = (reason: string): void => {
        const isLate = asked && text === '' && this.#wasHeldUpSince(spokeBefore);
        finish(isLate ? null : `${kind}: ${reason}`);
      };
      const finish = (failure: string | null): void => {
        this.#sockets.delete(socket);
        socket.destroy();
        resolve(failure);
      };
      const ask = (): void => {
        text = '';
        asked = true;
        [spokeBefore, spoke] = [spoke, performance.now()];
        socket.write(request);
      };
      socket.setTimeout(10_000, () => finish(`${kind}: no answer for 10 s`));
      socket.on('connect', ask);
      socket.on('error', (error: NodeJS.ErrnoException) => cut(`${error.code} after ${text.length} bytes`));
      socket.on('close', () => (asked ? cut(`closed after ${text.length} bytes of an answer`) : finish(null)));
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
        if (end < 0 || text.length < end + 4 + length) return;
        asked = false;
        this.#answered();
        if (!text.startsWith('HTTP/1.1 200 ') || !this.#body.test(text.slice(end + 4))) {
          finish(`${kind}: wrong answer ${JSON.stringify(text.slice(0, 200))}`);
        } else if (!this.#running || /\r\nconnection: close\r\n/i.test(text)) finish(null);
        else if (this.#pause > 0) setTimeout(() => (socket.destroyed ? undefined : ask()), this.#pause);
        else ask();
      });
    });
  }

  #answered(): void {
    const now = performance.now();
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastAnswer);
    this.#lastAnswer = now;
    this.result.answers++;
  }
}
