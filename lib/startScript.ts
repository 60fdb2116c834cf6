import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { processState } from './ProcessState.js';

/**
 * Full path of the file that is the start script, which is what a service is known by: whether it was started as
 * `node start.js`, `node start`, `node .` or by a symbolic link, it is one service, as with PHP. Processes are started
 * by the words of the command line all the same, so that a link may lead them to another release.
 */
export function startScript(): string {
  const named = resolve(processState.startFile);
  try {
    return process.getBuiltinModule('node:module').createRequire(named).resolve(named);
  } catch {
    // Not by Node's rules for programs.
  }
  try {
    return realpathSync(named);
  } catch {
    return named;
  }
}
