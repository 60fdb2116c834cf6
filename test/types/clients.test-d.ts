import { AsyncTcpConnection, AsyncUdpConnection, Session, Websocket, Worker } from 'workerman-ts';
import type { SessionHandlerInterface } from 'workerman-ts';
import { expectType } from './expectType.js';

// Connections to somewhere else.

const client = new AsyncTcpConnection('ws://127.0.0.1:80');
client.onConnect = (connection) => connection.send('hi');
client.onMessage = (connection, data) => connection.send(data);
client.onClose = (connection) => connection.reconnect(1);
client.onError = (_connection, code, message) => {
  expectType<number>()(code);
  expectType<string>()(message);
};
client.transport = 'ssl';
client.connect();
// @ts-expect-error seconds are a number
client.reconnect('1');

const udp = new AsyncUdpConnection('udp://127.0.0.1:80');
udp.onMessage = (connection, data) => connection.send(data);
udp.connect();

// A proxy: one connection pours itself into the other.
const worker = new Worker('tcp://0.0.0.0:80');
worker.onConnect = (connection) => {
  const upstream = new AsyncTcpConnection('tcp://127.0.0.1:81');
  upstream.pipe(connection);
  connection.pipe(upstream);
  upstream.connect();
};

// WebSocket members of a connection.
const websocket = new Worker('websocket://0.0.0.0:80');
websocket.onWebSocketConnect = (connection, request) => {
  connection.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER;
  connection.headers = ['X-Path: ' + request.path()];
};

// Sessions.
const http = new Worker('http://0.0.0.0:80');
http.onMessage = async (connection, request) => {
  const session = await request.session();
  expectType<Session>()(session);
  session.set('name', 'value');
  expectType<string>()(session.getId());
  connection.send(String(session.get('name', 'nobody')));
  // @ts-expect-error misspelt
  session.sett('name', 'value');
};

class MemoryHandler implements SessionHandlerInterface {
  readonly #data = new Map<string, string>();
  open(): boolean {
    return true;
  }
  close(): boolean {
    return true;
  }
  read(id: string): string | false {
    return this.#data.get(id) ?? false;
  }
  async write(id: string, data: string): Promise<boolean> {
    this.#data.set(id, data);
    return true;
  }
  destroy(id: string): boolean {
    return this.#data.delete(id);
  }
  gc(): boolean {
    return true;
  }
  updateTimestamp(): boolean {
    return true;
  }
}
Session.handlerClass(MemoryHandler);
