import type { Contender } from './Server.js';
import type { Kind, Sample } from './results.js';

/** What may be chosen at the command line. */
export interface Choice {
  /** For how long each contender is under load in a round. */
  seconds: number;
}

/** Something that is measured. */
export interface Bench {
  name: string;
  kind: Kind;
  unit: string;
  /** Ours first. */
  contenders: readonly Contender[];
  /** See {@link Result.targets}. */
  targets: Readonly<Record<Contender, number>>;
  /** Measures each of the contenders once. */
  round(contenders: readonly Contender[], choice: Choice): Promise<Record<Contender, Sample>>;
}

/** The same things in a random order. */
export function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
}

/** Does the same for each, one after the other, in a random order; the answers are in the order of the list. */
export async function inTurn<T>(list: readonly Contender[], measure: (each: Contender) => Promise<T>): Promise<Record<Contender, T>> {
  const found = new Map<Contender, T>();
  for (const each of shuffled(list)) found.set(each, await measure(each));
  return Object.fromEntries(list.map((each) => [each, found.get(each) as T]));
}
