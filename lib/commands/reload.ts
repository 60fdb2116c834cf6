// Runs in the command process.
import { findStartedMaster, order, say, type Service } from './service.js';

/** `reload [-g]`: gives the order and does not wait. @returns the exit code */
export async function reload(service: Service, graceful: boolean): Promise<number> {
  const pid = await findStartedMaster(service);
  if (pid === 0) say(`Workerman[${service.script}] not run`);
  else await order(service, pid, { command: 'reload', graceful }, graceful ? 'SIGUSR2' : 'SIGUSR1');
  return 0;
}
