// Closes connections that have gone silent. Start it with: npx tsx examples/heartbeat.ts start
// Try it with: telnet 127.0.0.1 1234, a line now and then. (`worker.heartbeat` does this too, for every protocol.)
import { Timer, Worker } from 'workerman-ts';

/** Seconds without a message after which a client is taken for gone. */
const HEARTBEAT_TIME = Number(process.env.HEARTBEAT_TIME ?? 55);
/** Seconds from one look at all connections to the next. */
const CHECK_INTERVAL = Number(process.env.CHECK_INTERVAL ?? 10);

const worker = new Worker('text://0.0.0.0:1234');

worker.onMessage = (connection) => {
  connection.lastMessageTime = Date.now();
};

worker.onWorkerStart = () => {
  Timer.add(CHECK_INTERVAL, () => {
    const now = Date.now();
    for (const connection of worker.connections) {
      // Who has not said anything yet is counted from the first look on.
      connection.lastMessageTime ??= now;
      if (now - connection.lastMessageTime > HEARTBEAT_TIME * 1000) connection.close();
    }
  });
};

Worker.runAll();
