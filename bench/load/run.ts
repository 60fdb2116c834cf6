/*
 * npm run bench [-- --rounds 5 --seconds 3 --only hello,JSON --json results.json]
 *
 * Each contender in a process of its own on the first core, the load on the second; the answer is checked before it is
 * timed; contenders take turns, round after round, and medians are shown. CPU is user and system time of the whole
 * process tree as Linux counts it. Compare the ratios: absolute figures are those of one machine on one day.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { arch, cpus, release, tmpdir, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SCENARIOS, type Load, type Scenario } from './scenarios.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const bench = join(here, '..');
const SERVER_CORE = '0';
const CLIENT_CORE = '1';
const TICKS_PER_SECOND = 100;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});

/** One measurement. */
interface Sample {
  perSecond: number;
  cpuMicros: number;
  /** Highest resident set of the process tree, in bytes. */
  memory: number;
}

const work = mkdtempSync(join(tmpdir(), 'workerman-ts-bench-'));
const children = new Set<ChildProcess>();

function compile(name: string): string {
  const out = join(work, name);
  execFileSync('gcc', ['-O2', '-o', out, join(here, `${name}.c`)], { stdio: 'inherit' });
  return out;
}

function file(name: string, bytes: Buffer): string {
  const path = join(work, name);
  writeFileSync(path, bytes);
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function commandOf(contender: string): string[] {
  if (contender === 'floor') return [floor];
  const script = join(here, 'contenders', `${contender}.mjs`);
  return contender === 'bun' ? [join(bench, 'node_modules/.bin/bun'), script] : [process.execPath, script];
}

async function startServer(scenario: Scenario, contender: string, port: number): Promise<ChildProcess> {
  const [program, ...args] = commandOf(contender);
  if (contender === 'floor') args.push(String(port));
  const child = spawn('taskset', ['-c', SERVER_CORE, program as string, ...args], {
    env: { ...process.env, ...scenario.env, PORT: String(port), NODE_ENV: 'production' },
    cwd: work,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1');
    const up = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (up) return child;
    await sleep(50);
  }
  throw new Error(`${contender} does not accept connections`);
}

async function stopServer(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(3000).then(() => child.kill('SIGKILL'))]);
  await ended;
  children.delete(child);
}

/** The process and everything below it. */
function tree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    try {
      for (const task of readdirSync(`/proc/${parent}/task`)) {
        const kids = readFileSync(`/proc/${parent}/task/${task}/children`, 'latin1').trim();
        if (kids !== '') found.push(...kids.split(' ').map(Number));
      }
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** User and system time of the tree, in microseconds. */
function cpuOf(pid: number): number {
  let ticks = 0;
  for (const each of tree(pid)) {
    const stat = readFileSync(`/proc/${each}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1e6) / TICKS_PER_SECOND;
}

function memoryOf(pid: number): number {
  return tree(pid).reduce((sum, each) => {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${each}/status`, 'latin1'))?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}

/** Sends the bytes on one connection and collects what comes until it is quiet. */
async function exchange(port: number, ...messages: Buffer[]): Promise<Buffer[]> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  const answers: Buffer[] = [];
  for (const message of messages) {
    received = Buffer.alloc(0);
    socket.write(message);
    const deadline = performance.now() + 5000;
    for (let last = -1; last !== received.length || received.length === 0;) {
      if (performance.now() > deadline) throw new Error(`no answer to ${JSON.stringify(message.toString('latin1', 0, 80))}`);
      last = received.length;
      await sleep(150);
    }
    answers.push(received);
  }
  socket.destroy();
  return answers;
}

/** The client's arguments, with the lengths of the answers that were seen; throws when an answer is wrong. */
async function prepare(scenario: Scenario, port: number, seconds: string): Promise<string[]> {
  const { load } = scenario;
  const wanted = (answer: Buffer | undefined): number => {
    const text = answer?.toString('latin1') ?? '';
    if (!scenario.check(text)) throw new Error(`wrong answer: ${JSON.stringify(text.slice(-300))}`);
    return (answer as Buffer).length;
  };
  const base = [load.mode, String(port), String(load.connections)];
  switch (load.mode) {
    case 'ask': {
      const [answer] = await exchange(port, load.request);
      return [...base, String(load.depth), seconds, file('request', load.request), String(wanted(answer))];
    }
    case 'once': {
      const [answer] = await exchange(port, load.request);
      return [...base, seconds, file('request', load.request), String(wanted(answer))];
    }
    case 'greeted': {
      const [greeted, answer] = await exchange(port, load.greeting, load.request);
      return [
        ...base, String(load.depth), seconds, file('greeting', load.greeting), String((greeted as Buffer).length),
        file('request', load.request), String(wanted(answer)),
      ];
    }
    case 'fan':
      return [...base, ...(await prepareFan(load, port, wanted))];
  }
}

async function prepareFan(
  load: Extract<Load, { mode: 'fan' }>, port: number, wanted: (answer: Buffer | undefined) => number,
): Promise<string[]> {
  const listener = connect(port, '127.0.0.1');
  let heard = 0;
  listener.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  listener.write(load.greeting);
  await sleep(300);
  const greetingLength = heard;
  heard = 0;
  const messages = load.answered ? [load.trigger] : [load.greeting, load.trigger];
  const answers = await exchange(port, ...messages);
  const answerLength = wanted(answers.at(-1));
  const delivered = heard;
  listener.destroy();
  await sleep(100);
  return [
    String(load.rounds), file('greeting', load.greeting), String(greetingLength), file('trigger', load.trigger),
    load.answered ? String(answerLength) : '0', String(delivered),
  ];
}

async function runClient(args: string[], pid: number): Promise<Sample> {
  const child = spawn('taskset', ['-c', CLIENT_CORE, client, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  while (!output.includes('ready')) {
    if (child.exitCode !== null) throw new Error('the client ended before it began');
    await sleep(10);
  }
  await sleep(100);
  const cpuBefore = cpuOf(pid);
  const before = performance.now();
  child.stdin.write('\n');
  while (!/ready\n.+\n/.test(output)) {
    if (child.exitCode !== null) throw new Error('the client ended before it had counted');
    await sleep(2);
  }
  // Its connections are still open: what closing them costs is not counted.
  const seconds = (performance.now() - before) / 1000;
  const cpu = cpuOf(pid) - cpuBefore;
  const exited = once(child, 'exit');
  child.stdin.end('\n');
  await exited;
  children.delete(child);
  const [answers = 0, failures = 0] = (output.split('ready\n')[1] ?? '').trim().split(' ').map(Number);
  if (failures > 0 || answers === 0) throw new Error(`the client counted ${answers} answers and ${failures} failures`);
  return { perSecond: answers / seconds, cpuMicros: cpu / answers, memory: memoryOf(pid) };
}

async function measure(scenario: Scenario, contender: string, seconds: string): Promise<Sample> {
  const port = await freePort();
  const server = await startServer(scenario, contender, port);
  try {
    await runClient(await prepare(scenario, port, '1'), server.pid as number);
    return await runClient(await prepare(scenario, port, seconds), server.pid as number);
  } finally {
    await stopServer(server);
  }
}

function shuffled<T>(list: T[]): T[] {
  return list.map((each) => ({ each, key: Math.random() })).sort((a, b) => a.key - b.key).map(({ each }) => each);
}

const median = (numbers: number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;

function report(scenario: Scenario, samples: Map<string, Sample[]>): Record<string, Sample> {
  const medians: Record<string, Sample> = {};
  for (const [contender, list] of samples) {
    medians[contender] = {
      perSecond: median(list.map((sample) => sample.perSecond)),
      cpuMicros: median(list.map((sample) => sample.cpuMicros)),
      memory: median(list.map((sample) => sample.memory)),
    };
  }
  const ours = (medians['ours'] as Sample).cpuMicros;
  console.log(`\n${scenario.name}`);
  console.log(`${'contender'.padEnd(12)}${'per second'.padStart(12)}${`CPU us/${scenario.unit}`.padStart(18)}${'ours is x of it'.padStart(18)}${'target'.padStart(9)}${'peak MB'.padStart(9)}`);
  for (const [contender, sample] of Object.entries(medians)) {
    const target = scenario.targets?.[contender];
    console.log(
      contender.padEnd(12) + Math.round(sample.perSecond).toString().padStart(12) + sample.cpuMicros.toFixed(2).padStart(18) +
        (ours / sample.cpuMicros).toFixed(3).padStart(18) + (target === undefined ? '' : `<= ${target}`).padStart(9) +
        (sample.memory / 1e6).toFixed(0).padStart(9),
    );
  }
  return medians;
}

if (!existsSync(join(bench, 'node_modules'))) {
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: bench, stdio: 'inherit' });
}
const client = compile('client');
const floor = compile('floor');
const chosen = SCENARIOS.filter((scenario) => !options.only || options.only.split(',').includes(scenario.name));
const results: Record<string, unknown> = {};
console.log(`${type()} ${release()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
try {
  for (const scenario of chosen) {
    const samples = new Map<string, Sample[]>(scenario.contenders.map((contender) => [contender, []]));
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [contender, list] of shuffled([...samples])) list.push(await measure(scenario, contender, options.seconds));
    }
    results[scenario.name] = report(scenario, samples);
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
