// Runs in the command process.
import type { StatusReport } from '../control/messages.js';
import { ask, findStartedMaster, say, type Service } from './service.js';

const LIVE_INTERVAL_MS = 1000;

async function running(service: Service): Promise<boolean> {
  if ((await findStartedMaster(service)) !== 0) return true;
  say(`Workerman[${service.script}] not run`);
  return false;
}

/**
 * Waits until the text is with the terminal, or the pipe: the process is about to exit.
 * @returns false when nobody reads any more
 */
function print(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => resolve(!error));
  });
}

/** Fills in what only a second sample can tell: messages handled since the one before. */
export function withRates(report: StatusReport, previous: StatusReport | null): StatusReport {
  const before = new Map(previous?.processes.map(({ pid, totalRequest }) => [pid, totalRequest]));
  const processes = report.processes.map((process) => {
    const total = before.get(process.pid);
    if (process.totalRequest === null || total === undefined || total === null) return process;
    return { ...process, qps: process.totalRequest - total };
  });
  return { ...report, processes };
}

async function textOf(report: StatusReport, live: boolean, json: boolean): Promise<string> {
  if (json) return `${JSON.stringify(report)}\n`;
  const { liveStatusScreen, statusScreen } = await import('../screens/statusScreen.js');
  return live ? liveStatusScreen(report) : statusScreen(report);
}

/** `status [-d] [--json]` @returns the exit code */
export async function status(service: Service, live: boolean, json: boolean): Promise<number> {
  if (!(await running(service))) return 0;
  if (live) {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(0));
  }
  let report: StatusReport | null = null;
  do {
    const result = await ask(service, { command: 'status' });
    if (result.kind !== 'answer' || !result.answer.status) return 0;
    report = withRates(result.answer.status, report);
    if (!(await print(await textOf(report, live, json)))) return 0;
    if (live) await new Promise((wake) => setTimeout(wake, LIVE_INTERVAL_MS));
  } while (live);
  return 0;
}

/** `connections [--json]` @returns the exit code */
export async function connections(service: Service, json: boolean): Promise<number> {
  if (!(await running(service))) return 0;
  const result = await ask(service, { command: 'connections' });
  if (result.kind !== 'answer' || !result.answer.connections) return 0;
  const report = result.answer.connections;
  const { connectionsScreen } = await import('../screens/connectionsScreen.js');
  await print(json ? `${JSON.stringify(report)}\n` : connectionsScreen(report));
  return 0;
}
