import type { Wire } from './wire/Wire.js';

/** Longest wait of a Node timer, in milliseconds; a longer one would end at once. */
const LONGEST_MS = 2_147_483_647;

/** `lingerTimeout` in milliseconds. */
export const lingerMs = (seconds: number): number => Math.min(seconds * 1000, LONGEST_MS);

let lingering = 0;

/** Connections that were closed by us and wait for the peer's FIN; a process that stops gives them a moment. */
export const lingeringCount = (): number => lingering;

const done = (): void => {
  lingering--;
};

/**
 * Shuts a connection down without losing what was sent: FIN after the last byte, then input is read and thrown away until
 * the peer's FIN or for `seconds`, and only then the descriptor is closed. Closing at once with input unread would
 * make the kernel send RST, which can destroy the answer in flight (RFC 9112 section 9.6 describes the same).
 */
export function lingerAndDestroy(wire: Wire, seconds: number): void {
  lingering++;
  wire.linger(seconds, done);
}
