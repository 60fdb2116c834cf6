import { readlinkSync } from 'node:fs';

/*
 * Whoever asks a Date for its local time makes V8 load its tables of all time zones: a millisecond, and half a megabyte
 * for as long as the process lives. Every process that logs a line would do so. Servers mostly keep UTC, and there the
 * question is not needed.
 */

/** The names by which the zone database calls UTC. */
const UTC = /^(Etc\/)?(UTC|UCT|Universal|Zulu)$/;

let systemIsUtc: boolean | null = null;

/** Whether the system's zone is UTC, as far as it says so by a link to the zone database. */
function askSystem(): boolean {
  try {
    return UTC.test(readlinkSync('/etc/localtime').replace(/^.*\/zoneinfo\//, ''));
  } catch {
    return false;
  }
}

/** False when the zone is another one, or when that is not known for certain. */
function isUtc(): boolean {
  // The variable may change at any time, and Node follows it.
  const { TZ: zone } = process.env;
  return zone === undefined ? (systemIsUtc ??= askSystem()) : UTC.test(zone);
}

/** Year, month, day, hour, minute, second. */
function partsOf(date: Date): readonly number[] {
  // Not toISOString(), which loads what is to be spared.
  return isUtc()
    ? [
        date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(),
        date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(),
      ]
    : [
        date.getFullYear(), date.getMonth() + 1, date.getDate(),
        date.getHours(), date.getMinutes(), date.getSeconds(),
      ];
}

/** Local time as `YYYY-MM-DD HH:MM:SS`. */
export function localTime(date: Date): string {
  const [year = '', ...others] = partsOf(date).map((part, i) => String(part).padStart(i === 0 ? 4 : 2, '0'));
  return `${year}-${others.slice(0, 2).join('-')} ${others.slice(2).join(':')}`;
}
