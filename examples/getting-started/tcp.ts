// Hello over plain TCP. Start it with: npx tsx examples/getting-started/tcp.ts start
// Try it with: telnet 127.0.0.1 2347
import { Worker } from 'workerman-ts';

const worker = new Worker('tcp://0.0.0.0:2347');

worker.count = 4;

worker.onMessage = (connection, data) => {
  // Without a protocol `data` is a Buffer: whatever bytes came go back unharmed, which text would not promise.
  connection.send(Buffer.concat([Buffer.from('hello '), data]));
};

Worker.runAll();
