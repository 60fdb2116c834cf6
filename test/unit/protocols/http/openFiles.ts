import { readdirSync, readlinkSync } from 'node:fs';
import type { FileSource } from '../../../../protocols/http/FileSource.js';

/** Everything that a source gives, piece by piece. */
export async function drain(source: FileSource): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for (;;) {
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => { wake = resolve; });
    const piece = source.read(wake);
    if (piece === undefined) return pieces;
    if (piece === null) await woken;
    else pieces.push(piece as Buffer);
  }
}

/** Files of the folder that this process has open, by path. */
export const openFilesIn = (folder: string): string[] => readdirSync('/proc/self/fd').flatMap((fd) => {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith(`${folder}/`) ? [target] : [];
  } catch {
    return [];
  }
});

/** Closing goes through the thread pool: waits until it has come through. */
export async function closedIn(folder: string): Promise<void> {
  while (openFilesIn(folder).length > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}
