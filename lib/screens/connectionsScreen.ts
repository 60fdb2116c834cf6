import type { ConnectionReport, ConnectionsReport } from '../control/messages.js';
import { cell, rounded, shorten } from './table.js';

const RULE = `${'-'.repeat(69)} WORKERMAN CONNECTION STATUS ${'-'.repeat(80)}`;

/** The columns: heading, width with the gap, and how a connection fills it. */
const COLUMNS: readonly (readonly [string, number, (connection: ConnectionReport) => string])[] = [
  ['PID', 9, (connection) => String(connection.pid)],
  ['Worker', 16, (connection) => shorten(connection.worker, 14)],
  ['CID', 10, (connection) => String(connection.id)],
  ['Trans', 8, (connection) => connection.transport],
  ['Protocol', 16, (connection) => shorten(connection.protocol ?? connection.transport, 15)],
  ['ipv4', 7, (connection) => yesNo(connection.ipv4)],
  ['ipv6', 7, (connection) => yesNo(connection.ipv6)],
  ['Recv-Q', 13, (connection) => formatSize(connection.recvQueue)],
  ['Send-Q', 13, (connection) => formatSize(connection.sendQueue)],
  ['Bytes-R', 13, (connection) => formatSize(connection.bytesRead)],
  ['Bytes-W', 14, (connection) => formatSize(connection.bytesWritten)],
  ['Status', 15, (connection) => connection.status],
  ['Local Address', 23, (connection) => connection.localAddress],
  ['Foreign Address', 22, (connection) => connection.remoteAddress],
];

function yesNo(value: boolean): string {
  return value ? ' 1' : ' 0';
}

/**
 * A number of bytes as Workerman shows it: whole `B` up to and including 1024, then `KB`, `MB`, `GB` or `TB` with at
 * most one decimal. A unit begins above its limit, so 1 MiB is still `1024KB`.
 */
export function formatSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let power = 0;
  while (power < units.length - 1 && bytes > 1024 ** (power + 1)) {
    power++;
  }
  return rounded(bytes / 1024 ** power, 1) + units[power];
}

function connectionLine(connection: ConnectionReport): string {
  return COLUMNS.map(([, width, value]) => cell(value(connection), width)).join('');
}

/**
 * The text of `connections`, from its title on; the line `Workerman[…] connections` above it is a log line and not
 * part of it. Sorted by pid, then by id. Ends with a line feed.
 */
export function connectionsScreen(report: ConnectionsReport): string {
  const rows = [...report.connections].sort((a, b) => a.pid - b.pid || a.id - b.id);
  const heading = COLUMNS.map(([title, width]) => cell(title, width)).join('').trimEnd();
  return `${[RULE, heading, ...rows.map(connectionLine)].join('\n')}\n`;
}
