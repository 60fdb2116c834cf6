/**
 * The slots through which connections reach what stands above them. A connection neither prints nor ends a process:
 * it reports, and the library that fills these slots decides what that means.
 */
export const hooks: {
  /** An exception that no `errorHandler` took. In a worker process: logged, then exit status 250. */
  fail: (error: unknown) => void;
  /** A line for the console. */
  print: (line: string) => void;
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
};
