import type { Writable } from 'node:stream';
import { WorkermanTypeError } from '../errors.js';
import type { EventInterface, EventLoopClass } from '../timer/EventInterface.js';

/** A callback of the master process. */
export type MasterCallback<A extends unknown[] = []> = ((...args: A) => unknown) | null;

/** The settings of the whole service. `Worker`'s static properties forward here, one to one. */
export interface SettingsShape {
  /** Run in the background. Set by `-d`, or by the script before `runAll()`. Default false. */
  daemonize: boolean;
  /** Where `log` and `safeEcho` write. Default `process.stdout`. */
  outputStream: Writable;
  /** A daemon's stdout and stderr, master's and workers', are appended to this file. Default `/dev/null`. */
  stdoutFile: string;
  /** Holds the master's pid. Default `<folder of the start script>/workerman.<script>.pid`. */
  pidFile: string;
  /** Accepted for compatibility; status data goes over the control channel. */
  statusFile: string;
  /** Default `<folder of the start script>/workerman.log`. */
  logFile: string;
  /** Bytes from which on the log file is cut to its second half; 0 = never. Default 10 MiB. */
  logFileMaxSize: number;
  /** The loop of this worker process; null before one runs. */
  globalEvent: EventInterface | null;
  /** Loop class of all workers; null = the built-in one. */
  eventLoopClass: EventLoopClass | null;
  /** Master: a reload was ordered, no worker process has been told yet. */
  onMasterReload: MasterCallback;
  /** Master: the last thing before it exits. Its promise is awaited. */
  onMasterStop: MasterCallback;
  /** Master: a worker process has ended. Gets the master's worker object, the wait status and the pid. */
  onWorkerExit: MasterCallback<[worker: unknown, status: number, pid: number]>;
  /** Seconds from an order to stop or reload to SIGKILL; never used in graceful mode. Default 2. */
  stopTimeout: number;
  /** Seconds that a process replaced by a graceful reload may go on serving its connections; 0 = no limit (default). */
  drainTimeout: number;
  /** Words appended to the command line: `'start'` or `'start -d'`. Default none. */
  command: string;
}

export const settings: SettingsShape = {
  daemonize: false,
  outputStream: process.stdout,
  stdoutFile: '/dev/null',
  pidFile: '',
  statusFile: '',
  logFile: '',
  logFileMaxSize: 10_485_760,
  globalEvent: null,
  eventLoopClass: null,
  onMasterReload: null,
  onMasterStop: null,
  onWorkerExit: null,
  stopTimeout: 2,
  drainTimeout: 0,
  command: '',
};

/** What a text setting becomes: scalars as PHP's `(string)` has them. @throws TypeError `WM_SETTING` for anything else */
export function textSetting(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '';
  throw wrongSetting(name, 'a string', value);
}

/** What a number setting becomes; text that is a number is one. @throws TypeError `WM_SETTING` for anything else */
export function numberSetting(name: string, value: unknown): number {
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
  throw wrongSetting(name, 'a number', value);
}

const wrongSetting = (name: string, wanted: string, value: unknown): WorkermanTypeError =>
  new WorkermanTypeError('WM_SETTING', `Worker.${name} must be ${wanted}, got ${described(value)}`);

function described(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return `a value of type ${typeof value}`;
  return String(value);
}
