// Runs in a worker process.
import { ConnectionInterface } from '../../connection/ConnectionInterface.js';
import { lingeringCount } from '../../connection/linger.js';
import { TcpConnection } from '../../connection/TcpConnection.js';
import { unfinishedCount } from '../../connection/unfinished.js';
import { Settings } from '../Settings.js';

const TICK_MS = 10;
const GRACEFUL_TICK_MS = 50;
/** Silence after which a client has no request on its way: it was asked nothing and said nothing for so long. */
const QUIET_MS = 200;
/** The answer to a slow request may have gone out just before the drain began: its client gets this much for another. */
const LEAST_MS = 30;
/**
 * Clients that never fall silent, and callbacks of connections that are gone, are not waited for longer than this, nor
 * than half of what a stop may take.
 */
const PATIENCE_MS = 1000;
/** After the last connection: ticks that closed sockets get to see the peer's FIN. */
const LINGER_TICKS = 10;

const patience = (): number => Math.min(PATIENCE_MS, Settings.stopTimeout * 500);

/** The connections that a stop has to see off. */
export type ConnectionSource = () => Iterable<TcpConnection>;

/**
 * Sees the connections of a stopping process off, then calls `done`.
 *
 * Plain: a connection is closed when nothing of a request has arrived, no handler is pending, and its client has been
 * silent for a moment. Closing a connection whose client was answered just now would meet its next request half way,
 * and lose it; with that moment, busy keep-alive clients get one more answer, with `Connection: close`, and leave by
 * themselves. Connections that have been idle for longer are closed at once, so the moment costs nothing where nothing
 * can be lost.
 * Graceful: connections go on as long as they like.
 */
export class Drain {
  readonly #connections: ConnectionSource;
  readonly #done: () => void;
  readonly #report: (remaining: number) => void;
  #timer: NodeJS.Timeout | null = null;
  #plainSince = 0;
  #reportBelow = Infinity;
  #reportStep = 0;
  #lingerTicks = LINGER_TICKS;
  /** When the last connection was found gone. */
  #goneSince = 0;

  constructor(connections: ConnectionSource, report: (remaining: number) => void, done: () => void) {
    this.#connections = connections;
    this.#report = report;
    this.#done = done;
  }

  /** Starts, or turns a graceful drain into a plain one. */
  plain(): void {
    if (this.#plainSince > 0) return;
    this.#plainSince = Date.now();
    // Looks around only after what has arrived was read: a process that did not get its turn for a while finds its
    // timers due before it has seen the requests that came meanwhile.
    this.#every(TICK_MS, () => setImmediate(() => this.#plainTick()));
  }

  /** A plain drain that ends after so many seconds: what is still open then is cut. */
  expire(seconds: number): void {
    this.plain();
    setTimeout(() => {
      for (const connection of [...this.#connections()]) connection.destroy();
    }, seconds * 1000);
  }

  graceful(): void {
    this.#reportStep = Math.max(1, ConnectionInterface.statistics.connection_count / 3);
    this.#every(GRACEFUL_TICK_MS, () => this.#gracefulTick());
    this.#gracefulTick();
  }

  #every(milliseconds: number, tick: () => void): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(tick, milliseconds);
  }

  #plainTick(): void {
    if (this.#timer === null) return;
    let left = 0;
    const now = Date.now();
    const age = now - this.#plainSince;
    const patient = age < patience();
    for (const connection of this.#connections()) {
      const quiet = !patient || (age >= LEAST_MS && now - connection._lastRead >= QUIET_MS);
      if (quiet && connection.getRecvBufferQueueSize() === 0 && !connection._busy) connection.close();
      if (connection.getStatus() !== TcpConnection.STATUS_CLOSED) left++;
    }
    if (left === 0) this.#finish();
  }

  /** Workerman says about three times on the way how many remain, and once when none does. */
  #gracefulTick(): void {
    const left = ConnectionInterface.statistics.connection_count;
    if (left > 0 && left < this.#reportBelow) {
      this.#report(left);
      this.#reportBelow = Math.min(left, left - this.#reportStep + 1);
    }
    if (left > 0) return;
    if (this.#lingerTicks === LINGER_TICKS) this.#report(0);
    this.#finish();
  }

  /** The last connection is gone. What was begun for them is finished, sessions are stored. */
  #finish(): void {
    if (lingeringCount() > 0 && this.#lingerTicks-- > 0) return;
    this.#goneSince ||= Date.now();
    if (unfinishedCount() > 0 && Date.now() - this.#goneSince < patience()) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#done();
  }
}
