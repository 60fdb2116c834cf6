import { ConnectionInterface } from './ConnectionInterface.js';

/**
 * After so many packets out of one read, or of several one after the other, the others have their turn: libuv comes back
 * with up to 31 more reads of the same connection, and a client that asks without reading answers could keep everybody
 * else waiting for a second with them.
 */
const MANY_PACKETS = 256;

/** `total_request` when the last read of any connection was done with. What promises hand out comes behind that. */
let counted = 0;
/** Whose read that was. */
let reader = 0;
/** Packets that it has handed out since somebody else was read. */
let inARow = 0;

/**
 * To be asked after each read, of whatever connection.
 *
 * @param id of the connection that was read
 * @returns true when it has handed out its share
 */
export function hadItsTurn(id: number): boolean {
  const total = ConnectionInterface.statistics.total_request;
  inARow = (id === reader ? inARow : 0) + total - counted;
  counted = total;
  reader = id;
  if (inARow < MANY_PACKETS) return false;
  inARow = 0;
  return true;
}
