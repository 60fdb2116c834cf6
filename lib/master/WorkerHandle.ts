// Runs in the master: a worker process as the master sees it.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { sendToChild, unwrap, type ToMaster, type ToWorker } from '../control/ipc.js';
import { environmentFor, execArgvForChild, type Role } from '../control/role.js';
import { processState } from '../ProcessState.js';
import { outputForChild } from '../resetStd.js';

/** Where a worker process is in its life. */
export type Stage =
  /** Node starts and reads the script. */
  | 'booting'
  /** A warm replacement that has read the script and waits. */
  | 'waiting'
  /** `onWorkerStart` is running. */
  | 'starting'
  | 'ready'
  /** It was told to stop, or stops by itself. */
  | 'stopping'
  /** It accepts nothing new and serves what it has. */
  | 'draining'
  | 'dead';

/** Whoever wants to know what becomes of a worker process. */
export interface HandleOwner {
  /** Null: nobody watches. */
  readonly watcher: Watcher | null;
  _message(handle: WorkerHandle, message: ToMaster): void;
  /** @param status wait status: exit code times 256, or the signal's number */
  _exited(handle: WorkerHandle, status: number): void;
  /** The process could not be started; {@link HandleOwner._exited} follows. */
  _failed(error: unknown): void;
}

/** Somebody who watches the code that the processes run. */
export interface Watcher {
  /** Options of node for the processes. */
  readonly execArgv: readonly string[];
  /** Added to the environment of the processes. */
  readonly environment: NodeJS.ProcessEnv;
  heard(message: Extract<ToMaster, { type: 'script' | 'failed' }>): void;
  /** A message that is none of ours. */
  heardStray(raw: unknown): void;
  close(): void;
}

/** Over the time that a process has to cut its connections, for the exit itself. */
const EXPIRY_MARGIN_MS = 1000;

/** Raw wait status of a process, as PHP's pcntl and Workerman's screens give it. */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) * 256 : constants.signals[signal];
}

/** One worker process. */
export class WorkerHandle {
  /** 0 when the process could not be started. */
  readonly pid: number;
  /** Number of the Worker, in order of construction. */
  readonly index: number;
  readonly id: number;
  /** In seconds of `process.uptime()`, which needs no module as `performance` does. */
  readonly startedAt: number = process.uptime();
  stage: Stage = 'booting';
  /** A warm replacement that was not told to start. */
  standby: boolean;
  /** Whether its code has been ready once. */
  wasReady = false;
  /** It has said that a signal reached it. */
  heardSignal = false;
  /** It has given up the addresses of its inner Workers. */
  hasYielded = false;
  /** Thrown away before it served anything: nobody needs to hear of its end. */
  discarded = false;
  readonly #child: ChildProcess | null;
  readonly #owner: HandleOwner;
  #killTimer: NodeJS.Timeout | null = null;
  #expiryTimer: NodeJS.Timeout | null = null;
  #watchers: (() => void)[] = [];

  /** Starts the process. */
  constructor(owner: HandleOwner, role: Extract<Role, { kind: 'worker' }>, name: string) {
    this.#owner = owner;
    this.index = role.index;
    this.id = role.id;
    this.standby = role.standby;
    this.#child = this.#spawn(role, name);
    this.pid = this.#child?.pid ?? 0;
  }

  #spawn(role: Extract<Role, { kind: 'worker' }>, name: string): ChildProcess | null {
    const { execArgv = [], environment = {} } = this.#owner.watcher ?? {};
    const args = [...execArgvForChild(), ...execArgv, processState.startFile, ...processState.startWords];
    try {
      const child = spawn(process.execPath, args, {
        argv0: `WorkerMan: worker process  ${name} ${role.socketName}`,
        cwd: processState.startFolder,
        env: { ...environmentFor(role), ...environment },
        stdio: ['inherit', outputForChild(), outputForChild(), 'ipc'],
      });
      child.on('message', (raw) => this.#heard(raw));
      child.on('error', (error) => this.#broken(error));
      child.on('exit', (code, signal) => this.#ended(waitStatus(code, signal)));
      return child;
    } catch (error) {
      // Later, when whoever made this object knows it.
      setImmediate(() => this.#broken(error));
      return null;
    }
  }

  send(message: ToWorker, socket?: unknown): void {
    if (this.#child !== null) sendToChild(this.#child, message, socket);
  }

  get alive(): boolean {
    return this.stage !== 'dead';
  }

  /** Lets a warm replacement go. */
  start(): void {
    this.standby = false;
    if (this.stage === 'waiting') this.stage = 'starting';
    this.send({ type: 'start' });
  }

  /** Tells it to stop; in plain mode it is killed when it has not gone in time. */
  stop(graceful: boolean, timeoutSeconds: number): void {
    if (!graceful || this.stage !== 'draining') this.stage = 'stopping';
    this.send({ type: 'stop', graceful });
    if (!graceful) this.killAfter(timeoutSeconds);
  }

  /** Its turn in a plain reload: as {@link stop}, after its `onWorkerReload`. */
  reload(timeoutSeconds: number): void {
    this.stage = 'stopping';
    this.send({ type: 'reload', graceful: false });
    this.killAfter(timeoutSeconds);
  }

  /**
   * It is replaced, or one too many, and may see its connections to their end.
   * @param order what tells it so
   * @param limitSeconds after which it has to close them, 0 = none
   * @param timeoutSeconds that it gets for that, until what is left is cut
   */
  drain(order: 'stop' | 'reload', limitSeconds: number, timeoutSeconds: number): void {
    this.stage = 'draining';
    this.send({ type: order, graceful: true });
    if (limitSeconds <= 0) return;
    this.#expiryTimer = setTimeout(() => {
      this.send({ type: 'expire', seconds: timeoutSeconds });
      // For one that hears nothing.
      this.killAfter(timeoutSeconds + EXPIRY_MARGIN_MS / 1000);
    }, limitSeconds * 1000);
  }

  /** Throws a process away that has not begun to serve. */
  discard(): void {
    this.discarded = true;
    this.#kill();
  }

  /** The earliest order counts. */
  killAfter(seconds: number): void {
    if (this.#killTimer !== null || !this.alive) return;
    this.#killTimer = setTimeout(() => this.#kill(), seconds * 1000);
  }

  #kill(): void {
    if (this.alive) this.#child?.kill('SIGKILL');
  }

  /** Resolves true when `condition` holds, false when the process has ended before. */
  async until(condition: () => boolean): Promise<boolean> {
    while (this.alive && !condition()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
    return this.alive && condition();
  }

  /** Lets those who wait in {@link until} look again. */
  changed(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  #heard(raw: unknown): void {
    const message = unwrap<ToMaster>(raw);
    if (message === null) this.#owner.watcher?.heardStray(raw);
    if (message === null || !this.alive) return;
    this.#owner._message(this, message);
    this.changed();
  }

  /** An 'error' also tells that a signal could not be delivered: only one without a process is the end. */
  #broken(error: unknown): void {
    if (this.pid !== 0 || !this.alive) return;
    this.#owner._failed(error);
    this.#ended(waitStatus(1, null));
  }

  #ended(status: number): void {
    if (!this.alive) return;
    this.stage = 'dead';
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    if (this.#expiryTimer !== null) clearTimeout(this.#expiryTimer);
    this.#owner._exited(this, status);
    this.changed();
  }
}
