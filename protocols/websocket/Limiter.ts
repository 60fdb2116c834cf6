import { Fifo } from './Fifo.js';

/** Work that calls `done` when it has ended. */
export type Job = (done: () => void) => void;

/** Runs at most so many jobs at a time, in the order in which they came. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: Fifo<Job> = new Fifo();
  #running = 0;
  /** A job that ends at once must not start the next one inside of itself, thousands deep. */
  #starting = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  run(job: Job): void {
    this.#waiting.push(job);
    this.#next();
  }

  #next(): void {
    if (this.#starting) return;
    this.#starting = true;
    try {
      while (this.#running < this.#limit) {
        const job = this.#waiting.shift();
        if (job === undefined) break;
        this.#running++;
        job(this.#end());
      }
    } finally {
      this.#starting = false;
    }
  }

  /** What a job calls when it has ended; a second call does nothing. */
  #end(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#running--;
      this.#next();
    };
  }
}
