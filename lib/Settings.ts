import type { Writable } from 'node:stream';
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
  // `any`: the typed view of Worker says what it is; this leaf can not name it.
  /** Master: a worker process has ended. Gets the master's worker object, the wait status and the pid. */
  onWorkerExit: MasterCallback<[worker: any, status: number, pid: number]>;
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
