import type { UserValue } from '../../ProtocolInterface.js';

type MayWait<Value> = Value | Promise<Value>;

/**
 * A store for sessions. Every method may return its result or a promise of it; an exception is one of the request that
 * asked. What is stored is text, which the framework makes and reads. `open` and `close` are never called by it.
 */
export interface SessionHandlerInterface {
  /** Kept for stores written for PHP's interface. */
  open(savePath: string, name: string): MayWait<boolean>;
  /** Kept for stores written for PHP's interface. */
  close(): MayWait<boolean>;
  /** What was stored under `id`; `''`, `false` and `null` stand for nothing. */
  read(id: string): MayWait<string | false | null>;
  /** Stores `data` under `id` for the lifetime of a session. */
  write(id: string, data: string): MayWait<boolean>;
  /** Forgets `id`. */
  destroy(id: string): MayWait<boolean>;
  /** Removes what is older than `maxLifetime` seconds, where the store does not do that by itself. */
  gc(maxLifetime: number): MayWait<boolean>;
  /** Begins the lifetime anew. @returns false when nothing is stored under `id` */
  updateTimestamp(id: string, data?: string): MayWait<boolean>;
}

/** A class of stores. */
// What a store is configured with is known to that store alone.
export type SessionHandlerClass = new (config?: UserValue) => SessionHandlerInterface;
