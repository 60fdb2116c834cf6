import type { Writable } from 'node:stream';
import { WorkermanTypeError } from '../errors.js';
import type { EventInterface, EventLoopClass } from '../timer/EventInterface.js';

/** A callback of the master process. */
export type MasterCallback<A extends unknown[] = []> = ((...args: A) => unknown) | null;

const values = {
  daemonize: false,
  outputStream: process.stdout as Writable,
  stdoutFile: '/dev/null',
  pidFile: '',
  statusFile: '',
  logFile: '',
  logFileMaxSize: 10_485_760,
  globalEvent: null as EventInterface | null,
  eventLoopClass: null as EventLoopClass | null,
  onMasterReload: null as MasterCallback,
  onMasterStop: null as MasterCallback,
  onWorkerExit: null as MasterCallback<[worker: unknown, status: number, pid: number]>,
  stopTimeout: 2,
  drainTimeout: 0,
  command: '',
};

/**
 * The settings of the whole service: the static properties that `Worker` has from here. A text or a number that is set to
 * something else throws a TypeError `WM_SETTING`, as PHP's typed properties do.
 */
export abstract class Settings {
  /** Run in the background: set by `-d`, or by the script before `runAll()`. Default false. */
  static get daemonize(): boolean { return values.daemonize; }
  static set daemonize(value: boolean) { values.daemonize = value; }
  /** Where `log` and `safeEcho` write. Default `process.stdout`. What is no stream: `WM_OUTPUT_STREAM` at the start. */
  static get outputStream(): Writable { return values.outputStream; }
  static set outputStream(value: Writable) { values.outputStream = value; }
  /** File to which a daemon's stdout and stderr are appended. Default `/dev/null`. */
  static get stdoutFile(): string { return values.stdoutFile; }
  static set stdoutFile(value: string) { values.stdoutFile = textSetting('stdoutFile', value); }
  /** File that holds the master's pid. Default `<folder of the script>/workerman.<script>.pid`. */
  static get pidFile(): string { return values.pidFile; }
  static set pidFile(value: string) { values.pidFile = textSetting('pidFile', value); }
  /** Accepted for compatibility, default `''`; status data goes over the control channel. */
  static get statusFile(): string { return values.statusFile; }
  static set statusFile(value: string) { values.statusFile = textSetting('statusFile', value); }
  /** File that `log` appends to. Default `<folder of the script>/workerman.log`; missing folders are made. */
  static get logFile(): string { return values.logFile; }
  static set logFile(value: string) { values.logFile = textSetting('logFile', value); }
  /** Bytes from which on the log file is cut to its second half; 0 = never. Default 10485760. */
  static get logFileMaxSize(): number { return values.logFileMaxSize; }
  static set logFileMaxSize(value: number) { values.logFileMaxSize = numberSetting('logFileMaxSize', value); }
  /**
   * The loop of this worker process; null before one runs. Of an instance that the script assigns before `runAll()` the
   * class is used, in place of `Worker.eventLoopClass`.
   */
  static get globalEvent(): EventInterface | null { return values.globalEvent; }
  static set globalEvent(value: EventInterface | null) { values.globalEvent = value; }
  /** Loop class of all Workers; null (the default): `EventLoop`. What is none: `WM_EVENT_LOOP_CLASS` at the start. */
  static get eventLoopClass(): EventLoopClass | null { return values.eventLoopClass; }
  static set eventLoopClass(value: EventLoopClass | null) { values.eventLoopClass = value; }
  /**
   * Master: once per reload, before any worker process is told; `count` is read again after it. An exception stops the
   * service. Default null.
   */
  static get onMasterReload(): MasterCallback { return values.onMasterReload; }
  static set onMasterReload(value: MasterCallback) { values.onMasterReload = value; }
  /** Master: the last thing before it exits, which waits for its promise. An exception is logged. Default null. */
  static get onMasterStop(): MasterCallback { return values.onMasterStop; }
  static set onMasterStop(value: MasterCallback) { values.onMasterStop = value; }
  /** Master: a worker process has ended, its replacement is not started yet. Default null. */
  static get onWorkerExit(): MasterCallback<[worker: unknown, status: number, pid: number]> { return values.onWorkerExit; }
  static set onWorkerExit(value: MasterCallback<[worker: unknown, status: number, pid: number]>) {
    values.onWorkerExit = value;
  }
  /** Seconds from an order to stop or reload to SIGKILL; unused in graceful mode. Default 2. */
  static get stopTimeout(): number { return values.stopTimeout; }
  static set stopTimeout(value: number) { values.stopTimeout = numberSetting('stopTimeout', value); }
  /**
   * Seconds for which a process replaced by a graceful reload may go on serving; 0 (the default): no limit. Our
   * addition.
   */
  static get drainTimeout(): number { return values.drainTimeout; }
  static set drainTimeout(value: number) { values.drainTimeout = numberSetting('drainTimeout', value); }
  /** Words appended to the command line: `'start'`, `'start -d'`. Default `''`. */
  static get command(): string { return values.command; }
  static set command(value: string) { values.command = textSetting('command', value); }
}

/** What a text setting becomes: scalars as PHP's `(string)` has them. @throws TypeError `WM_SETTING` for anything else */
function textSetting(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '';
  throw wrongSetting(name, 'a string', value);
}

/** What a number setting becomes; text that is a number is one. @throws TypeError `WM_SETTING` for anything else */
function numberSetting(name: string, value: unknown): number {
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
