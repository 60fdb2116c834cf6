/** The start scripts that `workerman init` can write. */

/** What a template is. */
export interface Template {
  /** One line for the list in the help. */
  about: string;
  /** What to do when it runs, one line. */
  look: string;
  /** Text of `start.ts`. @param name of the project, for `worker.name` */
  script: (name: string) => string;
}

const http = (name: string): string => `import { Response, Worker } from 'workerman-ts';

const worker = new Worker('http://0.0.0.0:8080');
worker.name = '${name}';
worker.count = 2; // processes

worker.onMessage = (connection, request) => {
  switch (request.path()) {
    case '/':
      connection.send('hello world\\n');
      break;
    case '/search':
      connection.send(new Response(200, { 'Content-Type': 'application/json' }, JSON.stringify(request.get())));
      break;
    default:
      connection.send(new Response(404, {}, 'not found\\n'));
  }
};

Worker.runAll();
`;

const websocket = (name: string): string => `import { Worker } from 'workerman-ts';

// One process: those who talk to each other have to be connected to the same one.
const worker = new Worker('websocket://0.0.0.0:8080');
worker.name = '${name}';

worker.onWebSocketConnected = (connection) => {
  connection.send(\`welcome, you are number \${connection.id}\`);
};

worker.onMessage = (connection, data) => {
  connection.send(\`you said \${data}\`);
  worker.broadcast(\`\${connection.id} said \${data}\`, connection);
};

worker.onClose = (connection) => {
  worker.broadcast(\`\${connection.id} has left\`, connection);
};

Worker.runAll();
`;

const sse = (name: string): string => `\
import { Response, ServerSentEvents, TcpConnection, Timer, Worker } from 'workerman-ts';

const page = \`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${name}</title>
<link rel="icon" href="data:,">
<h1>The server says it is <output id="clock">--:--:--</output></h1>
<script>
  new EventSource('/clock').addEventListener('tick', (event) => {
    document.getElementById('clock').textContent = event.data;
  });
</script>
</html>
\`;

const worker = new Worker('http://0.0.0.0:8080');
worker.name = '${name}';

/** Sends the time of day now and every second, for as long as the browser listens. */
function streamClock(connection: TcpConnection): void {
  connection.send(new Response(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }));
  const tick = (): void => {
    const data = new Date().toTimeString().slice(0, 8);
    connection.send(new ServerSentEvents({ event: 'tick', data, retry: 500 }));
  };
  tick();
  const timer = Timer.add(1, () => {
    if (connection.getStatus() === TcpConnection.STATUS_ESTABLISHED) tick();
    else Timer.del(timer);
  });
}

worker.onMessage = (connection, request) => {
  if (request.path() === '/clock') streamClock(connection);
  else if (request.path() === '/') connection.send(page);
  else connection.send(new Response(404, {}, 'not found\\n'));
};

Worker.runAll();
`;

const tcp = (name: string): string => `import { Worker } from 'workerman-ts';

const worker = new Worker('tcp://0.0.0.0:8080');
worker.name = '${name}';

worker.onConnect = (connection) => {
  connection.send(\`hello \${connection.getRemoteIp()}\\n\`);
};

worker.onMessage = (connection, data) => {
  connection.send(\`you said \${data.toString().trim()}\\n\`);
};

Worker.runAll();
`;

/** By name, the default first. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  http: { about: 'a web server', look: 'open http://127.0.0.1:8080', script: http },
  websocket: {
    about: 'a chat over WebSocket',
    look: "in the console of a browser: ws = new WebSocket('ws://127.0.0.1:8080'); ws.onmessage = console.log",
    script: websocket,
  },
  sse: { about: 'a page that the server keeps up to date', look: 'open http://127.0.0.1:8080', script: sse },
  tcp: { about: 'raw TCP', look: 'in another terminal: nc 127.0.0.1 8080', script: tcp },
};
