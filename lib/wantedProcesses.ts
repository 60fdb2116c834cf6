/** How many processes a Worker gets that asks for `count`: whole ones, and at least one. One for what is no number. */
export function wantedProcesses(count: number): number {
  return Number.isFinite(Number(count)) ? Math.max(1, Math.trunc(count)) : 1;
}
