/** Whether a unit costs more when there are more connections. */
import { inTurn, type Bench } from './Bench.js';
import { measureAlone, type LoadScenario } from './loadBench.js';

/** Connections, few and many. */
export const FEW = 100;
export const MANY = 8000;

/** A load that depends on the number of connections. */
export interface GrowthScenario extends Pick<LoadScenario, 'name' | 'unit' | 'contenders' | 'env' | 'check'> {
  load: (connections: number) => LoadScenario['load'];
}

/** The benchmark of a growth: cost of a unit at {@link MANY} connections divided by that at {@link FEW}. */
export function growthBench(scenario: GrowthScenario): Bench {
  const { name, unit, contenders, env, check } = scenario;
  const at = async (connections: number, contender: string, seconds: number): Promise<number> =>
    (await measureAlone({ env, check, load: scenario.load(connections) }, contender, seconds)).cost;
  return {
    name, kind: 'growth', unit, contenders, targets: { ours: 1.3 },
    round: (who, { seconds }) =>
      inTurn(who, async (contender) => {
        const few = await at(FEW, contender, seconds);
        const many = await at(MANY, contender, seconds);
        return { cost: many / few, more: { [`µs at ${FEW}`]: few, [`µs at ${MANY}`]: many } };
      }),
  };
}
