import { difference, isSame } from './compare.js';
import { Generator, type Input } from './generate.js';
import { inNodesWay, reasonsFor } from './intended.js';
import type { NodeReader } from './node.js';
import { readOurs, readStreamed } from './ours.js';

/** Inputs of one seed. */
const PER_SEED = 200;
/** One in so many is also read with streamed bodies, which takes a few turns of the event loop. */
const STREAMED = 8;

/** How far a run has come. */
export interface Tally {
  seeds: number;
  inputs: number;
  /** Requests that we took. */
  requests: number;
  /** Inputs that we refused. */
  refused: number;
  /** Inputs that we took and Node did not, by the reason why. */
  intended: Record<string, number>;
}

export const newTally = (): Tally => ({ seeds: 0, inputs: 0, requests: 0, refused: 0, intended: {} });

const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What is wrong with an input, or null. */
async function judge(input: Input, reader: NodeReader): Promise<string | null> {
  const bytes = toBytes(input.bytes);
  const ours = readOurs(bytes);
  const cut = readOurs(bytes, input.cuts);
  if (!isSame(ours, cut)) return `cut at ${input.cuts.join(',')} it is something else: ${JSON.stringify([ours, cut])}`;
  const [node] = await reader.read([bytes]);
  const found = difference(ours, node!);
  if (found === null) return null;
  const rewritten = toBytes(inNodesWay(input.bytes, ours.ends));
  if (rewritten.equals(bytes)) return found;
  const again = readOurs(rewritten);
  const [nodeAgain] = await reader.read([rewritten]);
  const isOther = again.requests.length !== ours.requests.length;
  const still = isOther ? 'it is something else for us' : difference(again, nodeAgain!);
  return still && `${found}; rewritten in Node's way: ${still}`;
}

/**
 * Tries all inputs of a seed.
 * @throws Error that names seed, input and difference, the input as short as it could be made
 */
export async function tryInputs(seed: number, reader: NodeReader, tally: Tally): Promise<void> {
  const generator = new Generator(seed);
  const inputs = Array.from({ length: PER_SEED }, () => generator.next());
  const nodes = await reader.read(inputs.map((input) => toBytes(input.bytes)));
  for (const [i, input] of inputs.entries()) {
    const bytes = toBytes(input.bytes);
    const ours = readOurs(bytes);
    tally.requests += ours.requests.length;
    if (ours.refused > 0) tally.refused++;
    // The usual case without a second look; judge() does the rest.
    if (difference(ours, nodes[i]!) !== null || !isSame(ours, readOurs(bytes, input.cuts))) {
      const wrong = await judge(input, reader);
      if (wrong !== null) throw await report(seed, input, reader);
      for (const reason of reasonsFor(input.bytes, ours.ends)) tally.intended[reason] = (tally.intended[reason] ?? 0) + 1;
    }
    if (i % STREAMED !== 0) continue;
    const streamed = await readStreamed(bytes, input.cuts);
    if (JSON.stringify(streamed.requests) !== JSON.stringify(ours.requests)) {
      throw new Error(`Seed ${seed}: streamed it is something else:\n${JSON.stringify([input, ours, streamed], null, 1)}`);
    }
  }
  tally.seeds++;
  tally.inputs += inputs.length;
}

async function report(seed: number, input: Input, reader: NodeReader): Promise<Error> {
  let smallest = input;
  for (let size = Math.ceil(input.bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.bytes.length;) {
      const shorter = { bytes: smallest.bytes.slice(0, at) + smallest.bytes.slice(at + size), cuts: smallest.cuts };
      if ((await judge(shorter, reader)) === null) at += size;
      else smallest = shorter;
    }
  }
  return new Error(`Seed ${seed}: ${await judge(smallest, reader)}\n${JSON.stringify(smallest)}\nfirst seen in ${JSON.stringify(input)}`);
}
