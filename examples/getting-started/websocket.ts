// Hello over WebSocket. Start it with: npx tsx examples/getting-started/websocket.ts start
// Try it in the console of a browser:
//   ws = new WebSocket('ws://127.0.0.1:2000'); ws.onmessage = (e) => alert(e.data); ws.onopen = () => ws.send('tom');
import { Worker } from 'workerman-ts';

const worker = new Worker('websocket://0.0.0.0:2000');

worker.count = 4;

worker.onMessage = (connection, data) => {
  connection.send(`hello ${data}`);
};

Worker.runAll();
