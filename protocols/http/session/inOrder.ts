/**
 * What is being stored in this process, by session id. Two objects for one session, of two requests of one client,
 * store in the order in which they were told to; and who reads a session waits for what is being stored of it, as if
 * storing took no time.
 */
const tails = new Map<string, Promise<unknown>>();

/** Runs `job` when all earlier ones for `id` have ended, well or not. */
export function inOrder<Value>(id: string, job: () => Promise<Value>): Promise<Value> {
  const before = tails.get(id);
  const run = before === undefined ? job() : before.then(job, job);
  tails.set(id, run);
  const end = (): void => {
    if (tails.get(id) === run) tails.delete(id);
  };
  run.then(end, end);
  return run;
}

/** Waits for the jobs for `id` that have been given so far. */
export async function afterStores(id: string): Promise<void> {
  await tails.get(id)?.then(undefined, () => {});
}
