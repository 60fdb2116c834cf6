import { readFileSync } from 'node:fs';

/** What Linux tells about a process: `Z` or `X` as state means that it has ended. */
interface ProcessStat {
  state: string;
  /** Clock ticks from the machine's start to the start of the process. */
  start: string;
}

/** Reads `/proc/<pid>/stat`; `null` where there is none. The command's name in it may hold anything, brackets too. */
function processStat(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', start: fields[19] ?? '' };
  } catch {
    return null;
  }
}

/**
 * When a process was started, in a form that can only be compared: together with the pid it names a process even after
 * the system has given the pid to another. `'-'` where the system does not tell.
 */
export function processStart(pid: number): string {
  return processStat(pid)?.start || '-';
}

/**
 * Whether a process exists. One that has ended and only waits to be collected by its parent does not (where the
 * system tells); one that we may not signal does.
 *
 * @param pid process id; below 1 never exists, because `kill` gives such numbers another meaning
 * @param start result of {@link processStart}: a process with this pid that started at another time is not meant
 */
export function isProcessAlive(pid: number, start: string = '-'): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = processStat(pid);
  if (stat === null) return true;
  return stat.state !== 'Z' && stat.state !== 'X' && (start === '-' || stat.start === start);
}
