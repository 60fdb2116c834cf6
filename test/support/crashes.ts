import { readdirSync, readFileSync } from 'node:fs';
import { startService, until } from './service.js';

/** What a master holds. */
export interface Footprint {
  descriptors: number;
  /** Resident set size in megabytes. */
  memory: number;
  /** Files in the folder of the script: sockets, locks. */
  files: number;
}

const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');

/**
 * Runs a service with four processes, each with an inner Worker on a TCP port and one on a unix socket, and kills them
 * one after the other as soon as they are ready.
 *
 * @param warmUp crashes before the first look
 * @param count crashes in all
 * @returns what the master held at the first look and at the end, all processes up both times
 */
export async function crashes(warmUp: number, count: number): Promise<{ before: Footprint; after: Footprint }> {
  const script = startService(`
    const worker = new Worker();
    worker.count = 4;
    worker.onWorkerStart = async () => {
      await new Worker('tcp://127.0.0.1:0').listen();
      await new Worker('unix://' + new URL('./inner' + worker.id + '.sock', import.meta.url).pathname).listen();
      fs.appendFileSync('up', process.pid + '\\n');
    };`);
  await script.started();
  const up = (): number[] => {
    try {
      // Whole lines only: the file is there before its first line, and 0 would be this test's own process group.
      return (readFileSync(`${script.folder}/up`, 'utf8').match(/^\d+(?=\n)/gm) ?? []).map(Number);
    } catch {
      return [];
    }
  };
  const killed = new Set<number>();
  const crash = async (count: number): Promise<Footprint> => {
    while (killed.size < count) {
      const victim = await until(script, () => up().find((pid) => !killed.has(pid)));
      killed.add(victim);
      process.kill(victim, 'SIGKILL');
    }
    await until(script, () => up().filter((pid) => !killed.has(pid)).length === 4);
    const memory = Number(/^VmRSS:\s+(\d+)/m.exec(statusOf(script.pid))![1]) / 1024;
    const descriptors = readdirSync(`/proc/${script.pid}/fd`).length;
    return { descriptors, memory, files: readdirSync(script.folder).length };
  };
  const before = await crash(warmUp);
  const after = await crash(count);
  const status = await script.run(['status', '--json']);
  const report = JSON.parse(status.output) as { workers: { exits: object[] }[] };
  const counted = JSON.stringify(report.workers[0]!.exits);
  if (counted !== JSON.stringify([{ status: 9, count }])) throw new Error(`the master has counted ${counted}`);
  await script.stop();
  return { before, after };
}
