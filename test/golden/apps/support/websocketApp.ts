import { Websocket, Worker } from 'workerman-ts';
import type { Request, TcpConnection } from 'workerman-ts';
import { address } from './address.js';
import { asMap, json } from './json.js';

/** The programs `websocket` and `websocket-limits`. */

const PING = '\x89';

/** Answers a control frame with a text message, instead of in kind. */
const answerAsText = (label: string) => (connection: TcpConnection, data: Buffer | string): void => {
  connection.websocketType = Websocket.BINARY_TYPE_BLOB;
  connection.send(`${label}=${String(data)}`);
};

/** What the handshake does besides, by path. */
const onPath: Record<string, (connection: TcpConnection) => void> = {
  '/bin': (c) => {
    c.websocketType = Websocket.BINARY_TYPE_ARRAYBUFFER;
  },
  '/proto': (c) => {
    c.headers = ['Sec-WebSocket-Protocol: chat', 'X-Golden: yes'];
  },
  '/evil': (c) => {
    c.headers = ['X-Bad: a\r\nX-Evil: 1', 'X-Golden: yes'];
  },
  '/reject': (c) => c.close(),
  '/reject-403': (c) => c.close('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n', true),
  '/early': (c) => {
    c.send('early 1');
    c.send('early 2');
  },
  '/greet': (c) => {
    c.onWebSocketConnected = (connection: TcpConnection) => connection.send('welcome');
  },
  '/deflate': (c) => {
    c.headers = ['Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover'];
  },
  '/cb': (c) => {
    c.onWebSocketPing = answerAsText('ping');
    c.onWebSocketPong = answerAsText('pong');
    c.onWebSocketClose = (connection: TcpConnection) => {
      connection.websocketType = Websocket.BINARY_TYPE_BLOB;
      connection.send('closing');
      connection.close();
    };
  },
};

/** Sends with another first byte of the frame than the connection's. */
function sendAs(connection: TcpConnection, type: string, data: string | Buffer): void {
  const usual = connection.websocketType;
  connection.websocketType = type;
  connection.send(data);
  connection.websocketType = usual;
}

/** Messages that ask for something. */
const commands: Record<string, (connection: TcpConnection) => void> = {
  'cmd:close-frame': (c) => c.close(Buffer.from([0x88, 2, 3, 0xe8]), true),
  'cmd:drop': (c) => c.close(),
  'cmd:close-data': (c) => c.close('bye'),
  'cmd:two': (c) => {
    c.send('one');
    c.send('two');
  },
  'cmd:none': () => {},
  'cmd:empty': (c) => void c.send(''),
  'cmd:obj': (c) => void c.send({ a: 1, b: ['x', 'é'] }),
  'cmd:obj-slash': (c) => void c.send({ a: 'b/c' }),
  'cmd:num': (c) => void c.send(12345),
  'cmd:ping': (c) => sendAs(c, PING, 'are you there'),
  'cmd:as-binary': (c) => sendAs(c, Websocket.BINARY_TYPE_ARRAYBUFFER, Buffer.from('bin\x00\xff', 'latin1')),
  'cmd:raw': (c) => void c.send(Buffer.from([0x81, 3, 0x72, 0x61, 0x77]), true),
};

function describe(request: Request): string {
  return json({
    path: request.path(),
    get: asMap(request.get()),
    x: request.header('x-test') ?? null,
    cookie: asMap(request.cookie()),
    host: request.host(),
  });
}

/** Starts one of them. `maxPackageSize` is set on each connection when given. */
export function serveWebsocket(maxPackageSize?: number): void {
  const worker = new Worker(`websocket://${address}`);
  worker.onConnect = (connection) => {
    if (maxPackageSize !== undefined) connection.maxPackageSize = maxPackageSize;
  };
  worker.onWebSocketConnect = (connection, request) => {
    connection.websocketType = Websocket.BINARY_TYPE_BLOB;
    connection['info'] = describe(request);
    onPath[request.path()]?.(connection);
  };
  worker.onMessage = (connection, data) => {
    const command = String(data);
    if (command === 'cmd:info') return void connection.send(connection['info']);
    if (command.startsWith('cmd:size:')) return void connection.send('s'.repeat(Number(command.slice(9))));
    const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (known) known(connection);
    else connection.send(data);
  };
  Worker.runAll();
}
