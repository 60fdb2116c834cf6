import { chownSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** What a program prints. Throws when it is not there or fails. */
function outputOf(program: string, ...args: string[]): string {
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
}

/** Numeric id of a user, or of a user's primary group; null when there is none of that name. `id` also asks what is
 * not in the files. */
function idOf(option: '-u' | '-g', user: string): number | null {
  try {
    return Number(outputOf('id', option, '--', user).trim());
  } catch {
    return null;
  }
}

function groupId(group: string): number | null {
  try {
    return Number(outputOf('getent', 'group', group).split(':')[2]);
  } catch {
    return null;
  }
}

/** Name of the user this process runs as; the number when it has no name. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

/**
 * Switches this process to a user and group: group, the user's further groups, user, in this order. Problems are
 * reported in Workerman's words and the process goes on as it is.
 *
 * @param group `''` = the user's primary group
 */
export function switchUserAndGroup(user: string, group: string, warn: (line: string) => void): void {
  const uid = idOf('-u', user);
  if (uid === null) return warn(`Warning: User ${user} not exists`);
  const gid = group === '' ? idOf('-g', user) : groupId(group);
  if (gid === null) return warn(`Warning: Group ${group} not exists`);
  if (uid === process.getuid?.() && gid === process.getgid?.()) return;
  try {
    process.setgid?.(gid);
    (process as { initgroups?: (user: string, group: number) => void }).initgroups?.(user, gid);
    process.setuid?.(uid);
  } catch {
    warn('Warning: change gid or uid fail.');
  }
}

/** Gives a file to a user and a group, where they are named, exist, and this process may. */
export function giveFile(path: string, user: string, group: string): void {
  const uid = user === '' || user === currentUser() ? null : idOf('-u', user);
  const gid = group === '' ? null : groupId(group);
  if (uid === null && gid === null) return;
  try {
    chownSync(path, uid ?? -1, gid ?? -1);
  } catch {
    // Only root gives files away.
  }
}

const FIRST_FREE_PORT = 1024;

/** Whether a process of that user may bind a port below 1024: root binds for others, but gives them no more than is
 * theirs. */
export function mayBindPort(user: string, port: number): boolean {
  if (process.getuid?.() !== 0 || port === 0 || port >= firstFreePort()) return true;
  // A process whose user does not exist goes on as root.
  return user === '' || user === currentUser() || (idOf('-u', user) ?? 0) === 0;
}

function firstFreePort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
  } catch {
    return FIRST_FREE_PORT;
  }
}
