import { limits } from './limits.js';

/**
 * The bytes of requests that have not arrived whole, over all connections of the process. Each connection is bounded by
 * its `maxPackageSize`; ten thousand of them are bounded by this.
 */

/** What one connection holds. */
export interface Holder {
  /** Received bytes that wait to become a request. */
  buffered: number;
  /** Bytes of a streamed body that wait for the application. */
  kept: number;
}

let total = 0;

/** Bytes held by all connections. */
export const bufferedBytes = (): number => total;

/** Notes that a connection now holds so many received bytes. @returns true when the process holds too many */
export function setBuffered(holder: Holder, bytes: number): boolean {
  total += bytes - holder.buffered;
  holder.buffered = bytes;
  return isTooMuch();
}

/** Notes that a streamed body keeps more bytes, or less. @returns true when the process holds too many */
export function addKept(holder: Holder, bytes: number): boolean {
  total += bytes;
  holder.kept += bytes;
  return isTooMuch();
}

/** A connection holds nothing any more. */
export function release(holder: Holder): void {
  total -= holder.buffered + holder.kept;
  holder.buffered = holder.kept = 0;
}

const isTooMuch = (): boolean => limits.maxBufferedBytes > 0 && total > limits.maxBufferedBytes;

/**
 * Gives up on the connections that hold most, until a good part of the room is free again: so a flood costs this search
 * once in a while and not for every byte.
 *
 * @param giveUp has to {@link release} what the connection holds
 */
export function relieve<C>(holders: readonly [connection: C, holder: Holder][], giveUp: (connection: C) => void): void {
  const enough = limits.maxBufferedBytes * 0.875;
  const sizeOf = ({ buffered, kept }: Holder): number => buffered + kept;
  const byWeight = [...holders].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
  for (const [connection, holder] of byWeight) {
    if (total <= enough || sizeOf(holder) === 0) return;
    giveUp(connection);
    release(holder);
  }
}
