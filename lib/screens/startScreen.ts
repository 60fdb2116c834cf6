import { cell, titleLine, versionLine } from './table.js';
import type { Versions } from './table.js';

/** Blanks that separate two columns of the banner at least; `Worker.UI_SAFE_LENGTH`. */
const COLUMN_GAP = 4;

/** No column is narrower than this, the gap not counted. */
const LEAST_WIDTH = 8;

/** The original's state cell carries colour tags around two blanks; they count although they are never seen. */
const STATE_MARKUP_LENGTH = '<g>  </g>'.length;

/** One line of the banner's table, which stands for one Worker. */
export interface StartRow {
  /** Name of the event loop, `'node'` for the built-in one. */
  eventLoop: string;
  /** `worker.transport`. */
  proto: string;
  /** User that the worker processes run as. */
  user: string;
  /** `worker.name`. */
  worker: string;
  /** `worker.getSocketName()`. */
  listen: string;
  /** Number of worker processes. */
  count: number;
  /** `'[OK]'`. */
  state: string;
}

/**
 * How the banner ends: `foreground` names Ctrl+C, `daemon` the command that stops it, `command` neither, because the
 * words came from `Worker.command` and nobody typed them.
 */
export type StartMode = 'foreground' | 'daemon' | 'command';

/** What the banner shows. */
export interface StartScreenData extends Versions {
  /** How the service runs, see {@link StartMode}. */
  mode: StartMode;
  /** Command line that stops a daemon, `'node start.js stop'` for example; unused in the other modes. */
  stopCommand: string;
  /** One row per Worker, in the order of construction. */
  rows: readonly StartRow[];
}

/** The columns: key of the row, and heading. */
const COLUMNS: readonly (readonly [keyof StartRow, string])[] = [
  ['eventLoop', 'event-loop'],
  ['proto', 'proto'],
  ['user', 'user'],
  ['worker', 'worker'],
  ['listen', 'listen'],
  ['count', 'count'],
  ['state', 'state'],
];

/**
 * The banner's columns in order: name of the column to the property it showed in Workerman. Names only; what
 * {@link startScreen} prints does not depend on them.
 */
export function getUiColumns(): Record<string, string> {
  return {
    'event-loop': 'eventLoopName',
    proto: 'transport',
    user: 'user',
    worker: 'name',
    socket: 'statusSocket',
    count: 'count',
    state: 'statusState',
  };
}

function cellLength(row: StartRow, key: keyof StartRow): number {
  return String(row[key]).length + (key === 'state' ? STATE_MARKUP_LENGTH : 0);
}

function columnWidths(rows: readonly StartRow[]): number[] {
  return COLUMNS.map(([key]) => {
    const longest = rows.reduce((width, row) => Math.max(width, cellLength(row, key)), LEAST_WIDTH);
    return longest + COLUMN_GAP;
  });
}

/**
 * Width of the banner in characters: that of all columns together, and more than the version line.
 *
 * @param rows the table's rows
 * @param version the version line
 */
export function getSingleLineTotalLength(rows: readonly StartRow[], version: string): number {
  const total = columnWidths(rows).reduce((sum, width) => sum + width, 0);
  return Math.max(total, version.length + 1);
}

function lastLines(data: StartScreenData): string {
  switch (data.mode) {
    case 'foreground':
      return 'Press Ctrl+C to stop. Start success.\n';
    case 'daemon':
      return `Input "${data.stopCommand}" to stop. Start success.\n\n`;
    case 'command':
      return 'Start success.\n';
  }
}

function rowLine(row: StartRow, widths: readonly number[]): string {
  return COLUMNS.map(([key], column) => {
    const value = key === 'state' ? ` ${row.state} ` : row[key];
    return cell(value, widths[column] ?? 0);
  }).join('');
}

/**
 * The banner of a service that has started, from the first title line on; the line `Workerman[…] start in … mode`
 * above it is a log line and not part of it. Ends with a line feed.
 */
export function startScreen(data: StartScreenData): string {
  const version = versionLine(data);
  const width = getSingleLineTotalLength(data.rows, version);
  const widths = columnWidths(data.rows);
  const heading = COLUMNS.map(([, title], column) => cell(title, widths[column] ?? 0)).join('');
  const lines = [
    titleLine(' WORKERMAN ', width),
    version,
    titleLine(' WORKERS ', width),
    heading,
    ...data.rows.map((row) => rowLine(row, widths)),
    titleLine('', width),
  ];
  return `${lines.join('\n')}\n${lastLines(data)}`;
}
