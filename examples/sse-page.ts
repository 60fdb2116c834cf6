// A page with a clock that the server drives. Start it with `npm start`, or: npx tsx examples/sse-page.ts start
import { Response, ServerSentEvents, TcpConnection, Timer, Worker } from 'workerman-ts';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>workerman-ts: server-sent events</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center;
         font: 1.1rem system-ui, sans-serif; background: #10151c; color: #dfe7ef; }
  #clock { font: 600 min(18vw, 8rem)/1.2 ui-monospace, monospace; color: #7fd1ff; }
  #state::before { content: '● '; color: #e0565b; }
  #state.open::before { color: #56c271; }
</style>
<h1>The server says it is</h1>
<div id="clock">--:--:--</div>
<p id="state">connecting …</p>
<script>
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  const source = new EventSource('/clock');
  source.addEventListener('tick', (event) => show('clock', event.data));
  source.onopen = () => { document.getElementById('state').className = 'open'; show('state', 'connected'); };
  source.onerror = () => { document.getElementById('state').className = ''; show('state', 'lost, trying again …'); };
</script>
</html>
`;

const worker = new Worker('http://0.0.0.0:8080');
worker.name = 'sse-page';

worker.onWorkerStart = () => {
  Worker.safeEcho('Open http://127.0.0.1:8080 in a browser.\n');
};

/** Sends the time of day now and every second, for as long as the browser listens. */
function streamClock(connection: TcpConnection): void {
  connection.send(new Response(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }));
  const tick = (): void => {
    const data = new Date().toTimeString().slice(0, 8);
    connection.send(new ServerSentEvents({ event: 'tick', data }));
  };
  tick();
  const timerId = Timer.add(1, () => {
    if (connection.getStatus() === TcpConnection.STATUS_ESTABLISHED) tick();
    else Timer.del(timerId);
  });
}

worker.onMessage = (connection, request) => {
  switch (request.path()) {
    case '/':
      connection.send(page);
      break;
    case '/clock':
      streamClock(connection);
      break;
    default:
      connection.send(new Response(404, {}, 'Not found'));
  }
};

Worker.runAll();
