import type { ProcessReport, StatusReport, WorkerReport } from '../control/messages.js';
import { localTime } from '../Log.js';
import { cell, rounded, versionLine, widest } from './table.js';

/** The columns `listening` and `name` are never narrower than this. */
const LEAST_WIDTH = 8;

/** Bytes per unit of the memory column. */
const MEGABYTE = 1024 * 1024;

const DAY = 86_400_000;
const HOUR = 3_600_000;

const GLOBAL_RULE = `${'-'.repeat(51)}GLOBAL STATUS${'-'.repeat(57)}`;
const PROCESS_RULE = `${'-'.repeat(51)}PROCESS STATUS${'-'.repeat(56)}`;

const NOT_AVAILABLE = 'N/A';

/** Widths of the two columns that depend on what they hold. */
interface Widths {
  listening: number;
  name: number;
}

/** The cells of one line of the process table, all as text. */
interface ProcessLine {
  pid: string;
  memory: string;
  listening: string;
  name: string;
  connections: string;
  sendFail: string;
  timers: string;
  totalRequest: string;
  qps: string;
  /** With its brackets and, where the original has one, the blank after it. */
  state: string;
}

function uptimeLine(report: StatusReport): string {
  const age = Math.max(0, report.now - report.startTime);
  const days = Math.floor(age / DAY);
  const hours = Math.floor((age % DAY) / HOUR);
  const load = report.loadavg.map((value) => rounded(value, 2)).join(', ');
  return `start time:${localTime(new Date(report.startTime))}   run ${days} days ${hours} hours   load average: ${load}`;
}

function exitLines(worker: WorkerReport, widths: Widths): string[] {
  const exits = worker.exits.length > 0 ? worker.exits : [{ status: 0, count: 0 }];
  const start = `${cell(worker.name, widths.name)}     ${cell(worker.eventLoop, 14)} `;
  return exits.map((exit) => start + cell(exit.status, 16) + cell(exit.count, 16));
}

function processLine(line: ProcessLine, widths: Widths): string {
  const cells = [
    cell(line.memory, 7),
    cell(line.listening, widths.listening),
    cell(line.name, widths.name),
    cell(line.connections, 11),
    cell(line.sendFail, 9),
    cell(line.timers, 7),
    cell(line.totalRequest, 13),
    cell(line.qps, 6),
    line.state,
  ];
  return `${line.pid}\t${cells.join(' ')}`;
}

/** Hundredths of a megabyte, the precision in which memory is shown and summed up. */
function hundredths(bytes: number): number {
  return Math.round((bytes / MEGABYTE) * 100);
}

function figure(value: number | null): string {
  return value === null ? NOT_AVAILABLE : String(value);
}

/** A name that only repeats the address says nothing; Workerman shows `none` for it. */
function shownName(process: ProcessReport): string {
  return process.name === process.listening ? 'none' : process.name;
}

function describe(process: ProcessReport): ProcessLine {
  const place = { pid: String(process.pid), listening: process.listening, name: shownName(process) };
  if (process.state === 'busy') {
    return {
      ...place,
      memory: NOT_AVAILABLE,
      connections: NOT_AVAILABLE,
      sendFail: NOT_AVAILABLE,
      timers: NOT_AVAILABLE,
      totalRequest: NOT_AVAILABLE,
      qps: NOT_AVAILABLE,
      state: '[busy] ',
    };
  }
  return {
    ...place,
    memory: process.memory === null ? NOT_AVAILABLE : `${hundredths(process.memory) / 100}M`,
    connections: figure(process.connections),
    sendFail: figure(process.sendFail),
    timers: figure(process.timers),
    totalRequest: figure(process.totalRequest),
    qps: figure(process.qps),
    state: `[${process.state}]`,
  };
}

function summarize(processes: readonly ProcessReport[]): ProcessLine {
  const answered = processes.filter((process) => process.state !== 'busy');
  const sum = (value: (process: ProcessReport) => number | null): number =>
    answered.reduce((total, process) => total + (value(process) ?? 0), 0);
  return {
    pid: 'Summary',
    memory: `${sum((process) => hundredths(process.memory ?? 0)) / 100}M`,
    listening: '-',
    name: '-',
    connections: String(sum((process) => process.connections)),
    sendFail: String(sum((process) => process.sendFail)),
    timers: String(sum((process) => process.timers)),
    totalRequest: String(sum((process) => process.totalRequest)),
    qps: String(sum((process) => process.qps)),
    state: '[Summary] ',
  };
}

function processHeading(widths: Widths): string {
  const cells = [
    'memory ',
    cell('listening', widths.listening),
    cell('name', widths.name),
    'connections',
    cell('send_fail', 9),
    cell('timers', 8) + cell('total_request', 13),
    'qps    status',
  ];
  return `pid\t${cells.join(' ')}`;
}

/**
 * The text of `status`, from the line that names the mode on; the line `Workerman[…] status` above it is a log line
 * and not part of it. Ends with a line feed.
 */
export function statusScreen(report: StatusReport): string {
  const widths = {
    listening: widest(report.workers.map((worker) => worker.socketName), LEAST_WIDTH),
    name: widest(report.workers.map((worker) => worker.name), LEAST_WIDTH),
  };
  const processes = [...report.processes].sort((a, b) => a.pid - b.pid);
  const lines = [
    `Start worker in ${report.mode} mode.`,
    GLOBAL_RULE,
    versionLine(report),
    uptimeLine(report),
    `${report.workers.length} workers    ${processes.length} processes`,
    `${cell('name', widths.name)}     event-loop     exit_status     exit_count`,
    ...report.workers.flatMap((worker) => exitLines(worker, widths)),
    PROCESS_RULE,
    processHeading(widths),
    ...processes.map((process) => processLine(describe(process), widths)),
    PROCESS_RULE,
    processLine(summarize(processes), widths),
  ];
  return `${lines.join('\n')}\n`;
}

/** One frame of `status -d`: the terminal is cleared and put back to its plain state, then the table and a hint. */
export function liveStatusScreen(report: StatusReport): string {
  return `\x1b[H\x1b[2J\x1b(B\x1b[m${statusScreen(report)}\nPress Ctrl+C to quit.\n\n`;
}
