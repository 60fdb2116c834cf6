/**
 * Live connections by id: an object without a prototype, so that `table[id]` and `Object.values(table)` work as with
 * the PHP array. `size` and iteration over the connections are additions of ours and are not enumerable, so loops over
 * the keys see ids and nothing else.
 */
export type ConnectionTable<C> = { readonly [id: string]: C } & Iterable<C> & { readonly size: number };

const count: unique symbol = Symbol('count');

interface Internals<C> {
  [id: number]: C;
  [count]: number;
}

/** An empty table. */
export function createConnectionTable<C>(): ConnectionTable<C> {
  const table = Object.create(null) as Internals<C>;
  Object.defineProperties(table, {
    [count]: { value: 0, writable: true },
    size: { get: () => table[count] },
    [Symbol.iterator]: { value: () => Object.values(table)[Symbol.iterator]() },
  });
  return table as unknown as ConnectionTable<C>;
}

/** Enters a connection; replaces one that has the same id. */
export function addConnection<C>(table: ConnectionTable<C>, id: number, connection: C): void {
  const internals = table as unknown as Internals<C>;
  if (internals[id] === undefined) internals[count]++;
  internals[id] = connection;
}

/** Takes a connection out; nothing when the id is not there. */
export function removeConnection<C>(table: ConnectionTable<C>, id: number): void {
  const internals = table as unknown as Internals<C>;
  if (internals[id] === undefined) return;
  internals[count]--;
  delete internals[id];
}
