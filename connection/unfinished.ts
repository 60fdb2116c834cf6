/**
 * What callbacks have promised, and what is still being stored: it may outlive the connection that it belongs to, and a
 * process that stops waits for it.
 */
let unfinished = 0;

/** Work begins. */
export function begin(): void {
  unfinished++;
}

/** Work that had begun is done. */
export function end(): void {
  unfinished--;
}

/** Pieces of work that have begun and are not done. */
export const unfinishedCount = (): number => unfinished;
