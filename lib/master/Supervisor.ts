// Runs in the master: keeps as many worker processes alive as each Worker wants, and carries out orders.
import { type BindAddress } from '../bindSocket.js';
import type { ToMaster } from '../control/ipc.js';
import { writeLog } from '../output.js';
import { processState, STATUS, type Controller } from '../ProcessState.js';
import { resetStd } from '../resetStd.js';
import { settings } from '../Settings.js';
import { Reports } from './Reports.js';
import { SocketStore } from './SocketStore.js';
import { WorkerHandle, type HandleOwner } from './WorkerHandle.js';

/** What the master needs of a Worker. */
export interface SupervisedWorker {
  name: string;
  user: string;
  count: number;
  reloadable: boolean;
  reusePort: boolean;
  transport: string;
  eventLoop: { readonly name: string } | null;
  readonly _hasSocket: boolean;
  readonly _backlog: number;
  getSocketName(): string;
  _resolve(): BindAddress;
}

/** A process that dies before it was ready is replaced no sooner than this after its start: no hot crash loop. */
const LEAST_LIFE_MS = 1000;
/** A process that heard a signal may have heard it together with the master, which has not got round to it yet. */
const SIGNAL_GRACE_MS = 150;
/** Wait status of a process that died of Ctrl+C. */
const STATUS_SIGINT = 2;

export class Supervisor implements Controller, HandleOwner {
  readonly workers: readonly SupervisedWorker[];
  readonly sockets: SocketStore = new SocketStore();
  readonly reports: Reports;
  readonly #script: string;
  readonly #onStopped: () => void;
  /** Per Worker: id → the process that has it. */
  readonly #slots: Map<number, WorkerHandle>[];
  /** Everything alive, in start order: slots, warm replacements, draining processes. */
  readonly #processes = new Map<number, WorkerHandle>();
  readonly #addresses: (BindAddress | null)[];
  readonly #armed: boolean[];
  #stopping = false;
  #stopped = false;
  #listeningWatchers: (() => void)[] = [];

  /**
   * @param script base name of the start script, for messages
   * @param onStopped the last worker process has ended after a stop
   */
  constructor(workers: readonly SupervisedWorker[], script: string, onStopped: () => void) {
    this.workers = workers;
    this.#script = script;
    this.#onStopped = onStopped;
    this.#slots = workers.map(() => new Map());
    this.#addresses = workers.map(() => null);
    this.#armed = workers.map(() => false);
    this.reports = new Reports(workers, script, () => this.#processes.values());
  }

  // ------------------------------------------------------------------------------------------------ start

  /** Understands every Worker's name and binds its socket. Rejects with the first error. */
  async bind(): Promise<void> {
    for (const [index, worker] of this.workers.entries()) {
      if (!worker._hasSocket) continue;
      const address = worker._resolve();
      this.#addresses[index] = address;
      if (worker.reusePort) await this.#tryOut(address);
      else await this.sockets.keep(address);
    }
  }

  /** A socket that the processes bind themselves: only see whether that would work. */
  async #tryOut(address: BindAddress): Promise<void> {
    const trial = new SocketStore();
    await trial.keep({ ...address, reusePort: false });
    trial.close();
    trial.removePaths();
  }

  /** Starts the processes of all Workers. */
  start(): void {
    for (const index of this.workers.keys()) this.#fill(index);
  }

  /** Resolves when clients of every address are at least queued. */
  async listening(): Promise<void> {
    const waits = (): boolean =>
      this.workers.some((worker, index) => worker._hasSocket && !worker.reusePort && this.#isStream(index) && !this.#armed[index]);
    while (waits() && !this.#stopping) await new Promise<void>((resolve) => this.#listeningWatchers.push(resolve));
  }

  #isStream(index: number): boolean {
    return this.#addresses[index]?.kind !== 'udp';
  }

  /** Starts what is missing to a Worker's count; new processes take the lowest free ids. */
  #fill(index: number): void {
    if (this.#stopping) return;
    const slots = this.#slots[index] as Map<number, WorkerHandle>;
    const count = countOf(this.workers[index] as SupervisedWorker);
    for (let id = 0; id < count; id++) if (!slots.has(id)) slots.set(id, this.#spawn(index, id, false));
  }

  #spawn(index: number, id: number, standby: boolean): WorkerHandle {
    const worker = this.workers[index] as SupervisedWorker;
    const handle = new WorkerHandle(
      this,
      { kind: 'worker', index, id, socketName: worker.getSocketName(), standby, daemonize: settings.daemonize },
      worker.name,
    );
    this.#processes.set(handle.pid, handle);
    const address = this.#addresses[index];
    if (address && !worker.reusePort && !this.#armed[index] && this.#isStream(index)) {
      // The kernel queues clients from here on, also while no process accepts.
      handle.send({ type: 'arm', backlog: worker._backlog }, this.sockets.handleFor(handle.pid, address, true));
    }
    return handle;
  }

  // ------------------------------------------------------------------------------------------------ messages

  /** @internal */
  _message(handle: WorkerHandle, message: ToMaster): void {
    switch (message.type) {
      case 'loaded':
        if (handle.stage === 'booting') handle.stage = this.#holds(handle) ? 'starting' : 'waiting';
        break;
      case 'ready':
        handle.wasReady = true;
        if (handle.stage === 'starting') handle.stage = 'ready';
        break;
      case 'armed':
        this.#armed[handle.index] = true;
        for (const watcher of this.#listeningWatchers.splice(0)) watcher();
        break;
      case 'yielded':
        handle.stage = 'draining';
        break;
      case 'stopping':
        handle.stopsByItself = true;
        if (handle.stage !== 'draining') handle.stage = 'stopping';
        break;
      case 'bind':
        void this.#bindFor(handle, message);
        break;
      case 'acquire': {
        const address = this.#addressOf(handle, message);
        handle.send({ type: 'socket', request: message.request }, this.sockets.handleFor(handle.pid, address, this.#isKept(handle, message)));
        break;
      }
      case 'release':
        if (!this.#isKept(handle, message)) this.sockets.release(handle.pid, message.address);
        break;
      case 'figures':
      case 'connections':
        this.reports.answered(message);
        break;
    }
  }

  async #bindFor(handle: WorkerHandle, message: Extract<ToMaster, { type: 'bind' }>): Promise<void> {
    try {
      const address = this.#addressOf(handle, message);
      const port = this.#isKept(handle, message) ? address.port : await this.sockets.bindFor(handle.pid, address);
      if (handle.alive) handle.send({ type: 'bound', request: message.request, port });
      else this.sockets.releaseAll(handle.pid);
    } catch (error) {
      const { code, message: text } = error as NodeJS.ErrnoException;
      handle.send({ type: 'bound', request: message.request, port: 0, error: { code: code ?? 'UNKNOWN', message: text } });
    }
  }

  /** Names and addresses of the Workers are the master's until a restart, whatever a new script says. */
  #addressOf(handle: WorkerHandle, message: { address: BindAddress; own: boolean }): BindAddress {
    return (message.own ? this.#addresses[handle.index] : null) ?? message.address;
  }

  #isKept(handle: WorkerHandle, message: { own: boolean }): boolean {
    return message.own && this.workers[handle.index]?.reusePort === false;
  }

  // ------------------------------------------------------------------------------------------------ death

  /** @internal */
  _exited(handle: WorkerHandle, rawStatus: number): void {
    this.#processes.delete(handle.pid);
    this.sockets.releaseAll(handle.pid);
    const worker = this.workers[handle.index] as SupervisedWorker;
    const status = this.#stopping && rawStatus === STATUS_SIGINT ? 0 : rawStatus;
    if (status !== 0) writeLog(`worker[${worker.name}:${handle.pid}] exit with status ${status}`);
    callMasterHook(`worker[${worker.name}] onWorkerExit`, () => settings.onWorkerExit?.(worker, status, handle.pid));
    this.reports.countExit(handle.index, status);
    const slots = this.#slots[handle.index] as Map<number, WorkerHandle>;
    if (slots.get(handle.id) === handle) {
      slots.delete(handle.id);
      this.#replaceLater(handle, status);
    }
    if (this.#stopping) this.#finishStop();
  }

  #replaceLater(handle: WorkerHandle, status: number): void {
    if (this.#stopping || this.#reloadingHandle === handle) return;
    let wait = 0;
    if (!handle.wasReady) wait = LEAST_LIFE_MS - (performance.now() - handle.startedAt);
    else if (handle.stopsByItself || (status > 0 && status < 128)) wait = handle.stopsByItself && status === 0 ? SIGNAL_GRACE_MS : 0;
    if (status === STATUS_SIGINT) wait = Math.max(wait, SIGNAL_GRACE_MS);
    if (wait > 0) setTimeout(() => this.#fill(handle.index), wait);
    else this.#fill(handle.index);
  }

  /** True when the handle is the process of its id (and not a warm replacement or a draining one). */
  #holds(handle: WorkerHandle): boolean {
    return this.#slots[handle.index]?.get(handle.id) === handle;
  }

  // ------------------------------------------------------------------------------------------------ reload

  /** The process whose death the reload under way is waiting for, and replaces by itself. */
  #reloadingHandle: WorkerHandle | null = null;

  /** Ignored unless RUNNING. Never rejects. */
  async reload(graceful: boolean): Promise<void> {
    if (processState.status !== STATUS.RUNNING || this.#stopping) return;
    writeLog(`Workerman[${this.#script}] reloading`);
    processState.status = STATUS.RELOADING;
    processState.gracefulStop = graceful;
    resetStd();
    try {
      await settings.onMasterReload?.();
    } catch (error) {
      this.stopAll(250, error);
      return;
    }
    this.#applyCounts();
    await this.#reloadProcesses(graceful);
    this.#reloadingHandle = null;
    if (this.#stopping) return;
    processState.status = STATUS.RUNNING;
    processState.gracefulStop = false;
    for (const index of this.workers.keys()) this.#fill(index);
  }

  /** `count` may have been changed: start what is missing, stop what is too much. */
  #applyCounts(): void {
    for (const [index, worker] of this.workers.entries()) {
      for (const [id, handle] of this.#slots[index] as Map<number, WorkerHandle>) {
        if (id >= countOf(worker)) handle.stop(processState.gracefulStop, settings.stopTimeout);
      }
    }
  }

  async #reloadProcesses(graceful: boolean): Promise<void> {
    const handles = this.#slots.flatMap((slots) => [...slots.values()]).sort((a, b) => a.startedAt - b.startedAt);
    const stays = (handle: WorkerHandle): boolean => this.workers[handle.index]?.reloadable === false;
    for (const handle of handles.filter(stays)) handle.send({ type: 'reload', graceful });
    for (const handle of handles) {
      if (this.#stopping) return;
      if (stays(handle) || !this.#holds(handle) || handle.stage === 'stopping') continue;
      const ok = graceful ? await this.#replaceGracefully(handle) : await this.#replace(handle);
      if (ok || this.#stopping) continue;
      const { name } = this.workers[handle.index] as SupervisedWorker;
      writeLog(`Workerman[${this.#script}] reload aborted: worker[${name}] failed to start`);
      return;
    }
    for (const index of this.workers.keys()) this.#fill(index);
  }

  /** Plain: the replacement has read the script before the old process is told, and starts the moment that has gone. */
  async #replace(old: WorkerHandle): Promise<boolean> {
    const next = await this.#warmUp(old);
    if (next === null) return false;
    if (this.#holds(old)) {
      this.#reloadingHandle = old;
      old.stage = 'stopping';
      old.send({ type: 'reload', graceful: false });
      old.killAfter(settings.stopTimeout);
      await old.until(() => false);
    }
    this.#reloadingHandle = null;
    if (!this.#install(next) || this.#stopping) return true;
    next.send({ type: 'start' });
    return next.until(() => next.stage === 'ready' || this.#stopping);
  }

  /** Graceful: the old process gives the address up, and drains once the replacement serves. */
  async #replaceGracefully(old: WorkerHandle): Promise<boolean> {
    const next = await this.#warmUp(old);
    if (next === null) return false;
    this.#reloadingHandle = old;
    old.send({ type: 'yield' });
    await old.until(() => old.stage === 'draining');
    if (!this.#stopping) next.send({ type: 'start' });
    next.stage = 'starting';
    const ready = await next.until(() => next.stage === 'ready' || this.#stopping);
    if (this.#stopping) return true;
    this.#reloadingHandle = null;
    if (!ready) {
      // The old code goes on as if nothing had happened.
      if (old.alive) old.stage = 'ready';
      old.send({ type: 'resume' });
      return false;
    }
    this.#install(next);
    old.send({ type: 'reload', graceful: true });
    if (settings.drainTimeout > 0) old.killAfter(settings.drainTimeout);
    return true;
  }

  /** A process that has read the new script and waits; null when it died of it. */
  async #warmUp(old: WorkerHandle): Promise<WorkerHandle | null> {
    const next = this.#spawn(old.index, old.id, true);
    const loaded = await next.until(() => next.stage === 'waiting' || this.#stopping);
    if (loaded && !this.#stopping) return next;
    return null;
  }

  /** Gives a replacement its id. @returns false when somebody else has it. */
  #install(next: WorkerHandle): boolean {
    const slots = this.#slots[next.index] as Map<number, WorkerHandle>;
    const holder = slots.get(next.id);
    if (holder !== undefined && holder.stage !== 'draining') {
      // The old one died meanwhile and was replaced in the usual way: one of the two is too much.
      next.kill();
      return false;
    }
    if (next.alive) slots.set(next.id, next);
    if (next.stage === 'waiting') next.stage = 'starting';
    return true;
  }

  // ------------------------------------------------------------------------------------------------ stop

  /** Stops the service. `code` is only logged; the master exits with 0. A plain stop takes over from a graceful one. */
  stopAll(code = 0, log: unknown = ''): void {
    this.stop(false, log, code);
  }

  stop(graceful: boolean, log: unknown = '', code = 0): void {
    if (this.#stopping) {
      if (!graceful && processState.gracefulStop) this.#tellAll(false);
      return;
    }
    this.#stopping = true;
    if (log instanceof Error) writeLog(log);
    else if (log) writeLog(`Workerman[${this.#script}] ${String(log)}`);
    writeLog(`Workerman[${this.#script}] stopping${code === 0 ? '' : `, code [${code}]`}`);
    processState.status = STATUS.SHUTDOWN;
    this.sockets.close();
    for (const watcher of this.#listeningWatchers.splice(0)) watcher();
    this.#tellAll(graceful);
    for (const handle of this.#processes.values()) handle.changed();
    this.#finishStop();
  }

  #tellAll(graceful: boolean): void {
    processState.gracefulStop = graceful;
    for (const handle of this.#processes.values()) {
      // A warm replacement has nothing to lose, and may be in the middle of reading a script.
      if (handle.stage === 'waiting') handle.kill();
      else handle.stop(graceful, Math.ceil(settings.stopTimeout));
    }
  }

  #finishStop(): void {
    if (this.#processes.size > 0 || this.#stopped) return;
    this.#stopped = true;
    this.sockets.removePaths();
    this.#onStopped();
  }
}

const countOf = (worker: SupervisedWorker): number => Math.max(1, Math.trunc(worker.count) || 1);

/** Calls a hook of the user in the master. What it throws is logged and forgotten. */
export function callMasterHook(label: string, hook: () => unknown): void {
  const failed = (error: unknown): void => {
    writeLog(`${label} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  };
  try {
    const result = hook();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}
