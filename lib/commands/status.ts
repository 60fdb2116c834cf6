// Runs in the command process.
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionsScreen } from '../screens/connectionsScreen.js';
import { liveStatusScreen, statusScreen } from '../screens/statusScreen.js';
import { ask, findMaster, say, type Service } from './service.js';

const LIVE_INTERVAL_MS = 1000;

async function running(service: Service): Promise<boolean> {
  if ((await findMaster(service)) !== 0) return true;
  say(`Workerman[${service.script}] not run`);
  return false;
}

/** Waits until the text is with the terminal, or the pipe: the process is about to exit. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

/** `status [-d] [--json]` @returns the exit code */
export async function status(service: Service, live: boolean, json: boolean): Promise<number> {
  if (!(await running(service))) return 0;
  if (live) {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(0));
  }
  do {
    const result = await ask(service, { command: 'status' });
    if (result.kind !== 'answer' || !result.answer.status) return 0;
    const report = result.answer.status;
    if (json) await print(`${JSON.stringify(report)}\n`);
    else await print(live ? liveStatusScreen(report) : statusScreen(report));
    if (live) await sleep(LIVE_INTERVAL_MS);
  } while (live);
  return 0;
}

/** `connections [--json]` @returns the exit code */
export async function connections(service: Service, json: boolean): Promise<number> {
  if (!(await running(service))) return 0;
  const result = await ask(service, { command: 'connections' });
  if (result.kind !== 'answer' || !result.answer.connections) return 0;
  const report = result.answer.connections;
  await print(json ? `${JSON.stringify(report)}\n` : connectionsScreen(report));
  return 0;
}
