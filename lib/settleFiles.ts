import { basename, dirname, join, resolve } from 'node:path';
import { currentLog } from './output.js';
import { Settings } from './Settings.js';
import { startScript } from './startScript.js';

/**
 * Fills in the files that the script has not named. Relative paths are settled now, so that a callback that changes the
 * working directory does not move them.
 *
 * @returns base name of the start script
 */
export function settleFiles(): string {
  const start = startScript();
  const script = basename(start);
  const folder = dirname(start);
  if (Settings.pidFile === '') Settings.pidFile = join(folder, `workerman.${script}.pid`);
  if (Settings.statusFile === '') Settings.statusFile = join(folder, `workerman.${script}.status`);
  if (Settings.logFile === '') Settings.logFile = join(folder, 'workerman.log');
  Settings.stdoutFile = resolve(Settings.stdoutFile);
  currentLog();
  return script;
}
