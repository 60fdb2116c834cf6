// Runs in the master: keeps as many worker processes alive as each Worker wants, and carries out orders.
import { constants } from 'node:os';
import type { BindAddress } from '../bindSocket.js';
import type { ToMaster } from '../control/ipc.js';
import { blame } from '../failure.js';
import { formatMessage } from '../logText.js';
import { writeLog } from '../output.js';
import { processState, STATUS, type Controller } from '../ProcessState.js';
import { resetStd } from '../resetStd.js';
import { Settings } from '../Settings.js';
import { wantedProcesses } from '../wantedProcesses.js';
import { callHook } from './callHook.js';
import { Reload, type ReloadHost } from './Reload.js';
import { Reports } from './Reports.js';
import { SocketStore } from './SocketStore.js';
import type { SupervisedWorker } from './SupervisedWorker.js';
import { WorkerHandle, type HandleOwner, type Watcher } from './WorkerHandle.js';

/** A process that dies before it was ready is replaced no sooner than this after its start: no hot crash loop. */
const LEAST_LIFE_MS = 1000;
/** A process that heard a signal may have heard it together with the master, which has not got round to it yet. */
const SIGNAL_GRACE_MS = 150;

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals;
/** Wait statuses of a process that a terminal's or an operator's signal has ended before it could handle it. */
const ENDED_BY_ORDER: readonly number[] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/** What became of an order to reload: `ignored` where another reload, the start or a stop is under way. */
export type ReloadOutcome = 'done' | 'aborted' | 'ignored';

export class Supervisor implements Controller, HandleOwner, ReloadHost {
  readonly workers: readonly SupervisedWorker[];
  readonly sockets: SocketStore = new SocketStore();
  readonly reports: Reports;
  /** Set before {@link start} where the code is watched. */
  watcher: Watcher | null = null;
  readonly #script: string;
  readonly #onStopped: () => void;
  /** Per Worker: id → the process that has it. */
  readonly #slots: Map<number, WorkerHandle>[];
  /** Everything alive, in start order: slots, warm replacements, draining processes. */
  readonly #processes = new Set<WorkerHandle>();
  readonly #addresses: (BindAddress | null)[];
  /** The replacement that a reload has in hand: its id is filled by nobody else. */
  #reserved: WorkerHandle | null = null;
  /** The reload under way was ended by {@link abandonReplacement}. */
  #abandoned = false;
  #stopping = false;
  #stopped = false;

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
    this.reports = new Reports(workers, script, this.#processes);
  }

  // ------------------------------------------------------------------------------------------------ start

  /** Understands every Worker's name and binds its socket. Rejects with the first error. */
  async bind(): Promise<void> {
    for (const [index, worker] of this.workers.entries()) {
      if (!worker._hasSocket) continue;
      try {
        await this.#bindOne(index, worker);
      } catch (error) {
        // The stack of ours says nothing; the line that names the address does.
        throw blame(error, worker._origin);
      }
    }
  }

  async #bindOne(index: number, worker: SupervisedWorker): Promise<void> {
    const address = worker._resolve();
    this.#addresses[index] = address;
    if (this.#isKept(index)) await this.sockets.keep(address, worker._backlog, worker);
    else await this.#tryOut(address);
  }

  /** A socket that the processes bind themselves: only see whether that would work. */
  async #tryOut(address: BindAddress): Promise<void> {
    const trial = new SocketStore();
    await trial.bindFor(0, { ...address, reusePort: false }, '');
    trial.close();
    trial.removePaths();
  }

  /** Starts the processes of all Workers. */
  start(): void {
    for (const index of this.workers.keys()) this.#fill(index);
  }

  /** Starts what is missing to a Worker's count; new processes take the lowest free ids. */
  #fill(index: number): void {
    if (this.#stopping) return;
    const slots = this.#slots[index] as Map<number, WorkerHandle>;
    const count = wantedProcesses((this.workers[index] as SupervisedWorker).count);
    for (let id = 0; id < count; id++) {
      if (!slots.has(id) && !this.#isReserved(index, id)) slots.set(id, this.#spawn(index, id, false));
    }
  }

  #spawn(index: number, id: number, standby: boolean): WorkerHandle {
    const worker = this.workers[index] as SupervisedWorker;
    const { daemonize } = Settings;
    const socketName = worker.getSocketName();
    const watched = this.watcher === null ? {} : { watched: true };
    const role = { kind: 'worker', index, id, socketName, standby, daemonize, ...watched } as const;
    const handle = new WorkerHandle(this, role, worker.name);
    this.#processes.add(handle);
    return handle;
  }

  // ------------------------------------------------------------------------------------------------ messages

  /** @internal */
  _message(handle: WorkerHandle, message: ToMaster): void {
    switch (message.type) {
      case 'loaded':
        if (handle.stage === 'booting') handle.stage = handle.standby ? 'waiting' : 'starting';
        break;
      case 'ready':
        handle.wasReady = true;
        if (handle.stage === 'starting') handle.stage = 'ready';
        break;
      case 'yielded':
        handle.hasYielded = true;
        break;
      case 'stopping':
        handle.heardSignal = message.signal;
        if (handle.stage !== 'draining') handle.stage = 'stopping';
        break;
      case 'bind':
        void this.#bindFor(handle, message);
        break;
      case 'acquire': {
        // The service stops: whoever wanted to accept is about to hear of that, and waits for it.
        if (this.sockets.closed) break;
        const address = this.#addressOf(handle, message);
        const socket = this.sockets.handleFor(handle.pid, address, message.own && this.#isKept(handle.index));
        handle.send({ type: 'socket', request: message.request }, socket);
        break;
      }
      case 'release':
        if (!message.own || !this.#isKept(handle.index)) {
          this.sockets.release(handle.pid, this.#addressOf(handle, message));
        }
        break;
      case 'script':
      case 'failed':
        this.watcher?.heard(message);
        break;
      case 'figures':
      case 'connections':
        this.reports.answered(message);
        break;
    }
  }

  async #bindFor(handle: WorkerHandle, message: Extract<ToMaster, { type: 'bind' }>): Promise<void> {
    const { request } = message;
    try {
      const address = this.#addressOf(handle, message);
      const worker = this.workers[handle.index] as SupervisedWorker;
      const kept = message.own && this.#isKept(handle.index);
      const port = kept ? address.port : await this.sockets.bindFor(handle.pid, address, worker.user);
      if (handle.alive) handle.send({ type: 'bound', request, port });
      else this.sockets.releaseAll(handle.pid);
    } catch (error) {
      const { code, message: text } = error as NodeJS.ErrnoException;
      handle.send({ type: 'bound', request, port: 0, error: { code: code ?? 'UNKNOWN', message: text } });
    }
  }

  /** Names and addresses of the Workers are the master's until a restart, whatever a new script says. */
  #addressOf(handle: WorkerHandle, message: { address: BindAddress; own: boolean }): BindAddress {
    return (message.own ? this.#addresses[handle.index] : null) ?? message.address;
  }

  /** Whether the master holds a Worker's socket; else each process binds its own. The path of a unix socket is one. */
  #isKept(index: number): boolean {
    return this.#addresses[index]?.kind === 'unix' || this.workers[index]?.reusePort === false;
  }

  // ------------------------------------------------------------------------------------------------ death

  /** @internal */
  _failed(error: unknown): void {
    writeLog(error);
  }

  /** @internal */
  _exited(handle: WorkerHandle, rawStatus: number): void {
    this.#processes.delete(handle);
    this.sockets.releaseAll(handle.pid);
    if (!handle.discarded) this.#report(handle, this.#stopping && rawStatus === SIGINT ? 0 : rawStatus);
    const slots = this.#slots[handle.index] as Map<number, WorkerHandle>;
    if (slots.get(handle.id) === handle) {
      slots.delete(handle.id);
      this.#replaceLater(handle, rawStatus);
    }
    if (this.#stopping) this.#finishStop();
  }

  #report(handle: WorkerHandle, status: number): void {
    const worker = this.workers[handle.index] as SupervisedWorker;
    if (status !== 0) writeLog(`worker[${worker.name}:${handle.pid}] exit with status ${status}`);
    callHook(`worker[${worker.name}] onWorkerExit`, () => Settings.onWorkerExit?.(worker, status, handle.pid));
    this.reports.countExit(handle.index, status);
  }

  #replaceLater(handle: WorkerHandle, status: number): void {
    if (this.#stopping) return;
    let wait = handle.wasReady ? 0 : LEAST_LIFE_MS - (process.uptime() - handle.startedAt) * 1000;
    if (handle.heardSignal || ENDED_BY_ORDER.includes(status)) wait = Math.max(wait, SIGNAL_GRACE_MS);
    if (wait > 0) setTimeout(() => this.#fill(handle.index), wait);
    else this.#fill(handle.index);
  }

  // ------------------------------------------------------------------------------------------------ reload

  /** Ignored unless RUNNING. Never rejects. */
  async reload(graceful: boolean): Promise<ReloadOutcome> {
    if (processState.status !== STATUS.RUNNING || this.#stopping) return 'ignored';
    writeLog(`Workerman[${this.#script}] reloading`);
    processState.status = STATUS.RELOADING;
    processState.gracefulStop = graceful;
    resetStd();
    try {
      await Settings.onMasterReload?.();
    } catch (error) {
      this.stopAll(250, error);
    }
    const complete = !this.#stopping && (await this.#reloadProcesses(graceful));
    if (this.#stopping) return 'aborted';
    processState.status = STATUS.RUNNING;
    processState.gracefulStop = false;
    for (const index of this.workers.keys()) this.#fill(index);
    return complete ? 'done' : 'aborted';
  }

  /** @returns false when one did not start */
  async #reloadProcesses(graceful: boolean): Promise<boolean> {
    this.#abandoned = false;
    this.#stopSurplus(graceful);
    const handles = this.#slots.flatMap((slots) => [...slots.values()]).sort((a, b) => a.startedAt - b.startedAt);
    const stays = (handle: WorkerHandle): boolean => this.workers[handle.index]?.reloadable === false;
    for (const handle of handles.filter(stays)) handle.send({ type: 'reload', graceful });
    const failed = await new Reload(this, graceful).run(handles.filter((handle) => !stays(handle)));
    if (failed === null) return true;
    if (this.#abandoned) return false;
    const { name } = this.workers[failed.index] as SupervisedWorker;
    writeLog(`Workerman[${this.#script}] reload aborted: worker[${name}] failed to start`);
    return false;
  }

  /** Ends a reload whose next process is not ready yet. */
  abandonReplacement(): void {
    if (this.#reserved === null || this.#reserved.stage === 'ready') return;
    this.#abandoned = true;
    this.#reserved.discard();
  }

  /** `count` may have become smaller. */
  #stopSurplus(graceful: boolean): void {
    for (const [index, worker] of this.workers.entries()) {
      const slots = this.#slots[index] as Map<number, WorkerHandle>;
      for (const [id, handle] of slots) {
        if (id < wantedProcesses(worker.count)) continue;
        slots.delete(id);
        if (graceful) handle.drain('stop', Settings.drainTimeout, Settings.stopTimeout);
        else handle.stop(false, Settings.stopTimeout);
      }
    }
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  holds(handle: WorkerHandle): boolean {
    return this.#slots[handle.index]?.get(handle.id) === handle;
  }

  reserve(old: WorkerHandle): WorkerHandle {
    this.#reserved = this.#spawn(old.index, old.id, true);
    return this.#reserved;
  }

  install(next: WorkerHandle): void {
    if (next.alive) this.#slots[next.index]?.set(next.id, next);
  }

  unreserve(): void {
    this.#reserved = null;
  }

  #isReserved(index: number, id: number): boolean {
    return this.#reserved?.index === index && this.#reserved.id === id;
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
    this.watcher?.close();
    if (log) writeLog(`Workerman[${this.#script}] ${formatMessage(log)}`);
    writeLog(`Workerman[${this.#script}] stopping${code === 0 ? '' : `, code [${code}]`}`);
    processState.status = STATUS.SHUTDOWN;
    this.sockets.close();
    this.#tellAll(graceful);
    this.#finishStop();
  }

  #tellAll(graceful: boolean): void {
    processState.gracefulStop = graceful;
    for (const handle of this.#processes) {
      if (handle.standby) handle.discard();
      else handle.stop(graceful, Math.ceil(Settings.stopTimeout));
      handle.changed();
    }
  }

  #finishStop(): void {
    if (this.#processes.size > 0 || this.#stopped) return;
    this.#stopped = true;
    this.sockets.removePaths();
    this.#onStopped();
  }
}
