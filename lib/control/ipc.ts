import type { ChildProcess } from 'node:child_process';
import type { ConnectionReport } from './messages.js';

/** What a worker process answers for the `status` command. */
export interface ProcessFigures {
  memory: number;
  connections: number;
  sendFail: number;
  timers: number;
  totalRequest: number;
}

/** Where to listen, as a message can carry it. */
export interface AddressMessage {
  kind: 'tcp' | 'udp' | 'unix';
  host: string;
  port: number;
  path: string;
  display: string;
  ipv6Only?: boolean;
  reusePort?: boolean;
  broadcast?: boolean;
}

/** Master → worker process. */
export type ToWorker =
  /** Go: `onWorkerStart`, then accept. A warm replacement waits for this. */
  | { type: 'start' }
  | { type: 'bound'; request: number; port: number; error?: { code: string; message: string } }
  /** The answer to `acquire`; the socket comes along. */
  | { type: 'socket'; request: number }
  | { type: 'stop'; graceful: boolean }
  /** A plain stop that leaves nobody alone after `seconds`: whatever is still open then is cut. */
  | { type: 'expire'; seconds: number }
  | { type: 'reload'; graceful: boolean }
  /** Give up the addresses of inner Workers: a replacement is about to start, and will want them. */
  | { type: 'yield' }
  /** The replacement failed: take them back. */
  | { type: 'resume' }
  | { type: 'figures'; request: number }
  | { type: 'connections'; request: number };

/** A Worker as the script of a process describes it. */
export interface ScriptWorker {
  name: string;
  socketName: string;
  count: number;
}

/** Worker process → master. */
export type ToMaster =
  /** Where the code is watched: the Workers that the script constructs in this process. */
  | { type: 'script'; workers: ScriptWorker[] }
  /** Where the code is watched: why it does not start, and the files that may be to blame. */
  | { type: 'failed'; summary: string; files: string[] }
  /** The script has been read and the Worker is there. */
  | { type: 'loaded' }
  /** `onWorkerStart` has ended, clients are accepted. */
  | { type: 'ready' }
  | { type: 'yielded' }
  /** Bind the address for this process; `own` is the socket of its Worker, which the master holds already. */
  | { type: 'bind'; request: number; address: AddressMessage; own: boolean }
  /** A copy of the bound socket, please. */
  | { type: 'acquire'; request: number; address: AddressMessage; own: boolean }
  | { type: 'release'; address: AddressMessage; own: boolean }
  /** This process stops by itself; `signal`: because of one, which the master may be about to hear as well. */
  | { type: 'stopping'; signal: boolean }
  | { type: 'figures'; request: number; figures: ProcessFigures }
  | { type: 'connections'; request: number; connections: ConnectionReport[] };

/** Daemon master → the command process that started it. */
export type ToStarter = { type: 'started' } | { type: 'failed'; message: string };

/** The mark that tells our messages from those of user code, which shares the channel. */
const TAG = 'workerman-ts';

interface Envelope<M> {
  [TAG]: M;
}

/** Our message inside whatever came over a channel; null for a user's. */
export function unwrap<M>(raw: unknown): M | null {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, TAG)) return null;
  return (raw as Envelope<M>)[TAG];
}

/** Sends to a child; silently nothing when it is gone, which its 'exit' event tells anyway. */
export function sendToChild(child: ChildProcess, message: ToWorker, handle?: unknown): void {
  if (!child.connected) return;
  child.send({ [TAG]: message }, handle as Parameters<ChildProcess['send']>[1], undefined, () => {});
}

/** Sends to the parent process; calls back when it has been handed over, or can not be. */
export function sendToParent(message: ToMaster | ToStarter, done: () => void = () => {}): void {
  if (process.send === undefined || !process.connected) done();
  else process.send({ [TAG]: message }, undefined, undefined, done);
}
