/** How many processes a Worker gets that asks for `count`: whole ones, and at least one. */
export function wantedProcesses(count: number): number {
  return Math.max(1, Math.trunc(count) || 1);
}
