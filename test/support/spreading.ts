import { connect, type Socket } from 'node:net';
import { freePort } from './process.js';
import { logged, startService, until } from './service.js';

/** Opens a connection and reads the worker id that it is greeted with. */
function open(port: number, sockets: Socket[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.once('data', (data: Buffer) => resolve(Number(data.toString())));
    socket.once('error', reject);
  });
}

/**
 * Opens connections to a service and looks at which process has how many.
 *
 * @param atOnce connections that are opened at the same moment, and answered before the next are
 */
export async function spreading(
  processes: number,
  connections: number,
  { reusePort = false, atOnce = 20 }: { reusePort?: boolean; atOnce?: number } = {},
): Promise<number[]> {
  const port = await freePort();
  const script = startService(`
    const worker = new Worker('tcp://127.0.0.1:${port}');
    worker.count = ${processes};
    worker.reusePort = ${reusePort};
    worker.onWorkerStart = () => Worker.log('up');
    worker.onConnect = (connection) => connection.send(String(worker.id));`);
  await until(script, () => logged(script).filter((line) => line === 'up').length === processes);
  // All of them accept when they answer: the line comes a moment before.
  await script.run(['status']);
  const held = Array.from({ length: processes }, () => 0);
  const sockets: Socket[] = [];
  for (let left = connections; left > 0; left -= atOnce) {
    const group = await Promise.all(Array.from({ length: Math.min(atOnce, left) }, () => open(port, sockets)));
    for (const id of group) held[id]!++;
  }
  for (const socket of sockets) socket.destroy();
  await script.stop();
  return held;
}
