import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitUntil, type Script } from './process.js';
import { bodyOf, startService, type ServiceOptions } from './service.js';

/** A service under test and the port of its first Worker. */
export interface Service {
  script: Script;
  port: number;
}

/** Starts a service that answers with its pid, or, under `/args`, with its arguments; `extra` may change that. */
export async function echo(options: ServiceOptions = {}, extra: string = ''): Promise<Service> {
  const port = await freePort();
  const script = startService(
    `const worker = new Worker('http://127.0.0.1:${port}');
     worker.onMessage = (connection, request) => {
       connection.send(request.path() === '/args' ? process.argv.slice(2).join(' ') : String(process.pid));
     };
     ${extra}`,
    options,
  );
  return { script, port };
}

/** Starts a service whose processes answer with id and pid, and end as they are told; `extra` may change that. */
export async function webService(extra: string = '', options: ServiceOptions = {}): Promise<Service> {
  const port = await freePort();
  const script = startService(
    `const worker = new Worker('http://127.0.0.1:${port}');
     worker.name = 'web';
     worker.onMessage = (connection, request) => {
       if (request.path() === '/exit') process.exit(Number(request.get('code')));
       if (request.path() === '/throw') throw new Error('thrown on request');
       if (request.path() === '/reject') return Promise.reject(new TypeError('rejected on request'));
       connection.send(worker.id + ' ' + process.pid);
     };
     Worker.onWorkerExit = (worker, status, pid) => {
       Worker.log(['onWorkerExit', worker.name, worker.id, status, pid].join(' '));
     };
     ${extra}`,
    options,
  );
  await script.started();
  return { script, port };
}

/** Waits until the service is served by a process other than those; id and pid. */
export function served({ port, script }: Service, not: string[] = []): Promise<string> {
  return waitUntil(
    async () => {
      const answer = await bodyOf(port).catch(() => '');
      return answer !== '' && !not.includes(answer) ? answer : null;
    },
    () => `another process: ${script.describe()}`,
  );
}

/** The pid in such an answer. */
export const pidOf = (answer: string): number => Number(answer.split(' ')[1]);

/** The rows of the exit table, as `[name, status, count]`. */
export async function exitTable(script: Script): Promise<string[][]> {
  const { output } = await script.run(['status']);
  const from = output.indexOf('exit_count') + 'exit_count'.length;
  const rows = output.slice(from, output.indexOf('---', from)).trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/)).map(([name, , status, count]) => [name!, status!, count!]);
}

/** Where the pid file is. */
export const pidFile = (script: Script): string => join(script.folder, 'workerman.start.mjs.pid');

/** Files that a service has in its folder, besides script and log. */
export function serviceFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(pid|lock|sock|status)/.test(name))
    .sort();
}
