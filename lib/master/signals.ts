// Runs in the master.
import type { Supervisor } from './Supervisor.js';

/** What each signal does in the master; docs/signals.md explains the table. */
const ACTIONS: Partial<Record<NodeJS.Signals, (supervisor: Supervisor, name: string) => void>> = {
  SIGINT: (supervisor, name) => supervisor.stop(false, `received signal ${name}`),
  SIGTERM: (supervisor, name) => supervisor.stop(false, `received signal ${name}`),
  SIGHUP: (supervisor, name) => supervisor.stop(false, `received signal ${name}`),
  SIGTSTP: (supervisor, name) => supervisor.stop(false, `received signal ${name}`),
  SIGQUIT: (supervisor, name) => supervisor.stop(true, `received signal ${name}`),
  SIGUSR1: (supervisor) => void supervisor.reload(false),
  SIGUSR2: (supervisor) => void supervisor.reload(true),
  SIGPIPE: () => {},
  SIGIOT: () => {},
  SIGIO: () => {},
};

/** Takes the place of listeners that the script has added above `runAll()`, as in Workerman: the order comes first. */
export function handleSignals(supervisor: Supervisor): void {
  for (const [name, action] of Object.entries(ACTIONS)) {
    const others = process.listeners(name as NodeJS.Signals);
    // Add before removing: a moment without a listener could let the signal end the process.
    process.on(name, () => action(supervisor, name));
    for (const other of others) process.off(name, other);
  }
}
