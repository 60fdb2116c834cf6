import { hooks } from './hooks.js';
import { begin, end } from './unfinished.js';
import type { ProtocolInterface, UserValue } from '../protocols/ProtocolInterface.js';
import type { EventInterface } from '../timer/EventInterface.js';

/** Counters of the process, shared by all connection classes; shown by the `status` command. */
export interface ConnectionStatistics {
  /** TCP connections that are open or connecting: accepted ones and outgoing ones. UDP is not counted. */
  connection_count: number;
  /** Packets cut off for `decode`; without a protocol, reads; on a UDP server, datagrams. */
  total_request: number;
  /** Kept for compatibility; Workerman never changes it either. */
  throw_exception: number;
  /** Sends that failed: peer gone, send buffer full, or a later flush that failed. */
  send_fail: number;
}

/**
 * Any callback of a connection. A rejected promise counts as a thrown exception.
 *
 * Written as a method, whose parameters TypeScript compares in both directions: a client connection, whose callbacks
 * get a client connection, can be handed over wherever a connection is wanted.
 */
export type Callback<A extends unknown[]> = { callback(...args: A): unknown }['callback'] | null;

/**
 * Base of all connections: callbacks, counters, addresses, and the one way an exception of user code takes.
 *
 * The type parameters serve the typed view that users get (types.ts): what a message is, and what a callback's
 * connection looks like with the user's own data on it. Inside the package both stay open: a connection only hands
 * these things through.
 */
export abstract class ConnectionInterface<Message = UserValue, Self = UserValue> {
  /** Code given to `onError` when a connection could not be established. */
  static readonly CONNECT_FAIL: 1 = 1;
  /** Code given to `onError` when data could not be sent. */
  static readonly SEND_FAIL: 2 = 2;

  /** Counters of this process, one object for all connection classes; each starts at 0. */
  static statistics: ConnectionStatistics = { connection_count: 0, total_request: 0, throw_exception: 0, send_fail: 0 };

  /**
   * The protocol that cuts and translates packets, or `null` for raw bytes. May be assigned while a connection is open:
   * what has been received and is no packet yet is shown to the new one. A packet whose length the old one has told is
   * cut by that length, and decoded by the new one.
   */
  declare protocol: ProtocolInterface | null;
  static {
    // Not one of each object: a stream connection has to notice that it is assigned.
    this.prototype.protocol = null;
  }
  /** What the bytes go over: `'tcp'`, `'udp'`, `'unix'` or `'ssl'`. */
  declare readonly transport: string;
  /** `(connection, message)`: one decoded packet; without a protocol a Buffer. Null: packets are dropped. */
  onMessage: Callback<[connection: Self, message: Message]> = null;
  /** `(connection)`: once, however the connection ended. Not called on datagrams that a Worker received. */
  onClose: Callback<[connection: Self]> = null;
  /** `(connection, code, text)`: connecting (`CONNECT_FAIL`) or sending (`SEND_FAIL`) has failed. */
  onError: Callback<[connection: Self, code: number, text: string]> = null;
  /** The loop this connection lives on; null outside worker processes, and when an accepted connection has closed. */
  eventLoop: EventInterface | null = null;
  /**
   * `(error)`: gets every exception thrown (or rejected) by this connection's callbacks and protocol. Null, or when it
   * throws itself: the process logs the exception and exits with 250.
   */
  errorHandler: ((error: unknown) => unknown) | null = null;

  /**
   * Sends `data` through the protocol's `encode`, or as it is when `raw`.
   * @returns `true` taken, `null` queued, `false` failed.
   */
  abstract send(data: unknown, raw?: boolean): boolean | null;
  /** Sends `data` when given, then closes. */
  abstract close(data?: unknown, raw?: boolean): void;
  /** The peer's ip. */
  abstract getRemoteIp(): string;
  /** The peer's port; 0 where there is none. */
  abstract getRemotePort(): number;
  /** `ip:port` of the peer, IPv6 in brackets. */
  abstract getRemoteAddress(): string;
  /** The ip of this end; `''` once the socket is closed. */
  abstract getLocalIp(): string;
  /** The port of this end; 0 once the socket is closed. */
  abstract getLocalPort(): number;
  /** `ip:port` of this end, IPv6 in brackets; `''` once the socket is closed. */
  abstract getLocalAddress(): string;
  /** True when the peer is reached over IPv4. */
  abstract isIpV4(): boolean;
  /** True when the peer is reached over IPv6. */
  abstract isIpV6(): boolean;

  /** A plain description of the connection, keys as in Workerman. */
  jsonSerialize(): Record<string, unknown> {
    return {
      transport: this.transport,
      getRemoteIp: this.getRemoteIp(),
      remotePort: this.getRemotePort(),
      getRemoteAddress: this.getRemoteAddress(),
      getLocalIp: this.getLocalIp(),
      getLocalPort: this.getLocalPort(),
      getLocalAddress: this.getLocalAddress(),
      isIpV4: this.isIpV4(),
      isIpV6: this.isIpV6(),
    };
  }

  /** What `JSON.stringify(connection)` shows. */
  toJSON(): Record<string, unknown> {
    return this.jsonSerialize();
  }

  /**
   * Routes an exception: to `errorHandler` when there is one and it does not throw itself, else to the process, where
   * a worker logs it and exits with 250.
   */
  error(exception: unknown): void {
    this._route(exception, this.errorHandler);
  }

  /**
   * @internal A promise may be rejected after the close, which has taken the handler away: `handler` is that of its
   * callback.
   */
  _route(exception: unknown, handler: ConnectionInterface['errorHandler']): void {
    if (!handler) return hooks.fail(exception);
    try {
      const result = handler(exception);
      if (!isThenable(result)) return;
      begin();
      promiseOf(result).then(end, (again: unknown) => {
        end();
        hooks.fail(again);
      });
    } catch (again) {
      hooks.fail(again);
    }
  }

  /** Calls a user's callback in the one guarded place; what it throws or rejects with goes to {@link error}. */
  protected _call(callback: Callback<unknown[]>, ...args: unknown[]): void {
    if (callback === null || callback === undefined) return;
    const { errorHandler } = this;
    try {
      const result = callback(...args);
      if (isThenable(result)) this._follow(result, errorHandler);
    } catch (error) {
      this.error(error);
    }
  }

  /**
   * A callback has returned a promise: what it is rejected with is routed, and a process that stops waits for it.
   *
   * @param handler `errorHandler` when the callback was called; a close takes it away
   * @param settled called first, either way
   */
  protected _follow(
    result: PromiseLike<unknown>, handler: ConnectionInterface['errorHandler'], settled: (() => void) | null = null,
  ): void {
    begin();
    promiseOf(result).then(
      () => {
        end();
        settled?.();
      },
      (error: unknown) => {
        end();
        settled?.();
        this._route(error, this.errorHandler ?? handler);
      },
    );
  }

  /** @internal Work on behalf of this connection that may outlive it, and that a process that stops waits for. */
  _attend(work: PromiseLike<unknown>): void {
    begin();
    promiseOf(work).then(end, end);
  }
}

/** True for promises and anything else with a `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * The promise itself when it is one of the language. Anything else with a `then` becomes one: that settles once, and what
 * its `then` throws rejects it.
 */
export const promiseOf = <T>(value: PromiseLike<T>): Promise<T> => Promise.resolve(value);
