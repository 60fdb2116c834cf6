// Runs in the master: a worker process as the master sees it.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { sendToChild, unwrap, type ToMaster, type ToWorker } from '../control/ipc.js';
import { environmentFor, type Role } from '../control/role.js';
import { processState } from '../ProcessState.js';

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
  /** Replaced by a graceful reload; serves what it has. */
  | 'draining'
  | 'dead';

/** Whoever wants to know what becomes of a worker process. */
export interface HandleOwner {
  _message(handle: WorkerHandle, message: ToMaster): void;
  /** @param status wait status: exit code times 256, or the signal's number */
  _exited(handle: WorkerHandle, status: number): void;
}

/** Execution arguments for a child: the master's (loaders), without its inspector, whose port is taken. */
export function childExecArgv(): string[] {
  return process.execArgv.filter((argument) => !argument.startsWith('--inspect'));
}

/** Raw wait status of a process, as PHP's pcntl and Workerman's screens give it. */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) * 256 : constants.signals[signal];
}

/** One worker process. */
export class WorkerHandle {
  readonly pid: number;
  /** Number of the Worker, in order of construction. */
  readonly index: number;
  readonly id: number;
  readonly startedAt: number = performance.now();
  stage: Stage = 'booting';
  /** Whether its code has been ready once. */
  wasReady = false;
  /** A signal, or the process itself, began its end. */
  stopsByItself = false;
  readonly #child: ChildProcess;
  readonly #owner: HandleOwner;
  #killTimer: NodeJS.Timeout | null = null;
  #watchers: (() => void)[] = [];

  /** Starts the process. */
  constructor(owner: HandleOwner, role: Extract<Role, { kind: 'worker' }>, name: string) {
    this.#owner = owner;
    this.index = role.index;
    this.id = role.id;
    const args = [...childExecArgv(), processState.startFile, ...process.argv.slice(2)];
    this.#child = spawn(process.execPath, args, {
      argv0: `WorkerMan: worker process  ${name} ${role.socketName}`,
      env: environmentFor(role),
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.on('message', (raw) => this.#heard(raw));
    this.#child.on('error', () => this.#ended(waitStatus(1, null)));
    this.#child.on('exit', (code, signal) => this.#ended(waitStatus(code, signal)));
  }

  send(message: ToWorker, socket?: unknown): void {
    sendToChild(this.#child, message, socket);
  }

  get alive(): boolean {
    return this.stage !== 'dead';
  }

  /** Tells it to stop; in plain mode it is killed when it has not gone in time. */
  stop(graceful: boolean, timeoutSeconds: number): void {
    this.stage = 'stopping';
    this.send({ type: 'stop', graceful });
    if (!graceful) this.killAfter(timeoutSeconds);
  }

  killAfter(seconds: number): void {
    if (this.#killTimer !== null || !this.alive) return;
    this.#killTimer = setTimeout(() => this.kill(), seconds * 1000);
  }

  kill(): void {
    if (this.alive) this.#child.kill('SIGKILL');
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
    if (message === null || !this.alive) return;
    this.#owner._message(this, message);
    this.changed();
  }

  #ended(status: number): void {
    if (!this.alive) return;
    this.stage = 'dead';
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    this.#owner._exited(this, status);
    this.changed();
  }
}
