import { AsyncTcpConnection, TcpConnection, Worker } from 'workerman-ts';

/** The clients under test: connect, send back what they get, and connect again when the connection has ended. */

TcpConnection.defaultMaxPackageSize = 17 * 1024 * 1024;
TcpConnection.defaultMaxSendBufferSize = 64 * 1024 * 1024;

const server = `ws://127.0.0.1:${process.env['TESTER_PORT']}`;

function dial(path: string, headers: Record<string, string>): void {
  const connection = new AsyncTcpConnection(server + path);
  connection.headers = headers;
  connection.onMessage = (c, data) => c.send(data);
  connection.onClose = (c) => c.reconnect(0.001);
  connection.connect();
}

const worker = new Worker();
worker.onWorkerStart = () => {
  dial('/plain', {});
  dial('/deflate', { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' });
};

Worker.runAll();
