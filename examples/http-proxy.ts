// A forward proxy: plain HTTP, and by CONNECT everything else. Start it with: npx tsx examples/http-proxy.ts start
// Then: curl -x http://127.0.0.1:8080 https://example.com/
import { AsyncTcpConnection, Worker } from 'workerman-ts';

// For this machine only: others would find an open proxy within hours.
const worker = new Worker('tcp://127.0.0.1:8080');
worker.count = 6;
worker.name = 'http-proxy';

worker.onMessage = (connection, buffer) => {
  // The first line: GET http://host:port/path HTTP/1.1, or CONNECT host:port HTTP/1.1.
  const [method, target = ''] = buffer.toString('latin1').split(' ');
  const text = method === 'CONNECT' ? `http://${target}` : target;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '') {
    connection.close('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    return;
  }
  const remote = new AsyncTcpConnection(`tcp://${url.hostname}:${url.port || 80}`);

  if (method === 'CONNECT') connection.send('HTTP/1.1 200 Connection Established\r\n\r\n');
  else remote.send(buffer);

  // From here on everything goes through, both ways, and when one end closes, so does the other.
  remote.pipe(connection);
  connection.pipe(remote);
  remote.connect();
};

Worker.runAll();
