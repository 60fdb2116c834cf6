import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { arch, cpus, platform, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * How long a service takes from the command to its first answer, and what master and worker process weigh. Each case
 * is started several times, in turn with the others; the table shows medians. Run it on a machine that is otherwise
 * idle, after `npm run build`:
 *
 *   node --import tsx bench/startup.ts [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 9);
const dist = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

interface Case {
  name: string;
  nodeArgs: string[];
  file: string;
  /** Text of the script; answers `x` on the port in the environment. */
  source: string;
  /** A service with a master; else one process. */
  service: boolean;
}

interface Sample {
  /** Milliseconds from the spawn. */
  banner: number;
  answer: number;
  /** Milliseconds of `status`, from its spawn to its end. */
  status: number;
  /** Megabytes. */
  master: number;
  worker: number;
}

const ours = (cast: string): string => `
import { Worker } from '${pathToFileURL(dist).href}';
const worker = new Worker('http://127.0.0.1:' + process.env.PORT${cast});
worker.onMessage = (connection) => { connection.send('x'); };
Worker.runAll();
`;

const CASES: Case[] = [
  {
    name: 'node:http, one process',
    nodeArgs: [],
    file: 'http.mjs',
    source: `
import { createServer } from 'node:http';
createServer((request, response) => response.end('x')).listen(process.env.PORT, '127.0.0.1', () => console.log('Start success.'));
`,
    service: false,
  },
  { name: 'node start.mjs start', nodeArgs: [], file: 'start.mjs', source: ours(''), service: true },
  {
    name: 'node --import tsx start.ts start',
    nodeArgs: ['--import', tsx],
    file: 'start.ts',
    source: ours(' as string'),
    service: true,
  },
];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when the port has answered; asks again until it does. */
function firstAnswer(port: number): Promise<void> {
  return new Promise((resolve) => {
    const ask = (): void => {
      const call = get({ port, host: '127.0.0.1', agent: false }, (response) =>
        response.resume().once('end', () => resolve()),
      );
      call.once('error', () => setTimeout(ask, 1));
    };
    ask();
  });
}

function printed(child: ChildProcess, text: string): Promise<void> {
  let output = '';
  return new Promise((resolve) => {
    child.stdout!.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes(text)) resolve();
    });
  });
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));

const megabytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

async function sample(one: Case): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-bench-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const file = join(folder, one.file);
  writeFileSync(file, one.source);
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const words = [...one.nodeArgs, file];
  const begun = performance.now();
  const child = spawn(process.execPath, [...words, 'start'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = ended(child);
  const [banner, answer] = await Promise.all([
    printed(child, 'Start success.').then(() => performance.now() - begun),
    firstAnswer(port).then(() => performance.now() - begun),
  ]);
  const worker = one.service
    ? childrenOf(child.pid!).find((pid) => /^WorkerMan: work/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')))
    : undefined;
  const weights = { master: megabytes(child.pid!), worker: worker === undefined ? 0 : megabytes(worker) };
  let status = 0;
  if (one.service) {
    const from = performance.now();
    await ended(spawn(process.execPath, [...words, 'status'], { env, stdio: 'ignore' }));
    status = performance.now() - from;
  }
  child.kill('SIGINT');
  await exit;
  rmSync(folder, { recursive: true, force: true });
  return { banner, answer, status, ...weights };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

async function main(): Promise<void> {
  if (!existsSync(dist)) throw new Error('dist/ is missing: run `npm run build` first');
  const samples = new Map(CASES.map((one) => [one, [] as Sample[]]));
  // One round that does not count: it fills the caches of the disk and of tsx.
  for (let round = -1; round < ROUNDS; round++) {
    for (const one of [...CASES].sort(() => Math.random() - 0.5)) {
      const result = await sample(one);
      if (round >= 0) samples.get(one)!.push(result);
    }
  }
  const files = readdirSync(join(dist, '..'), { recursive: true }).filter((name) =>
    /\.c?js$/.test(String(name)),
  ).length;
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${platform()} ${release()} ${arch()}, ${ROUNDS} rounds, ${files} files in dist/\n`,
  );
  console.log('| | banner | first answer | `status` | master | worker process |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const [{ name, service }, all] of samples) {
    const of = (key: keyof Sample): string => median(all.map((each) => each[key])).toFixed(0);
    const weight = service ? `${of('master')} MB | ${of('worker')} MB` : `${of('master')} MB | – `;
    console.log(
      `| ${service ? `\`${name}\`` : name} | ${of('banner')} ms | ${of('answer')} ms | ${service ? `${of('status')} ms` : '–'} | ${weight} |`,
    );
  }
}

await main();
