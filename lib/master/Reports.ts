// Runs in the master: gathers what `status` and `connections` show.
import { loadavg } from 'node:os';
import type { ProcessFigures, ToMaster } from '../control/ipc.js';
import type {
  ConnectionReport, ConnectionsReport, ExitCount, ProcessReport, StatusReport,
} from '../control/messages.js';
import { Settings } from '../Settings.js';
import { eventLoopName } from '../startRow.js';
import { versions } from '../versions.js';
import type { SupervisedWorker } from './SupervisedWorker.js';
import type { WorkerHandle } from './WorkerHandle.js';

const STATUS_WAIT_MS = 1000;
const CONNECTIONS_WAIT_MS = 500;

export class Reports {
  readonly #workers: readonly SupervisedWorker[];
  readonly #script: string;
  readonly #processes: Iterable<WorkerHandle>;
  readonly #exits: ExitCount[][];
  readonly #startTime = Date.now();
  readonly #waiting = new Map<number, (message: ToMaster) => void>();
  #lastRequest = 0;

  /** @param processes everything alive, a view that changes by itself */
  constructor(workers: readonly SupervisedWorker[], script: string, processes: Iterable<WorkerHandle>) {
    this.#workers = workers;
    this.#script = script;
    this.#processes = processes;
    this.#exits = workers.map(() => []);
  }

  /** A process of a Worker has ended. */
  countExit(index: number, status: number): void {
    const counts = this.#exits[index] as ExitCount[];
    const known = counts.find((exit) => exit.status === status);
    if (known) known.count++;
    else counts.push({ status, count: 1 });
  }

  /** A process has answered. */
  answered(message: Extract<ToMaster, { request: number }>): void {
    this.#waiting.get(message.request)?.(message);
    this.#waiting.delete(message.request);
  }

  /** Asks every process; those that give no answer within a second are busy. */
  async status(): Promise<StatusReport> {
    const asked = this.#asked();
    const answers = await Promise.all(asked.map((handle) => this.#ask(handle, 'figures', STATUS_WAIT_MS)));
    const processes = asked.map((handle, i): ProcessReport => {
      const answer = answers[i];
      return this.#processReport(handle, answer?.type === 'figures' ? answer.figures : null);
    });
    return {
      script: this.#script,
      mode: Settings.daemonize ? 'DAEMON' : 'DEBUG',
      ...versions(),
      startTime: this.#startTime,
      now: Date.now(),
      loadavg: loadavg(),
      workers: this.#workers.map((worker, index) => ({
        name: worker.name,
        eventLoop: eventLoopName(worker),
        socketName: worker.getSocketName(),
        exits: this.#exits[index] as ExitCount[],
      })),
      processes,
    };
  }

  /** Asks every process; those that give no answer within half a second have no rows. */
  async connections(): Promise<ConnectionsReport> {
    const answers = await Promise.all(
      this.#asked().map((handle) => this.#ask(handle, 'connections', CONNECTIONS_WAIT_MS)),
    );
    const connections = answers.flatMap((answer): ConnectionReport[] =>
      answer?.type === 'connections' ? answer.connections : [],
    );
    return { script: this.#script, connections };
  }

  /** Warm replacements do not serve yet and are nobody's business. */
  #asked(): WorkerHandle[] {
    return [...this.#processes].filter((handle) => !handle.standby && handle.pid > 0);
  }

  #processReport(handle: WorkerHandle, figures: ProcessFigures | null): ProcessReport {
    const worker = this.#workers[handle.index] as SupervisedWorker;
    const nothing = { memory: null, connections: null, sendFail: null, timers: null, totalRequest: null };
    return {
      pid: handle.pid,
      name: worker.name,
      listening: worker.getSocketName(),
      ...(figures ?? nothing),
      // Whoever takes one sample after the other knows the difference; there may be several who do.
      qps: figures === null ? null : 0,
      state: figures === null ? 'busy' : handle.stage === 'draining' ? 'draining' : 'idle',
    };
  }

  #ask(handle: WorkerHandle, what: 'figures' | 'connections', waitMs: number): Promise<ToMaster | null> {
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      const finish = (message: ToMaster | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(request);
        resolve(message);
      };
      const timer = setTimeout(() => finish(null), waitMs);
      this.#waiting.set(request, finish);
      handle.send({ type: what, request });
    });
  }
}
