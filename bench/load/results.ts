/** What comes out of a run, and what is made of it. */
import type { Machine } from './machine.js';

/** What a number of `cost` means. */
export type Kind =
  | 'cpu' // microseconds of CPU time for one unit
  | 'idle' // bytes of one idle connection
  | 'rest' // bytes of a process that has nothing to do
  | 'start' // milliseconds to the first answer
  | 'growth'; // cost of a unit with many connections, as a multiple of that with few

/** One measurement of one contender; less `cost` is better. */
export interface Sample {
  cost: number;
  /** Units in a second. */
  perSecond?: number;
  /** Highest resident set of the process tree, in bytes. */
  peak?: number;
  /** More figures, by the heading of their column. */
  more?: Record<string, number>;
}

/** What was measured of all contenders, round after round. */
export interface Result {
  name: string;
  kind: Kind;
  /** What is counted: `request`. */
  unit: string;
  /** The contender that the others are compared with. */
  ours: string;
  /**
   * By contender, the most that ours may cost as a multiple of it; for `rest`, the most that it may weigh above `bare`
   * in megabytes; for `growth`, the most that it may be.
   */
  targets: Record<string, number>;
  rounds: Record<string, Sample>[];
}

/** The contents of a results file. */
export interface Results {
  machine: Machine;
  options: { rounds: number; seconds: number };
  results: Result[];
}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

/** A line of a table: medians over the rounds. */
export interface Row extends Sample {
  contender: string;
  /**
   * `cpu`, `idle`, `start`: our cost as a multiple of this one's, each time of the same round. `rest`: megabytes above
   * `bare`. `growth`: the cost itself. None where there is nothing to compare.
   */
  compared: number | null;
  /** The lowest and the highest of the rounds. */
  spread: readonly [number, number] | null;
  target: number | null;
}

function comparison(result: Result, contender: string, round: Record<string, Sample>): number | null {
  const { cost } = round[contender] as Sample;
  switch (result.kind) {
    case 'growth': return cost;
    case 'rest': return contender === 'bare' ? null : (cost - (round['bare'] as Sample).cost) / 1e6;
    default: return contender === result.ours ? null : (round[result.ours] as Sample).cost / cost;
  }
}

function medianOf(samples: readonly Sample[], figure: (sample: Sample) => number | undefined): number | undefined {
  const numbers = samples.map(figure).filter((number) => number !== undefined);
  return numbers.length === 0 ? undefined : median(numbers);
}

/** The table of a result, in the order of its contenders. */
export function rowsOf(result: Result): Row[] {
  const [first = {}] = result.rounds;
  return Object.keys(first).map((contender) => {
    const samples = result.rounds.map((round) => round[contender] as Sample);
    const compared = result.rounds
      .map((round) => comparison(result, contender, round))
      .filter((ratio) => ratio !== null);
    const headings = Object.keys(samples[0]?.more ?? {});
    return {
      contender,
      cost: median(samples.map(({ cost }) => cost)),
      perSecond: medianOf(samples, (sample) => sample.perSecond),
      peak: medianOf(samples, (sample) => sample.peak),
      more: Object.fromEntries(headings.map((name) => [name, medianOf(samples, ({ more }) => more?.[name]) ?? 0])),
      compared: compared.length === 0 ? null : median(compared),
      spread: compared.length < 2 ? null : [Math.min(...compared), Math.max(...compared)],
      target: result.targets[contender] ?? null,
    };
  });
}

/** A heading and what stands below it, for each contender. */
export interface Column {
  heading: string;
  text: (row: Row) => string;
}

const compared = (row: Row, digits: number): string => (row.compared === null ? '' : row.compared.toFixed(digits));
const range = ({ spread }: Row, digits: number): string =>
  spread === null ? '' : `${spread[0].toFixed(digits)} to ${spread[1].toFixed(digits)}`;

/** How the target is stated, and whether it was met. */
export function verdict({ target, compared }: Row): string {
  return target === null || compared === null ? '' : `${target} ${compared <= target ? 'met' : 'missed'}`;
}

const VERDICT: Column = { heading: 'at most', text: verdict };
const RATIO: readonly Column[] = [
  { heading: 'ours is … of it', text: (row) => compared(row, 3) },
  { heading: 'in the rounds', text: (row) => range(row, 2) },
  VERDICT,
];
const PER_SECOND: Column = { heading: 'per second', text: ({ perSecond }) => (perSecond ?? 0).toFixed(perSecond && perSecond < 100 ? 1 : 0) };
const PEAK: Column = { heading: 'peak MB', text: ({ peak }) => ((peak ?? 0) / 1e6).toFixed(0) };

function more(result: Result, digits: number, scale = 1): Column[] {
  const [round = {}] = result.rounds;
  const names = Object.keys(Object.values(round)[0]?.more ?? {});
  return names.map((heading) => ({ heading, text: (row) => ((row.more?.[heading] ?? 0) / scale).toFixed(digits) }));
}

/** The columns that show a result of this kind. */
export function columnsOf(result: Result): Column[] {
  switch (result.kind) {
    case 'cpu':
      return [PER_SECOND, { heading: `CPU µs per ${result.unit}`, text: ({ cost }) => cost.toFixed(cost < 1000 ? 2 : 0) }, ...RATIO, PEAK];
    case 'idle':
      return [{ heading: 'bytes per connection', text: ({ cost }) => cost.toFixed(0) }, ...RATIO, ...more(result, 0)];
    case 'rest':
      return [
        { heading: 'MB', text: ({ cost }) => (cost / 1e6).toFixed(1) },
        ...more(result, 1, 1e6),
        { heading: 'MB above bare', text: (row) => compared(row, 1) },
        { heading: 'in the rounds', text: (row) => range(row, 1) },
        VERDICT,
      ];
    case 'start':
      return [{ heading: 'ms to the first answer', text: ({ cost }) => cost.toFixed(0) }, ...more(result, 0), ...RATIO];
    case 'growth':
      return [
        ...more(result, 2),
        { heading: 'growth', text: (row) => compared(row, 2) },
        { heading: 'in the rounds', text: (row) => range(row, 2) },
        VERDICT,
      ];
  }
}
