import { expect } from 'chai';
import type { ProcessReport, StatusReport, WorkerReport } from '../../../../lib/control/messages.js';
import { liveStatusScreen, statusScreen } from '../../../../lib/screens/statusScreen.js';

const MEGABYTE = 1024 * 1024;

const worker = (name: string, socketName: string): WorkerReport => ({
  name, eventLoop: 'select', socketName, exits: [],
});

const idle = (pid: number, name: string, listening: string, changes: Partial<ProcessReport> = {}): ProcessReport => ({
  pid, name, listening, memory: 1.19 * MEGABYTE, connections: 0, sendFail: 0, timers: 0, totalRequest: 0, qps: 0,
  state: 'idle', ...changes,
});

const busy = (pid: number, name: string, listening: string): ProcessReport => ({
  pid, name, listening, memory: null, connections: null, sendFail: null, timers: null, totalRequest: null, qps: null,
  state: 'busy',
});

const HTTP = 'http://127.0.0.1:21001';
const WEBSOCKET = 'websocket://127.0.0.1:21002';

const report: StatusReport = {
  script: 'start.php',
  mode: 'DEBUG',
  version: '<version>',
  node: '<version>',
  os: 'Linux/<kernel>',
  startTime: new Date(2026, 10, 22, 10, 25, 40).getTime(),
  now: new Date(2026, 10, 22, 10, 26, 0).getTime(),
  loadavg: [2.7001, 4.7999, 3.654],
  workers: [worker('web', HTTP), worker('chat', WEBSOCKET), worker('cron', 'none')],
  processes: [
    idle(18857, 'cron', 'none', { memory: 1.13 * MEGABYTE, timers: 1 }),
    idle(18855, 'web', HTTP, { connections: 1, totalRequest: 1 }),
    busy(18854, 'web', HTTP),
    idle(18856, 'chat', WEBSOCKET, { connections: 1 }),
  ],
};

/** What Workerman 5.2.2 prints for this data, with Node in the place of PHP. `|` marks the ends of lines. */
const RECORDED = `
Start worker in DEBUG mode.|
---------------------------------------------------GLOBAL STATUS---------------------------------------------------------|
Workerman/<version>     Node/<version>                Linux/<kernel>|
start time:2026-11-22 10:25:40   run 0 days 0 hours   load average: 2.7, 4.8, 3.65|
3 workers    4 processes|
name         event-loop     exit_status     exit_count|
web          select         0               0               |
chat         select         0               0               |
cron         select         0               0               |
---------------------------------------------------PROCESS STATUS--------------------------------------------------------|
pid\tmemory  listening                   name     connections send_fail timers  total_request qps    status|
18854\tN/A     http://127.0.0.1:21001      web      N/A         N/A       N/A     N/A           N/A    [busy] |
18855\t1.19M   http://127.0.0.1:21001      web      1           0         0       1             0      [idle]|
18856\t1.19M   websocket://127.0.0.1:21002 chat     1           0         0       0             0      [idle]|
18857\t1.13M   none                        cron     0           0         1       0             0      [idle]|
---------------------------------------------------PROCESS STATUS--------------------------------------------------------|
Summary\t3.51M   -                           -        2           0         1       1             0      [Summary] |
`.slice(1).replaceAll('|\n', '\n');

const linesOf = (changes: Partial<StatusReport>): string[] => statusScreen({ ...report, ...changes }).split('\n');

/** The lines of the exit table for Workers with these exits. */
const exitLines = (workers: WorkerReport[]): string[] => linesOf({ workers, processes: [] }).slice(6, -5);

describe('statusScreen', () => {
  it('prints the tables of Workerman byte for byte, processes sorted by pid', () => {
    expect(statusScreen(report)).to.equal(RECORDED);
  });

  it('leaves the report as it was', () => {
    const before = structuredClone(report);
    statusScreen(report);
    expect(report).to.deep.equal(before);
  });

  it('names the daemon mode', () => {
    expect(linesOf({ mode: 'DAEMON' })[0]).to.equal('Start worker in DAEMON mode.');
  });

  it('rounds days and hours down', () => {
    const hour = 3_600_000;
    const now = report.startTime + 3 * 24 * hour - 1;
    expect(linesOf({ now })[3]).to.include('   run 2 days 23 hours   ');
    expect(linesOf({ now: now + 1 })[3]).to.include('   run 3 days 0 hours   ');
    expect(linesOf({ now: report.startTime - hour })[3]).to.include('   run 0 days 0 hours   ');
  });

  it('rounds the load to two decimals without trailing zeros', () => {
    expect(linesOf({ loadavg: [0, 1.005_1, 12.999] })[3]).to.match(/load average: 0, 1\.01, 13$/);
  });

  it('has one exit row per Worker and status, in the order in which they were seen', () => {
    const exits = [{ status: 64000, count: 12 }, { status: 9, count: 1 }, { status: 0, count: 2 }];
    expect(exitLines([{ ...worker('web', HTTP), exits }, worker('cron', 'none')])).to.deep.equal([
      'web          select         64000           12              ',
      'web          select         9               1               ',
      'web          select         0               2               ',
      'cron         select         0               0               ',
    ]);
  });

  it('widens the columns of names and addresses with the longest of all Workers', () => {
    const workers = [worker('a-rather-long-name', HTTP), worker('b', 'none')];
    const lines = linesOf({ workers, processes: [idle(7, 'b', 'none')] });
    expect(lines[5]).to.equal('name                   event-loop     exit_status     exit_count');
    expect(lines[7]).to.equal('b                      select         0               0               ');
    expect(lines[9]).to.equal(
      'pid\tmemory  listening              name               connections send_fail timers  total_request qps    status',
    );
    expect(lines[10]).to.equal(
      '7\t1.19M   none                   b                  0           0         0       0             0      [idle]',
    );
    expect(lines[12]).to.equal(
      'Summary\t1.19M   -                      -                  0           0         0       0             0      [Summary] ',
    );
  });

  it('shows none for a name that equals the address', () => {
    expect(linesOf({ processes: [idle(7, HTTP, HTTP)] })[11]).to.match(/^7\t1\.19M {3}http:\S+ {6}none {5}0 /);
  });

  it('marks draining processes and counts them', () => {
    const draining = idle(9, 'web', HTTP, { state: 'draining', connections: 2, totalRequest: 40, qps: 3, sendFail: 1 });
    const lines = linesOf({ processes: [draining, idle(10, 'web', HTTP, { connections: 1, qps: 10, timers: 5 })] });
    expect(lines[4]).to.equal('3 workers    2 processes');
    expect(lines[11]).to.match(/2 {11}1 {9}0 {7}40 {12}3 {6}\[draining\]$/);
    expect(lines[14]).to.match(/^Summary\t2\.38M .* 3 {11}1 {9}5 {7}40 {12}13 {5}\[Summary\] $/);
  });

  it('leaves busy processes out of the sums, whatever figures they come with', () => {
    const stuck = idle(9, 'web', HTTP, { state: 'busy', connections: 2, totalRequest: 40 });
    const lines = linesOf({ processes: [stuck] });
    expect(lines[11]).to.match(/N\/A {9}N\/A {7}N\/A {5}N\/A {11}N\/A {4}\[busy\] $/);
    expect(lines[13]).to.match(/^Summary\t0M {6}- /);
    expect(lines[13]).to.match(/ 0 {11}0 {9}0 {7}0 {13}0 {6}\[Summary\] $/);
  });

  it('shows N/A for a figure that an answer lacks', () => {
    expect(linesOf({ processes: [idle(9, 'web', HTTP, { memory: null, timers: null })] })[11]).to.match(
      /^9\tN\/A .* 0 {11}0 {9}N\/A {5}0 /,
    );
  });

  it('gives the memory in megabytes with two decimals at most', () => {
    const memory = (bytes: number): string | undefined =>
      linesOf({ processes: [idle(1, 'web', HTTP, { memory: bytes })] })[11]?.split(/[\t ]+/)[1];
    expect(memory(0)).to.equal('0M');
    expect(memory(2 * MEGABYTE)).to.equal('2M');
    expect(memory(45.5 * MEGABYTE)).to.equal('45.5M');
    expect(memory(45.678 * MEGABYTE)).to.equal('45.68M');
  });

  it('sums the memory up as it is shown', () => {
    const third = 0.333 * MEGABYTE;
    const processes = [1, 2, 3].map((pid) => idle(pid, 'web', HTTP, { memory: third }));
    expect(linesOf({ processes })[15]).to.match(/^Summary\t0\.99M /);
  });
});

describe('liveStatusScreen', () => {
  it('clears the terminal before the table and says how to quit after it', () => {
    expect(liveStatusScreen(report)).to.equal(`\x1b[H\x1b[2J\x1b(B\x1b[m${RECORDED}\nPress Ctrl+C to quit.\n\n`);
  });
});
