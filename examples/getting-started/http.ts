// Hello over HTTP. Start it with: npx tsx examples/getting-started/http.ts start
// Try it with: curl http://127.0.0.1:2345/
import { Worker } from 'workerman-ts';

const worker = new Worker('http://0.0.0.0:2345');

// Four processes answer.
worker.count = 4;

worker.onMessage = (connection) => {
  connection.send('hello world');
};

Worker.runAll();
