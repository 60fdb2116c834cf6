import { Websocket, Worker } from 'workerman-ts';

/** Sends back what it gets, with the limits that every server has. */

Websocket.permessageDeflate = true;

const worker = new Worker(`websocket://127.0.0.1:${process.env['ECHO_PORT']}`);
worker.onMessage = (connection, data) => connection.send(data);

Worker.runAll();
