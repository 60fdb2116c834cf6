/** Whether a unit costs more when there are more connections. */
import { inTurn, type Bench } from './Bench.js';
import { runOnce, Tally, type LoadScenario } from './loadBench.js';
import { prepare } from './probe.js';
import type { Sample } from './results.js';
import { Server } from './Server.js';

/** Connections, few and many. */
export const FEW = 100;
export const MANY = 8000;

/** A load that depends on the number of connections. */
export interface GrowthScenario extends Pick<LoadScenario, 'name' | 'unit' | 'contenders' | 'env' | 'check'> {
  load: (connections: number) => LoadScenario['load'];
}

/** Turns with few and with many connections, of the same server. */
const TURNS = 2;

async function compare(scenario: GrowthScenario, contender: string, seconds: number): Promise<Sample> {
  const server = await Server.start(contender, scenario.env);
  try {
    const few = new Tally();
    const many = new Tally();
    for (let turn = 0; turn <= TURNS; turn++) {
      for (const [connections, tally] of [[FEW, few], [MANY, many]] as const) {
        const args = await prepare(scenario.load(connections), server.port, String(seconds / TURNS), scenario.check);
        // The first turn is to warm up.
        await runOnce(args, server, turn === 0 ? new Tally() : tally);
      }
    }
    return { cost: many.cost / few.cost, more: { [`µs at ${FEW}`]: few.cost, [`µs at ${MANY}`]: many.cost } };
  } finally {
    await server.stop();
  }
}

/** The benchmark of a growth: cost of a unit at {@link MANY} connections divided by that at {@link FEW}. */
export function growthBench(scenario: GrowthScenario): Bench {
  const { name, unit, contenders } = scenario;
  return {
    name, kind: 'growth', unit, contenders, targets: { ours: 1.3 },
    round: (who, { seconds }) => inTurn(who, (contender) => compare(scenario, contender, seconds)),
  };
}
