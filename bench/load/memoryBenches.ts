/** Memory of connections and of processes that have nothing to do, and the way to the first answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import { inTurn, type Bench } from './Bench.js';
import { Client } from './Client.js';
import { cpuOf, privateOf, residentOf, SERVER_CORE, shareOf } from './machine.js';
import { prepare, type Check } from './probe.js';
import { end, freePort, startOn } from './processes.js';
import { get } from './requests.js';
import type { Sample } from './results.js';
import { Server, type Contender } from './Server.js';

/** Idle connections that are held. */
const CONNECTIONS = 8000;
/** Milliseconds until garbage is gone; servers that are told to SETTLE collect it all the time. */
const SETTLING = 2500;

/**
 * Opens connections, one request on each, and holds them: the resident set then, less that before, by their number.
 * The server is warm before: what it grows by once and for all is no connection's.
 */
async function idleConnection(contender: Contender, check: Check): Promise<Sample> {
  const server = await Server.start(contender, { SETTLE: '1' });
  try {
    const args = await prepare({ mode: 'idle', connections: CONNECTIONS, request: get('/') }, server.port, '', check);
    const warmUp = await prepare({ mode: 'ask', connections: 64, depth: 1, request: get('/') }, server.port, '1', check);
    const visitors = await Client.start(warmUp);
    await visitors.count();
    await visitors.leave();
    await sleep(SETTLING);
    const before = residentOf(server.pids);
    const client = await Client.start(args);
    await sleep(SETTLING);
    const held = residentOf(server.pids);
    await client.count();
    await client.leave();
    return { cost: (held - before) / CONNECTIONS };
  } finally {
    await server.stop();
  }
}

/** The benchmark of idle connections. */
export function idleBench(check: Check): Bench {
  return {
    name: `idle connection, ${CONNECTIONS} of them`, kind: 'idle', unit: 'connection',
    contenders: ['ours', 'node-http', 'fastify', 'bun', 'raw-net'], targets: { 'node-http': 0.6 },
    round: (who) => inTurn(who, (contender) => idleConnection(contender, check)),
  };
}

/** The share of a process: what it has alone, and of what it shares (Node itself, most of all) its part. */
function weightOf(pid: number): Sample {
  return { cost: shareOf([pid]), more: { 'MB resident': residentOf([pid]), 'MB of its own': privateOf([pid]) } };
}

/** Connects until somebody answers a request. */
async function firstAnswer(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const answered = await new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
      socket.once('data', () => resolve(true));
      socket.write(get('/'));
    });
    socket.destroy();
    if (answered) return;
    await sleep(2);
  }
}

async function atRest(): Promise<Record<'worker' | 'master' | 'bare', Sample>> {
  // All three at the same time, so that they share the same.
  const bare = startOn(SERVER_CORE, [process.execPath, '-e', 'setInterval(()=>{},1e6)'], { stdio: 'ignore' });
  try {
    const server = await Server.start('ours');
    try {
      await firstAnswer(server.port);
      await sleep(SETTLING);
      const [master, worker, ...others] = server.pids;
      if (master === undefined || worker === undefined || others.length > 0) {
        throw new Error('a master and one worker were expected');
      }
      return { worker: weightOf(worker), master: weightOf(master), bare: weightOf(bare.pid as number) };
    } finally {
      await server.stop();
    }
  } finally {
    await end(bare);
  }
}

/** The benchmark of master and worker process, some seconds after the first answer. */
export function restBench(): Bench {
  return {
    name: 'processes at rest', kind: 'rest', unit: 'process', contenders: ['worker', 'master', 'bare'],
    targets: { worker: 12, master: 6 }, round: atRest,
  };
}

async function startUp(contender: Contender): Promise<Sample> {
  const port = await freePort();
  const begun = performance.now();
  const server = Server.launch(contender, port);
  try {
    await firstAnswer(port);
    const cost = performance.now() - begun;
    return { cost, more: { 'CPU ms': cpuOf(server.pid) / 1000 } };
  } finally {
    await server.stop();
  }
}

/** The benchmark of the time from the command to the first answer. */
export function startBench(): Bench {
  return {
    name: 'start', kind: 'start', unit: 'start', contenders: ['ours', 'node-http', 'fastify', 'bun'], targets: {},
    round: (who) => inTurn(who, startUp),
  };
}
