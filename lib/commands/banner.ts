import { startScreen } from '../screens/startScreen.js';
import { Settings } from '../Settings.js';
import { startRow } from '../startRow.js';
import { versions } from '../versions.js';

/** The start screen of this service. @param script base name of the start script */
export function banner(workers: readonly Parameters<typeof startRow>[0][], script: string, daemon: boolean): string {
  return startScreen({
    ...versions(),
    mode: daemon ? 'daemon' : Settings.command !== '' ? 'command' : 'foreground',
    stopCommand: `node ${script} stop`,
    rows: workers.map(startRow),
  });
}
