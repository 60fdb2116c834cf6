// Runs in the command process.
import { safeEcho, writeLog } from '../output.js';
import { Settings } from '../Settings.js';
import { usage } from '../screens/usage.js';
import type { startRow } from '../startRow.js';
import { parseCommand, type ParsedCommand } from './parseCommand.js';
import { describeService, say, type Service } from './service.js';
import type { StartMaster } from './start.js';

/** What the commands need of a Worker: its line in the banner. */
export type CommandWorker = Parameters<typeof startRow>[0];

/**
 * Carries out what the command line asks for.
 *
 * @returns the exit code, or null when this process goes on as the master
 */
export async function runCommand(workers: readonly CommandWorker[], startMaster: StartMaster): Promise<number | null> {
  const parsed = parseCommand(process.argv.slice(2), Settings.command);
  if (parsed.command === 'usage') {
    safeEcho(usage());
    return parsed.unknown ? 1 : 0;
  }
  if (parsed.daemon && (parsed.command === 'start' || parsed.command === 'restart')) Settings.daemonize = true;
  const service = describeService();
  announceCommand(parsed, service);
  return carryOut(parsed, service, workers, startMaster);
}

/** Each command loads what it needs. */
async function carryOut(
  { command, graceful, daemon, quiet, json, watch }: ParsedCommand, service: Service, workers: readonly CommandWorker[],
  startMaster: StartMaster,
): Promise<number | null> {
  switch (command) {
    case 'start':
    case 'restart': {
      const { start } = await import('./start.js');
      return start(service, { restart: command === 'restart', graceful, quiet, watch }, workers, startMaster);
    }
    case 'stop':
      return (await import('./stop.js')).stop(service, graceful);
    case 'reload':
      return (await import('./reload.js')).reload(service, graceful);
    case 'status':
      return (await import('./status.js')).status(service, daemon, json);
    case 'connections':
      return (await import('./status.js')).connections(service, json);
    case 'usage':
      return 0;
  }
}

/** The first line of every command; where a program reads the output, in the log file only. */
function announceCommand({ command, json }: ParsedCommand, { script }: Service): void {
  const mode = command === 'start' ? ` in ${Settings.daemonize ? 'DAEMON' : 'DEBUG'} mode` : '';
  const line = `Workerman[${script}] ${command}${mode}`;
  if (json) writeLog(line, false, false);
  else say(line);
}
