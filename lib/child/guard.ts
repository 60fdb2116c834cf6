// Runs in a worker process.

/**
 * What no callback's guard has caught ends the process with 250, like an exception that Workerman does not catch,
 * unless the script itself listens to the event.
 */
export function guardProcess(fail: (error: unknown) => void): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      if (process.listenerCount(event) === 1) fail(error);
    });
  }
}
