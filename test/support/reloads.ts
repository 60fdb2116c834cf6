import { Load, type LoadResult } from './load.js';
import { freePort, type Script } from './process.js';
import { logged, startService, until } from './service.js';

/** Gives the order until the master takes it: while one reload is under way it drops others. */
export async function orderReload(script: Script, graceful: boolean): Promise<void> {
  const reloads = (): number => logged(script).filter((line) => line === 'Workerman[start.mjs] reloading').length;
  const before = reloads();
  let ordered = 0;
  await until(script, () => {
    if (reloads() > before) return true;
    if (Date.now() - ordered > 100) {
      ordered = Date.now();
      script.signal(graceful ? 'SIGUSR2' : 'SIGUSR1');
    }
    return false;
  });
}

/** The lines `up <id> <pid>` that worker processes have logged. */
export const ups = (script: Script): string[] => logged(script).filter((line) => line.startsWith('up '));

export interface ReloadRun {
  result: LoadResult;
  /** Longest time without any answer in milliseconds, one figure per reload. */
  gaps: number[];
}

/**
 * Reloads a service that answers 64 clients on kept connections and 16 on one connection per request.
 *
 * @param pause milliseconds from an answer to the next request
 */
export async function reloadUnderLoad(
  count: number,
  graceful: boolean,
  reloads: number,
  pause: number = 0,
): Promise<ReloadRun> {
  const port = await freePort();
  const script = startService(`
    const worker = new Worker('http://127.0.0.1:${port}');
    worker.count = ${count};
    worker.onWorkerStart = () => Worker.log('up ' + worker.id + ' ' + process.pid);
    worker.onMessage = (connection) => connection.send(String(process.pid));`);
  await until(script, () => ups(script).length === count);
  const load = new Load(port, /^\d+$/, pause);
  load.start(64, 16);
  const gaps: number[] = [];
  for (let i = 1; i <= reloads; i++) {
    load.mark();
    await orderReload(script, graceful);
    await until(script, () => ups(script).length === count * (i + 1));
    const from = load.result.answers;
    await until(script, () => load.result.answers > from + 200);
    gaps.push(load.mark());
  }
  const result = await load.stop();
  await script.stop();
  return { result, gaps };
}
