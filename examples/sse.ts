// Server-sent events. Start it with: npx tsx examples/sse.ts start
import { Response, ServerSentEvents, TcpConnection, Timer, Worker } from 'workerman-ts';

const worker = new Worker('http://0.0.0.0:8080');

worker.onMessage = (connection, request) => {
  if (request.header('accept') === 'text/event-stream') {
    // The head of the stream. No length: it goes on until somebody closes it.
    connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }, '\r\n'));

    const timerId = Timer.add(2, () => {
      // The browser may be gone by now. Without this the timer would run on forever.
      if (connection.getStatus() !== TcpConnection.STATUS_ESTABLISHED) {
        Timer.del(timerId);
        return;
      }
      connection.send(new ServerSentEvents({ event: 'message', data: 'hello', id: 1 }));
    });
    return;
  }
  connection.send('ok');
};

Worker.runAll();
