/** Status of this process; the numbers of `Worker.STATUS_*`. */
export const STATUS = { INITIAL: 0, STARTING: 1, RUNNING: 2, SHUTDOWN: 4, RELOADING: 8 } as const;

/** `Worker.STATUS_INITIAL`, `_STARTING`, `_RUNNING`, `_SHUTDOWN` or `_RELOADING`. */
export type ProcessStatus = (typeof STATUS)[keyof typeof STATUS];

/** What `stopAll` does depends on what this process has become. */
export interface Controller {
  stopAll(code: number, log: unknown): void;
}

/** The facts about this process that more than one room needs. */
export const processState: {
  status: ProcessStatus;
  gracefulStop: boolean;
  /** The start script as it was named: its path, perhaps without its extension, or a link. */
  startFile: string;
  /** The words behind it as they were typed. A script may rewrite `process.argv`, and reads them again in each process. */
  startWords: readonly string[];
  /** The working directory in which it was started, and in which worker processes are started too, whatever the script
   * changes it to; undefined when it does not exist any more. */
  startFolder: string | undefined;
  /** Master or worker process, once it has become one. */
  controller: Controller | null;
} = {
  status: STATUS.INITIAL,
  gracefulStop: false,
  startFile: process.argv[1] ?? '',
  startWords: process.argv.slice(2),
  startFolder: workingDirectory(),
  controller: null,
};

function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
