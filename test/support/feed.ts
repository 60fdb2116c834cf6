/**
 * Feeds parsers of byte streams the way a network does: the same bytes whole, byte by byte and cut anywhere.
 */

/** One way in which bytes arrive. */
export interface Delivery {
  /** For the message of a failed assertion. */
  readonly name: string;
  /** The bytes in order; joined they are what was sent. */
  readonly pieces: Buffer[];
}

/** Cuts `bytes` at the given offsets; offsets may come in any order, repeat, and lie outside. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Buffer[] {
  const inside = offsets.filter((offset) => offset > 0 && offset < bytes.length);
  const edges = [0, ...[...new Set(inside)].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => Buffer.from(bytes.subarray(edges[i], edge)));
}

/** `bytes` in pieces of `size` bytes, the last perhaps shorter. */
export function inPieces(bytes: Uint8Array, size: number): Buffer[] {
  return cutAt(
    bytes,
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => i * size),
  );
}

/** Pseudo-random numbers from 0 to below 1, the same for the same seed (a linear congruential generator). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `bytes` whole, byte by byte, in twos and threes, and `randomRuns` times cut at random, always at the same places. */
export function deliveries(bytes: Uint8Array, randomRuns = 3, seed = 1): Delivery[] {
  const random = randomFrom(seed);
  const list: Delivery[] = [
    { name: 'whole', pieces: [Buffer.from(bytes)] },
    { name: 'byte by byte', pieces: inPieces(bytes, 1) },
    { name: 'in twos', pieces: inPieces(bytes, 2) },
    { name: 'in threes', pieces: inPieces(bytes, 3) },
  ];
  for (let run = 1; run <= randomRuns; run++) {
    const cuts = Array.from({ length: 1 + Math.floor(random() * 8) }, () => Math.floor(random() * bytes.length));
    list.push({ name: `cut at ${cuts.join(', ')}`, pieces: cutAt(bytes, cuts) });
  }
  return list;
}

/** What a parser has taken from the front of the buffer: so many bytes, which mean `value`. */
export interface Taken<T> {
  readonly length: number;
  readonly value: T;
}

/**
 * Appends one piece after the other and, after each, lets `take` remove messages from the front until it has none left
 * (`null`). `take` gets another Buffer at each call, so a parser can not rely on seeing the same one again.
 *
 * @returns The values in order, and the bytes that nobody took.
 */
export function feed<T>(
  pieces: readonly Uint8Array[],
  take: (buffered: Buffer) => Taken<T> | null,
): { values: T[]; rest: Buffer } {
  const values: T[] = [];
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      const taken = take(rest);
      if (taken === null) break;
      if (taken.length <= 0 || taken.length > rest.length)
        throw new RangeError(`took ${taken.length} of ${rest.length} bytes`);
      values.push(taken.value);
      rest = Buffer.from(rest.subarray(taken.length));
    }
  }
  return { values, rest };
}

const shared = Buffer.allocUnsafeSlow(262_144);

/** Hands bytes over in memory that is written anew at once, so that whoever keeps a part of it reads rubbish. */
export function feedShared(connection: { _onShared(memory: Buffer, length: number): void }, piece: Buffer): void {
  if (piece.length === 0) return;
  piece.copy(shared);
  connection._onShared(shared, piece.length);
  shared.fill(0x5a, 0, piece.length);
}
