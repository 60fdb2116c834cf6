/*
 * npm run bench:chart -- results.json [more.json]
 *
 * Draws docs/benchmarks.svg and writes the tables into docs/benchmarks.md, from what `npm run bench -- --json` has left.
 * What is in a later file takes the place of the same in an earlier one, or comes behind it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.js';
import { machineLines } from './report.js';
import { columnsOf, rowsOf, type Result, type Results } from './results.js';

const DOCS = new URL('../../docs/', import.meta.url);
const BEGIN = '<!-- the figures: written by `npm run bench:chart` -->';
const END = '<!-- end of the figures -->';

function table(result: Result): string {
  const columns = columnsOf(result);
  const rows = rowsOf(result);
  // A column that says nothing is left away.
  const shown = columns.filter(({ text }) => rows.some((row) => text(row) !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `### ${result.name.charAt(0).toUpperCase()}${result.name.slice(1)}\n`,
    line(['', ...shown.map(({ heading }) => heading)]),
    line(['---', ...shown.map(() => '---:')]),
    ...rows.map((row) => line([row.contender, ...shown.map(({ text }) => text(row))])),
  ].join('\n');
}

function figures({ machine, options, results }: Results): string {
  const counts = [...new Set(results.map(({ rounds }) => rounds.length))].sort((a, b) => a - b).join(' to ');
  const how = `${counts} rounds, ${options.seconds} s of load for each contender in each.`;
  return [BEGIN, `${machineLines(machine).join('.\n')}.\n${how}`, ...results.map(table), END].join('\n\n');
}

function read(files: readonly string[]): Results {
  const all = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  const [first] = all;
  if (first === undefined) throw new TypeError('a results file was expected: npm run bench:chart -- results.json');
  const byName = new Map(all.flatMap(({ results }) => results.map((result) => [result.name, result] as const)));
  return { ...first, results: [...byName.values()] };
}

const results = read(process.argv.slice(2));
const page = fileURLToPath(new URL('benchmarks.md', DOCS));
const text = readFileSync(page, 'utf8');
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
if (from < 0 || to < from) throw new Error(`${page} has lost its markers`);
writeFileSync(page, text.slice(0, from) + figures(results) + text.slice(to + END.length));
writeFileSync(new URL('benchmarks.svg', DOCS), chart(results.results));
