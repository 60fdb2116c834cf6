import { request, type IncomingHttpHeaders } from 'node:http';
import { compiledPackage } from './compiled.js';
import { startScript, waitUntil, type Script } from './process.js';

/** How a service of a few lines is started. */
export interface ServiceOptions {
  /** Words after the script's name. Default `['start']`. */
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Options of node itself. */
  nodeArgs?: readonly string[];
  /** A folder that is there already. */
  folder?: string;
  /** Name of the script. Default `start.mjs`. */
  name?: string;
  /** What stands before `node`: `['setsid']`. */
  before?: readonly string[];
}

/** Text of a start script in JavaScript: the package's names, `body`, and `Worker.runAll()` unless it is there. */
export function serviceText(body: string): string {
  const end = body.includes('Worker.runAll()') ? '' : 'Worker.runAll();';
  return [
    `import { AsyncTcpConnection, EventLoop, Response, ServerSentEvents, TcpConnection, Timer, Worker } from '${compiledPackage()}';`,
    "import * as fs from 'node:fs';",
    "import * as childProcess from 'node:child_process';",
    body,
    end,
    '',
  ].join('\n');
}

/** Starts a service whose script is `body` between the imports and `Worker.runAll()`. */
export function startService(body: string, options: ServiceOptions = {}): Script {
  const { args, env, nodeArgs = [], folder, name = 'start.mjs', before = [] } = options;
  return startScript({
    source: serviceText(body),
    launcher: [...before, process.execPath, ...nodeArgs],
    name,
    ...(args && { args }),
    ...(env && { env }),
    ...(folder && { folder }),
  });
}

/** An HTTP answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One HTTP request on a connection of its own. `place`: a port on the loopback interface, or a unix socket. */
export function get(place: number | string, path = '/', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const where = typeof place === 'number' ? { host: '127.0.0.1', port: place } : { socketPath: place };
    const call = request({ ...where, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

/** The body of an answer. */
export async function bodyOf(place: number | string, path = '/'): Promise<string> {
  return (await get(place, path)).body;
}

/** Messages of a log file, without time and pid. */
export function logged(script: Script, file?: string): string[] {
  return script
    .log(file)
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d pid:\d+ /, ''))
    .filter((line) => line !== '');
}

/** The lines of a start that are not its banner. */
export function spoken(output: string): string[] {
  return output.split('\n').filter((line) => /^(Workerman\[|Master pid|worker\[|Worker\[)/.test(line));
}

/** Waits until `done` says something other than null, undefined or false; fails with all that is known of the script. */
export function until<T>(
  script: Script,
  done: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  deadline?: number,
): Promise<T> {
  return waitUntil(done, () => script.describe(), deadline);
}
