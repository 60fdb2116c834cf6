import ts from 'typescript';
import { WebSocket } from 'ws';
import { compiledPackage } from '../support/compiled.js';
import { accepting, freePort, startScript, type Script } from '../support/process.js';
import type { Block } from './pages.js';

/** True for a block that is a whole server. */
export const isProgram = ({ prelude, code }: Block): boolean => prelude === null && code.includes('Worker.runAll()');

const ADDRESS = /(0\.0\.0\.0|127\.0\.0\.1|\[::\]):\d{2,5}\b/g;
const SOCKET_NAME = /new Worker\(\s*'(\w+):\/\/127\.0\.0\.1:(\d+)'/g;

/** A started program and the addresses at which it serves. */
export interface Running {
  script: Script;
  services: { scheme: string; port: number }[];
}

/** The program on free ports of the loopback interface instead of those that it names. */
async function onFreePorts(code: string): Promise<string> {
  const ports = new Map<string, string>();
  for (const [address] of code.matchAll(ADDRESS)) {
    if (!ports.has(address)) ports.set(address, `127.0.0.1:${await freePort()}`);
  }
  return code.replaceAll(ADDRESS, (address) => ports.get(address)!);
}

/** Starts a program of the pages as a process of its own and waits until clients can connect. */
export async function run(block: Block): Promise<Running> {
  const source = await onFreePorts(block.code);
  const services = [...source.matchAll(SOCKET_NAME)].map(([, scheme, port]) => ({ scheme: scheme!, port: Number(port) }));
  const { outputText } = ts.transpileModule(source.replaceAll(/'workerman-ts(\/[\w/]+)?'/g, `'${compiledPackage()}'`), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const script = startScript({ source: outputText, name: 'server.mjs', launcher: [process.execPath] });
  await script.started();
  return { script, services };
}

/** Asks a service something that every server of its kind has an answer to. @returns what it said */
export async function ask({ scheme, port }: Running['services'][number]): Promise<string> {
  switch (scheme) {
    case 'http': {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) });
      return `HTTP ${answer.status}`;
    }
    case 'websocket':
      return openWebSocket(port);
    case 'udp':
      return 'datagrams';
    default:
      await accepting({ port });
      return 'connected';
  }
}

function openWebSocket(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.once('open', () => {
      socket.terminate();
      resolve('opened');
    });
    socket.once('error', reject);
  });
}
