import { TcpConnection } from '../connection/TcpConnection.js';
import type { ProtocolInterface } from '../protocols/ProtocolInterface.js';

/** How a Worker finds out that peers are gone. */
export interface HeartbeatOptions {
  /** Seconds between two looks at all connections; what the protocol has for a sign of life is sent at each. */
  interval: number;
  /** Seconds of silence after which a peer counts as dead and its connection is destroyed. Longer than `interval`. */
  timeout: number;
}

/** Where a peer that is not expected to answer stood when its bytes last moved. */
interface Progress {
  written: number;
  since: number;
}

/**
 * Looks after the connections of one Worker: TCP itself notices a peer that vanished without a word only after hours.
 * Peers that answer (a WebSocket ping) or have to speak by themselves are dead when they are silent for too long; for
 * peers that only listen (an event stream) it counts whether they take what is sent. One timer for all connections;
 * it does not keep the process alive and is no `Timer`.
 */
export class Heartbeat {
  readonly #connections: () => Iterable<TcpConnection>;
  readonly #options: HeartbeatOptions;
  readonly #progress = new WeakMap<TcpConnection, Progress>();
  #timer: NodeJS.Timeout | null = null;

  /** @throws TypeError when interval or timeout is no positive number */
  constructor(connections: () => Iterable<TcpConnection>, options: HeartbeatOptions) {
    for (const name of ['interval', 'timeout'] as const) {
      const value: unknown = options[name];
      if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
        throw new TypeError(`worker.heartbeat.${name} is a positive number of seconds, got ${String(value)}`);
      }
    }
    this.#connections = connections;
    this.#options = options;
  }

  start(): void {
    if (this.#timer !== null) return;
    // Looks around only after what has arrived was read: a process that did not get its turn for a while finds its
    // timers due before it has seen the signs of life that came meanwhile.
    this.#timer = setInterval(() => setImmediate(() => this.#beat()), this.#options.interval * 1000);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #beat(): void {
    if (this.#timer === null) return;
    const now = Date.now();
    for (const connection of this.#connections()) {
      if (connection.getStatus() === TcpConnection.STATUS_ESTABLISHED) this.#check(connection, now);
    }
  }

  #check(connection: TcpConnection, now: number): void {
    const protocol: ProtocolInterface | null = connection.protocol;
    const sign = protocol?.heartbeat ? protocol.heartbeat(connection) : { bytes: '', answered: true };
    if (sign === null) return;
    const lastSign = sign.answered ? connection._lastRead : this.#lastProgress(connection, now);
    if (now - lastSign > this.#options.timeout * 1000) {
      connection.destroy();
      return;
    }
    // Behind bytes that do not move, another sign of life says nothing.
    if (sign.bytes.length > 0 && connection.bufferIsEmpty()) connection._push(sign.bytes);
  }

  #lastProgress(connection: TcpConnection, now: number): number {
    const written = connection.bytesWritten;
    const before = this.#progress.get(connection);
    if (before !== undefined && before.written === written && !connection.bufferIsEmpty()) return before.since;
    this.#progress.set(connection, { written, since: now });
    return now;
  }
}
