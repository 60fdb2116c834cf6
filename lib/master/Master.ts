// Runs in the master: its life from the start to the exit.
import { ControlServer, type ControlAnswer, type ControlRequest } from '../control/ControlChannel.js';
import { controlSocketPath, type PidFile } from '../control/PidFile.js';
import type { StartLock } from '../control/StartLock.js';
import { checkLoopClass } from '../createLoop.js';
import { formatMessage } from '../logText.js';
import { checkOutputStream, exitWhenWritten, writeLog } from '../output.js';
import { processState, STATUS } from '../ProcessState.js';
import { Settings } from '../Settings.js';
import { startScript } from '../startScript.js';
import { startMasterTimers } from '../timers.js';
import { currentUser } from '../userAndGroup.js';
import { wantedProcesses } from '../wantedProcesses.js';
import { handleSignals } from './signals.js';
import type { SupervisedWorker } from './SupervisedWorker.js';
import { Supervisor } from './Supervisor.js';

/** The master process. */
export class Master {
  readonly #workers: readonly SupervisedWorker[];
  readonly #pidFile: PidFile;
  readonly #lock: StartLock | null;
  readonly #supervisor: Supervisor;
  readonly #control: ControlServer;
  readonly #script: string;

  /** @param lock held while starting; null when the process that started this one holds it */
  constructor(workers: readonly SupervisedWorker[], script: string, pidFile: PidFile, lock: StartLock | null) {
    this.#workers = workers;
    this.#script = script;
    this.#pidFile = pidFile;
    this.#lock = lock;
    this.#supervisor = new Supervisor(workers, script, () => void this.#stopped());
    this.#control = new ControlServer(controlSocketPath(pidFile.path), (request) => this.#answer(request));
  }

  /**
   * Binds, makes the service known and starts the worker processes. When `announce` is called clients can connect.
   * Rejects, with nothing left behind, when an address can not be bound or the pid file can not be written.
   *
   * @param announce called when the service is there and its processes are about to start
   * @param watch reload when the code changes
   */
  async start(announce: () => void, watch = false): Promise<void> {
    process.title = `WorkerMan: master process  start_file=${startScript()}`;
    try {
      this.#prepareWorkers();
      await this.#supervisor.bind();
      await this.#control.open();
      this.#pidFile.write();
    } catch (error) {
      this.#supervisor.sockets.close();
      this.#supervisor.sockets.removePaths();
      this.#control.close();
      throw error;
    } finally {
      this.#lock?.release();
    }
    startMasterTimers();
    processState.controller = this.#supervisor;
    handleSignals(this.#supervisor);
    announce();
    if (watch) {
      const { Watch } = await import('./Watch.js');
      this.#supervisor.watcher = new Watch(this.#supervisor, startScript());
    }
    this.#supervisor.start();
    processState.status = STATUS.RUNNING;
    // A service without Workers has nothing else that keeps it running.
    setInterval(() => {}, 0x7fffffff);
  }

  #prepareWorkers(): void {
    checkOutputStream();
    checkLoopClass(Settings.eventLoopClass);
    const me = currentUser();
    for (const worker of this.#workers) {
      checkLoopClass(worker.eventLoop);
      if (worker.name === '') worker.name = 'none';
      worker.count = wantedProcesses(worker.count);
      if (worker.user === '') worker.user = me;
      else if (worker.user !== me && process.getuid?.() !== 0) {
        writeLog('Warning: You must have the root privileges to change uid and gid.');
      }
    }
  }

  async #answer(request: ControlRequest): Promise<ControlAnswer> {
    const answer: ControlAnswer = { pid: process.pid };
    switch (request.command) {
      case 'ping':
        break;
      case 'stop': {
        // As if by signal, so that the log says the same whichever way the order comes.
        const signal = request.graceful ? 'SIGQUIT' : 'SIGINT';
        setImmediate(() => this.#supervisor.stop(request.graceful, `received signal ${signal}`));
        break;
      }
      case 'reload':
        setImmediate(() => void this.#supervisor.reload(request.graceful));
        break;
      case 'status':
        answer.status = await this.#supervisor.reports.status();
        break;
      case 'connections':
        answer.connections = await this.#supervisor.reports.connections();
        break;
    }
    return answer;
  }

  async #stopped(): Promise<void> {
    this.#control.close();
    this.#pidFile.remove();
    writeLog(`Workerman[${this.#script}] has been stopped`);
    try {
      await Settings.onMasterStop?.();
    } catch (error) {
      writeLog(`onMasterStop ${formatMessage(error)}`);
    }
    exitWhenWritten(0);
  }
}
