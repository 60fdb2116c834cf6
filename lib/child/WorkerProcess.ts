// Runs in a worker process: its life from the start of the script to its exit code.
import type { Callback } from '../../connection/ConnectionInterface.js';
import { hooks } from '../../connection/hooks.js';
import { flushAll } from '../../connection/flush.js';
import { TcpConnection } from '../../connection/TcpConnection.js';
import type { EventInterface, EventLoopClass } from '../../timer/EventInterface.js';
import { sendToParent, type ScriptWorker, type ToWorker } from '../control/ipc.js';
import type { Role } from '../control/role.js';
import { createLoop } from '../createLoop.js';
import { failureReport, leadWithUser } from '../failure.js';
import { listening } from '../listening.js';
import { exitWhenWritten, safeEcho, writeLog } from '../output.js';
import { processState, STATUS, type Controller } from '../ProcessState.js';
import { resetStd } from '../resetStd.js';
import { Settings } from '../Settings.js';
import { settleFiles } from '../settleFiles.js';
import { startWorkerTimers } from '../timers.js';
import { currentUser } from '../userAndGroup.js';
import { wantedProcesses } from '../wantedProcesses.js';
import { Drain } from './Drain.js';
import { guardProcess } from './guard.js';
import { InnerWorkers, type InnerWorker } from './InnerWorkers.js';
import { MasterLink } from './MasterLink.js';
import { connectionReports, processFigures } from './reports.js';

/** What a worker process needs of the Worker that it serves. */
export interface ServedWorker extends InnerWorker {
  id: number;
  name: string;
  user: string;
  count: number;
  reloadable: boolean;
  eventLoop: EventLoopClass | null;
  onWorkerReload: Callback<[worker: unknown]>;
  readonly connections: Iterable<TcpConnection>;
  getSocketName(): string;
  setUserAndGroup(): void;
  pauseAccept(): void;
  run(): Promise<void>;
  stop(force?: boolean): void | Promise<void>;
}

/** The Workers that this process knows. */
export interface WorkerList {
  all(): readonly ServedWorker[];
  keepOnly(worker: ServedWorker): void;
}

const FAILED_EXIT = 250;
/** After an exception in onWorkerStart, so that a crash loop turns about once a second. */
const FAILED_START_PAUSE_MS = 1000;

/** A Worker as the master compares it with its own. */
function described(worker: ServedWorker): ScriptWorker {
  const { name, count } = worker;
  return { name, socketName: worker.getSocketName(), count: wantedProcesses(count) };
}

/** The process that serves one Worker. */
export class WorkerProcess implements Controller {
  readonly #role: Extract<Role, { kind: 'worker' }>;
  readonly #list: WorkerList;
  readonly #worker: ServedWorker;
  readonly #inner: InnerWorkers;
  readonly #link: MasterLink;
  readonly #loop: EventInterface;
  readonly #drain: Drain;
  #started = false;
  #stopping = false;
  #draining = false;
  /** Seconds that the end may take, once somebody has said so. */
  #expiry: number | null = null;
  #exiting = false;
  #exitCode = 0;

  static run(role: Extract<Role, { kind: 'worker' }>, list: WorkerList): void {
    Settings.daemonize = role.daemonize;
    settleFiles();
    if (role.watched) sendToParent({ type: 'script', workers: list.all().map(described) });
    const worker = list.all()[role.index];
    if (worker === undefined || worker.getSocketName() !== role.socketName) {
      writeLog(
        `worker process: the script constructs no Worker ${role.socketName} as number ${role.index + 1}; ` +
          'every process runs the same script and must construct the same Workers',
      );
      exitWhenWritten(FAILED_EXIT);
      return;
    }
    new WorkerProcess(role, list, worker).#begin();
  }

  private constructor(role: Extract<Role, { kind: 'worker' }>, list: WorkerList, worker: ServedWorker) {
    this.#role = role;
    this.#list = list;
    this.#worker = worker;
    this.#inner = new InnerWorkers(() => list.all().filter((other) => other !== worker));
    this.#link = new MasterLink(
      (message) => this.#obey(message),
      () => this.#masterLost(),
    );
    this.#loop = createLoop(worker.eventLoop ?? Settings.eventLoopClass);
    this.#drain = new Drain(
      () => this.#connections(),
      (remaining) => writeLog(`worker[${process.pid}] remains ${remaining} connection(s)`),
      () => this.#exit(),
    );
  }

  #begin(): void {
    const worker = this.#worker;
    this.#list.keepOnly(worker);
    if (worker.name === '') worker.name = 'none';
    worker.count = wantedProcesses(worker.count);
    processState.status = STATUS.RUNNING;
    processState.gracefulStop = false;
    processState.controller = this;
    hooks.fail = (error) => this.#fail(error);
    hooks.print = (line) => {
      if (!Settings.daemonize) safeEcho(`${line}\n`);
    };
    guardProcess(hooks.fail);
    process.on('exit', () => this.#terminated());
    Settings.globalEvent = hooks.loop = this.#loop;
    this.#loop.setErrorHandler(hooks.fail);
    startWorkerTimers(this.#loop);
    this.#handleSignals();
    process.title = `WorkerMan: worker process  ${worker.name} ${worker.getSocketName()}`;
    worker.id = this.#role.id;
    listening.provider = this.#link;
    listening.isOwn = (candidate) => candidate === worker;
    this.#link.send({ type: 'loaded' });
    this.#link.open();
    if (!this.#role.standby) void this.#start();
  }

  async #start(): Promise<void> {
    if (this.#started || this.#stopping) return;
    this.#started = true;
    this.#worker.setUserAndGroup();
    if (this.#worker.user === '') this.#worker.user = currentUser();
    try {
      await this.#worker.run();
    } catch (error) {
      if (!this.#stopping) this.#startFailed(error);
      // An address that the stopping master did not bind any more is no news.
      else if ((error as { code?: unknown } | null)?.code !== 'ECANCELED') writeLog(error);
      return;
    }
    if (!this.#stopping) this.#link.send({ type: 'ready' });
  }

  /** Nothing is served, and the end comes a little later. */
  #startFailed(error: unknown): void {
    leadWithUser(error);
    writeLog(error);
    if (this.#role.watched) this.#link.send({ type: 'failed', ...failureReport(error) });
    this.#worker.pauseAccept();
    this.#inner.yield();
    setTimeout(() => this.stopAll(FAILED_EXIT), FAILED_START_PAUSE_MS);
  }

  // ------------------------------------------------------------------------------------------------ orders

  #obey(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        void this.#start();
        break;
      case 'stop':
        this.#stop(message.graceful);
        break;
      case 'expire':
        this.#expire(message.seconds);
        break;
      case 'reload':
        void this.#reload(message.graceful);
        break;
      case 'yield':
        this.#inner.yield();
        this.#link.send({ type: 'yielded' });
        break;
      case 'resume':
        this.#inner.resume((error) => hooks.fail(error));
        break;
      case 'figures':
        this.#link.send({
          type: 'figures',
          request: message.request,
          figures: processFigures(this.#loop.getTimerCount()),
        });
        break;
      case 'connections':
        this.#link.send({
          type: 'connections',
          request: message.request,
          connections: connectionReports(this.#worker.name),
        });
        break;
    }
  }

  /** The table of signals; docs/signals.md explains it. */
  #handleSignals(): void {
    const loop = this.#loop;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const) {
      loop.onSignal(name, () => this.#stop(false, true));
    }
    loop.onSignal('SIGQUIT', () => this.#stop(true, true));
    loop.onSignal('SIGUSR1', () => this.#reload(false));
    loop.onSignal('SIGUSR2', () => this.#reload(true));
    for (const name of ['SIGPIPE', 'SIGIOT', 'SIGIO'] as const) loop.onSignal(name, () => {});
  }

  #stop(graceful: boolean, bySignal = false): void {
    processState.gracefulStop = graceful && (!this.#stopping || processState.gracefulStop);
    this.#stopAll(0, bySignal);
  }

  async #reload(graceful: boolean): Promise<void> {
    if (this.#stopping) return;
    resetStd();
    processState.gracefulStop = graceful;
    try {
      await this.#worker.onWorkerReload?.(this.#worker);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#worker.reloadable) this.#stop(graceful);
    else if (!this.#stopping) processState.gracefulStop = false;
  }

  /** Stops in the plain way, and leaves nobody alone for longer than that. */
  #expire(seconds: number): void {
    this.#expiry ??= seconds;
    if (this.#draining) this.#drain.expire(seconds);
    this.#stop(false);
  }

  /** Nobody would ever replace, stop or kill this process: leave as on SIGTERM. */
  #masterLost(): void {
    if (this.#exiting) return;
    const seconds = Math.ceil(Settings.stopTimeout);
    this.#expire(seconds);
    setTimeout(() => this.#exit(), (seconds + 1) * 1000);
  }

  // ------------------------------------------------------------------------------------------------ the end

  /** Stops this process; see `Worker.stopAll`. A plain stop takes over from a graceful one. */
  stopAll(code = 0, log: unknown = ''): void {
    if (code && log) writeLog(log);
    this.#stopAll(code, false);
  }

  /** An exception that nobody has caught: a plain stop, also in the middle of an `onWorkerReload` of a graceful reload. */
  #fail(error: unknown): void {
    if (!this.#stopping) processState.gracefulStop = false;
    this.stopAll(FAILED_EXIT, error);
  }

  #stopAll(code: number, bySignal: boolean): void {
    if (this.#stopping) {
      if (this.#draining && !processState.gracefulStop) this.#drain.plain();
      return;
    }
    this.#stopping = true;
    this.#exitCode = code;
    processState.status = STATUS.SHUTDOWN;
    TcpConnection._draining = true;
    this.#link.send({ type: 'stopping', signal: bySignal });
    // A warm replacement that is not needed has nothing to stop.
    if (this.#started) void this.#stopWorkers();
    else this.#exit();
  }

  async #stopWorkers(): Promise<void> {
    for (const worker of [...this.#list.all()].reverse()) await worker.stop(false);
    this.#draining = true;
    if (this.#expiry !== null) this.#drain.expire(this.#expiry);
    else if (processState.gracefulStop) this.#drain.graceful();
    else this.#drain.plain();
  }

  *#connections(): Iterable<TcpConnection> {
    for (const worker of this.#list.all()) yield* worker.connections;
  }

  #exit(): void {
    this.#exiting = true;
    this.#loop.stop();
    flushAll();
    exitWhenWritten(this.#exitCode);
  }

  /** 'exit' event: whoever called process.exit(), the bytes that were sent are on their way. */
  #terminated(): void {
    flushAll();
    if (processState.status !== STATUS.SHUTDOWN) writeLog(`Worker[${process.pid}] process terminated`);
  }
}
