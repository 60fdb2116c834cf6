import { described } from './body.mjs';
import './settle.mjs';

// Another build of the package when it is compared with this one.
const { Response, ServerSentEvents, TcpConnection, Worker } = await import(process.env.DIST ?? '../../../dist/index.js');

// Its files go where the benchmark keeps its own.
Worker.pidFile = 'ours.pid';
Worker.logFile = 'ours.log';
TcpConnection.defaultMaxPackageSize = 64 << 20; // for the upload
const port = process.env.PORT;
const scheme = process.env.KIND === 'websocket' ? 'websocket' : 'http';
const worker = new Worker(`${scheme}://127.0.0.1:${port}`);
const streams = new Set();

// An event for every stream: on demand, so that the load decides when.
function publish() {
  const event = new ServerSentEvents({ event: 'message', data: 'x'.repeat(64), id: 1 });
  for (const stream of streams) stream.send(event);
}

const routes = {
  '/json': (connection, request) => connection.send(
    new Response(200, { 'Content-Type': 'application/json' }, JSON.stringify({ agent: request.header('user-agent') })),
  ),
  '/form': (connection, request) => connection.send(String(Object.keys(request.post()).length)),
  '/file': (connection) => connection.send(new Response().withFile(process.env.FILE)),
  '/upload': (connection, request) => connection.send(described(request.rawBodyBytes())),
  '/sse': (connection) => {
    connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
    streams.add(connection);
    connection.onClose = () => streams.delete(connection);
  },
  '/publish': (connection) => {
    publish();
    connection.send('published');
  },
};

worker.onMessage = scheme === 'websocket'
  ? (connection, data) => {
    if (data === 'all') worker.broadcast('x'.repeat(64));
    else connection.send(data);
  }
  : (connection, request) => {
    const route = routes[request.path()];
    if (route) route(connection, request);
    else connection.send('hello world');
  };

Worker.runAll();
