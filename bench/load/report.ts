import type { Machine } from './machine.js';
import { columnsOf, rowsOf, type Result } from './results.js';

/** The lines that stand above all figures. */
export function machineLines({ system, processor, siblings, versions, commit, date, load }: Machine): string[] {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [`${system}, ${processor}, the two in use are ${siblings}`, `${list.join(', ')}; commit ${commit}, ${date}, load ${load} before`];
}

/** A table for the terminal. */
export function plainTable(result: Result): string {
  const columns = columnsOf(result);
  const rows = rowsOf(result);
  const table = [
    ['', ...columns.map(({ heading }) => heading)],
    ...rows.map((row) => [row.contender, ...columns.map(({ text }) => text(row))]),
  ];
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((line) => line[i]?.length ?? 0)));
  const lines = table.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ').trimEnd(),
  );
  return [result.name, ...lines].join('\n');
}
