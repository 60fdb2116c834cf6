import { ConnectionInterface } from './ConnectionInterface.js';

/**
 * After so many packets out of one read the others have their turn: libuv comes back with up to 31 more reads of the same
 * connection, and a client that asks without reading answers could keep everybody else waiting for a second with them.
 */
const MANY_PACKETS = 256;

/** `total_request` when the last read of any connection was done with. What promises hand out comes behind that. */
let counted = 0;

/** To be asked after each read, of whatever connection. @returns true when it has handed out more than its share */
export function wasLong(): boolean {
  const total = ConnectionInterface.statistics.total_request;
  const handedOut = total - counted;
  counted = total;
  return handedOut >= MANY_PACKETS;
}
