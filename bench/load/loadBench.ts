/** CPU time and throughput under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { shuffled, type Bench } from './Bench.js';
import { Client } from './Client.js';
import { cpuOf, peakOf } from './machine.js';
import { prepare, type Check, type Load } from './probe.js';
import type { Sample } from './results.js';
import { Server, type Contender } from './Server.js';

/** Seconds under load that are not counted. */
const WARM_UP = 1;
/** Seconds of a turn; contenders take many turns in a round, so that all of them see the same weather. */
const TURN = 0.5;

/** A load and who has to bear it. */
export interface LoadScenario extends Pick<Bench, 'name' | 'unit' | 'contenders'> {
  env?: Readonly<Record<string, string>>;
  load: Load;
  /** Whether the answer to the probe is right; it is looked at before anything is timed. */
  check: Check;
  targets?: Bench['targets'];
}

/** What a contender has done so far. */
export class Tally {
  answers = 0;
  seconds = 0;
  /** Microseconds. */
  cpu = 0;

  /** Microseconds of CPU time for one answer. */
  get cost(): number {
    return this.cpu / this.answers;
  }

  sample(server: Server): Sample {
    return { cost: this.cost, perSecond: this.answers / this.seconds, peak: peakOf(server.pids) };
  }
}

/** Lets the client work once and counts what the server needs for it. */
export async function runOnce(args: readonly string[], server: Server, tally: Tally): Promise<void> {
  const client = await Client.start(args);
  try {
    // What comes late of opening the connections is not counted.
    await sleep(50);
    const before = cpuOf(server.pid);
    const { answers, seconds } = await client.count();
    // Its connections are still open: closing them is not counted either.
    tally.cpu += cpuOf(server.pid) - before;
    tally.answers += answers;
    tally.seconds += seconds;
  } catch (error) {
    throw new Error(`${server.contender}: ${(error as Error).message}`, { cause: error });
  } finally {
    await client.leave();
  }
}

/**
 * One round: all contenders are started, looked at and warmed up; then they take turns under load, in another order
 * each time, while the others have nothing to do.
 */
async function round(scenario: LoadScenario, contenders: readonly Contender[], seconds: number): Promise<Record<Contender, Sample>> {
  // A fan is as long as its number of rounds.
  const turns = scenario.load.mode === 'fan' ? 1 : Math.max(1, Math.round(seconds / TURN));
  const servers: Server[] = [];
  const entries: { server: Server; args: string[]; tally: Tally }[] = [];
  try {
    for (const contender of shuffled(contenders)) {
      const server = await Server.start(contender, scenario.env);
      servers.push(server);
      const args = (length: number): Promise<string[]> => prepare(scenario.load, server.port, String(length), scenario.check);
      await runOnce(await args(WARM_UP), server, new Tally());
      entries.push({ server, args: await args(seconds / turns), tally: new Tally() });
    }
    for (let turn = 0; turn < turns; turn++) {
      for (const { server, args, tally } of shuffled(entries)) await runOnce(args, server, tally);
    }
    const samples = new Map(entries.map(({ server, tally }) => [server.contender, tally.sample(server)]));
    return Object.fromEntries(contenders.map((contender) => [contender, samples.get(contender) as Sample]));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** The benchmark of a load. */
export function loadBench(scenario: LoadScenario): Bench {
  const { name, unit, contenders, targets = {} } = scenario;
  return { name, kind: 'cpu', unit, contenders, targets, round: (who, { seconds }) => round(scenario, who, seconds) };
}
