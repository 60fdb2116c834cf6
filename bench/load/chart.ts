import { median, type Result, type Sample } from './results.js';

/** One line of bars. */
interface Group {
  title: string;
  bars: { contender: string; value: number }[];
}

/** The contender whose cost is 1 where it takes part; elsewhere the next in the list. */
const YARDSTICKS = ['node-http', 'ws'];
/** In the order of the legend; with a colour that stands on white and on black. */
const COLOURS: Readonly<Record<string, string>> = {
  ours: '#2f81f7', 'node-http': '#7d8590', ws: '#7d8590', fastify: '#c69026', bun: '#bf6ad4', 'raw-net': '#3fa45b', floor: '#8a6f5c',
};
const LABELS: Readonly<Record<string, string>> = {
  ours: 'workerman-ts', 'node-http': 'node:http', ws: 'ws', fastify: 'Fastify', bun: 'Bun', 'raw-net': 'node:net, no parsing',
  floor: 'epoll in C, no parsing',
};

const WIDTH = 860;
const LEFT = 20;
const NAME = 130;
const BAR = 15;
const SPACE = 4;
const TITLE = 26;
/** Length of a bar of 1. */
const ONE = 380;

function groupOf(result: Result): Group | null {
  const [first = {}] = result.rounds;
  const yardstick = YARDSTICKS.find((name) => name in first);
  if ((result.kind !== 'cpu' && result.kind !== 'idle') || yardstick === undefined) return null;
  const costIn = (round: Record<string, Sample>, contender: string): number => (round[contender] as Sample).cost;
  const bars = Object.keys(first).map((contender) => ({
    contender,
    value: median(result.rounds.map((round) => costIn(round, contender) / costIn(round, yardstick))),
  }));
  return { title: result.name + (result.kind === 'cpu' ? '' : ' (memory)'), bars };
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function bar(contender: string, value: number, y: number): string {
  const from = LEFT + NAME;
  // What is far worse is cut, and its number says so.
  const length = Math.max(1, Math.min(value * ONE, WIDTH - from - 60));
  const label = escaped(LABELS[contender] ?? contender);
  const weight = contender === 'ours' ? ' class="ours"' : '';
  return [
    `<text${weight} x="${from - 8}" y="${y + BAR - 3}" text-anchor="end">${label}</text>`,
    `<rect x="${from}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" fill="${COLOURS[contender] ?? '#7d8590'}"/>`,
    `<text${weight} x="${(from + length + 6).toFixed(1)}" y="${y + BAR - 3}">${value.toFixed(2)}</text>`,
  ].join('\n');
}

/**
 * Bars of the cost of a unit, that of node:http (of ws, where WebSockets are measured) being 1. The drawing has no
 * background, and its text takes the colour of the reader's scheme.
 */
export function chart(results: readonly Result[]): string {
  const lines: string[] = [];
  let y = 44;
  for (const group of results.map(groupOf).filter((each) => each !== null)) {
    lines.push(`<text class="title" x="${LEFT}" y="${y + 15}">${escaped(group.title)}</text>`);
    y += TITLE;
    for (const { contender, value } of group.bars) {
      lines.push(bar(contender, value, y));
      y += BAR + SPACE;
    }
    y += 10;
  }
  const line = LEFT + NAME + ONE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-labelledby="t">`,
    '<title id="t">Cost of a unit of work relative to node:http or ws; shorter is better</title>',
    '<style>',
    'text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #424a53; }',
    '.title { font-weight: 600; font-size: 13px; fill: #1f2328; } .ours { font-weight: 600; }',
    'line { stroke: #8c959f; stroke-dasharray: 3 4; }',
    '@media (prefers-color-scheme: dark) { text { fill: #b1bac4; } .title { fill: #f0f6fc; } line { stroke: #6e7681; } }',
    '</style>',
    `<text class="title" x="${LEFT}" y="22">CPU time of a unit of work; node:http, and ws for WebSockets, are 1; shorter is better</text>`,
    `<line x1="${line}" y1="36" x2="${line}" y2="${y - 8}"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
