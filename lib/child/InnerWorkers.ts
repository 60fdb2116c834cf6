// Runs in a worker process.

/** A Worker that was constructed in this process. */
export interface InnerWorker {
  /** True from `listen()` to `unlisten()`. */
  readonly _listens: boolean;
  getMainSocket(): unknown;
  listen(autoAccept?: boolean): Promise<void>;
  unlisten(): void;
}

/** The Workers that were constructed in this process, whose addresses its replacement will want. */
export class InnerWorkers {
  readonly #all: () => readonly InnerWorker[];
  #yielded: { worker: InnerWorker; accepting: boolean }[] = [];

  constructor(all: () => readonly InnerWorker[]) {
    this.#all = all;
  }

  /** Gives their addresses up. */
  yield(): void {
    for (const worker of this.#all()) {
      if (!worker._listens) continue;
      this.#yielded.push({ worker, accepting: worker.getMainSocket() !== null });
      worker.unlisten();
    }
  }

  /** Takes them back, as they were. @param failed gets the error of an address that is gone */
  resume(failed: (error: unknown) => void): void {
    for (const { worker, accepting } of this.#yielded.splice(0)) worker.listen(accepting).catch(failed);
  }
}
