import { WorkermanError } from '../errors.js';
import type { EventInterface } from '../timer/EventInterface.js';
import { safeEcho, writeLog } from './output.js';
import { processState, STATUS, type ProcessStatus } from './ProcessState.js';
import { resetStd } from './resetStd.js';
import { getUiColumns } from './screens/startScreen.js';
import { Settings } from './Settings.js';

/** What `Worker` has as static functions of the process that they are called in, whatever Workers there are. */
export abstract class ThisProcess extends Settings {
  /** `getStatus()`: before `runAll()`. */
  static readonly STATUS_INITIAL: 0 = STATUS.INITIAL;
  /** `getStatus()`: `runAll()` is at work. */
  static readonly STATUS_STARTING: 1 = STATUS.STARTING;
  /** `getStatus()`: the service runs; in a worker process already in `onWorkerStart`. */
  static readonly STATUS_RUNNING: 2 = STATUS.RUNNING;
  /** `getStatus()`: a stop is under way. */
  static readonly STATUS_SHUTDOWN: 4 = STATUS.SHUTDOWN;
  /** `getStatus()`: a reload is under way; master only. */
  static readonly STATUS_RELOADING: 8 = STATUS.RELOADING;

  /**
   * Stops: in the master the whole service, in a worker process this process, which the master then replaces. Returns
   * to its caller; the process ends later.
   *
   * @param code exit status of a worker process
   * @param log a reason to be logged
   */
  static stopAll(code = 0, log: unknown = ''): void {
    processState.controller?.stopAll(code, log);
  }

  /** The loop of this worker process. @throws WorkermanError `WM_NO_LOOP` outside a worker process */
  static getEventLoop(): EventInterface {
    if (Settings.globalEvent === null) {
      throw new WorkermanError('WM_NO_LOOP', 'There is an event loop only in a worker process, from onWorkerStart on');
    }
    return Settings.globalEvent;
  }

  /** `STATUS_*` of this process. */
  static getStatus(): ProcessStatus {
    return processState.status;
  }

  /** True from `runAll()` on: the status is no longer INITIAL. */
  static isRunning(): boolean {
    return processState.status !== STATUS.INITIAL;
  }

  /** True while the stop or reload under way is a graceful one. */
  static getGracefulStop(): boolean {
    return processState.gracefulStop;
  }

  /** Script and arguments, then the words of `Worker.command`. */
  static getArgv(): string[] {
    return [...process.argv.slice(1), ...Settings.command.split(/\s+/).filter((word) => word !== '')];
  }

  /** Columns of the banner in order: name → the property that it shows in Workerman. */
  static getUiColumns(): Record<string, string> {
    return getUiColumns();
  }

  /**
   * Logs a line, trimmed: to the screen unless this is a daemon, to the log file always. Errors show class, message and
   * stack.
   *
   * @param decorated on the screen, as in `safeEcho`
   */
  static log(message: unknown, decorated = false): void {
    writeLog(message, decorated);
  }

  /**
   * Writes to `Worker.outputStream`, without a line end of its own; never throws.
   *
   * @param decorated the tags `<n>`, `<w>`, `<g>` become colours on a terminal; otherwise they are taken out
   */
  static safeEcho(message: string, decorated = false): void {
    safeEcho(message, decorated);
  }

  /** Daemon: opens stdout and stderr anew on `stdoutFile`, after that file was moved away. */
  static resetStd(): void {
    resetStd();
  }
}
