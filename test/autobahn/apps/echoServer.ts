import { TcpConnection, Websocket, Worker } from 'workerman-ts';

/** The server under test: sends back what it gets, compressed with clients that can, unless COMPRESS is empty. */

TcpConnection.defaultMaxPackageSize = 17 * 1024 * 1024;
TcpConnection.defaultMaxSendBufferSize = 64 * 1024 * 1024;
Websocket.permessageDeflate = process.env['COMPRESS'] !== '';

const worker = new Worker(`websocket://127.0.0.1:${process.env['ECHO_PORT']}`);
worker.onMessage = (connection, data) => connection.send(data);

Worker.runAll();
