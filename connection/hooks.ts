import type { EventInterface } from '../timer/EventInterface.js';

/**
 * The slots through which connections reach what stands above them. A connection neither prints nor ends a process:
 * it reports, and the library that fills these slots decides what that means.
 */
export const hooks: {
  /** An exception that no `errorHandler` took. In a worker process: logged, then exit status 250. */
  fail: (error: unknown) => void;
  /** A line for the console. */
  print: (line: string) => void;
  /** The loop of this process, for connections that are opened from here. */
  loop: EventInterface | null;
} = {
  fail(error) {
    // Outside a worker process nobody has taken responsibility: let Node treat it like any uncaught exception.
    queueMicrotask(() => {
      throw error;
    });
  },
  print(line) {
    process.stdout.write(`${line}\n`);
  },
  loop: null,
};
