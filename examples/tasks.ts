// Slow work in processes of its own, so that nobody waits for it who did not ask for it.
// Start it with: npx tsx examples/tasks.ts start
// Then: curl 'http://127.0.0.1:8080/primes?below=3000000' and meanwhile: curl http://127.0.0.1:8080/
import { AsyncTcpConnection, Response, Worker } from 'workerman-ts';

// ---- the pool: one task per line, one line back. It listens on this machine only.

const pool = new Worker('text://127.0.0.1:8081');
pool.name = 'task-pool';
pool.count = 4;

// Whoever is at work takes no further task: the next one goes to a process that is free, or waits for one.
pool.onConnect = () => pool.pauseAccept();
pool.onClose = () => pool.resumeAccept();

pool.onMessage = (connection, line) => {
  const { below } = JSON.parse(line);
  connection.send(JSON.stringify({ below, primes: countPrimes(below), process: process.pid }));
};

/** Takes its time, and the whole process with it: from a million on one sees it. */
function countPrimes(below: number): number {
  let primes = 0;
  for (let n = 2; n < below; n++) if (isPrime(n)) primes++;
  return primes;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

// ---- the front: hands the work on and is free for others until the answer comes

const front = new Worker('http://0.0.0.0:8080');
front.name = 'task-front';

front.onMessage = async (connection, request) => {
  if (request.path() !== '/primes') {
    connection.send('The front has time for you.\n');
    return;
  }
  const below = Number(request.get('below', '1000'));
  if (!Number.isInteger(below) || below < 0 || below > 10_000_000) {
    connection.send(new Response(400, {}, 'below is a number from 0 to 10000000\n'));
    return;
  }
  try {
    const result = await runTask({ below });
    connection.send(new Response(200, { 'Content-Type': 'application/json' }, `${result}\n`));
  } catch (error) {
    connection.send(new Response(503, {}, `${(error as Error).message}\n`));
  }
};

/** What the pool has answered. Rejects when the process at work has died, or when nobody listens. */
function runTask(task: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = new AsyncTcpConnection('text://127.0.0.1:8081');
    connection.onMessage = (_connection, result) => {
      resolve(result);
      connection.close();
    };
    // After a result this changes nothing any more.
    connection.onClose = () => reject(new Error('The task was not finished.'));
    connection.send(JSON.stringify(task));
    connection.connect();
  });
}

Worker.runAll();
