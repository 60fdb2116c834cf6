import { Request, TcpConnection, Timer, UdpConnection, Worker } from 'workerman-ts';
import { expectType } from './expectType.js';

// The scheme of a literal name says what onMessage gets.

const http = new Worker('http://0.0.0.0:80');
http.onMessage = (connection, request) => {
  expectType<Request>()(request);
  expectType<string>()(request.path());
  expectType<string>()(connection.getRemoteIp());
  connection.send('ok');
  connection.send(Buffer.from('ok'));
  // @ts-expect-error a path is a string
  request.path().toFixed();
};
http.onMessage = async (connection, request) => {
  await Timer.sleep(0);
  connection.close(request.path());
};
// @ts-expect-error a request is not a string
http.onMessage = (connection, request: string) => connection.send(request);

const websocket = new Worker('websocket://0.0.0.0:81');
websocket.onMessage = (connection, data) => {
  expectType<string | Buffer>()(data);
  connection.send(data);
};
websocket.onWebSocketConnect = (connection, request) => {
  expectType<Request>()(request);
  connection.send(request.path());
};

const text = new Worker('text://0.0.0.0:82');
text.onMessage = (connection, line) => {
  expectType<string>()(line);
  connection.send(line.toUpperCase());
};

for (const worker of [
  new Worker('tcp://0.0.0.0:83'),
  new Worker('ssl://0.0.0.0:84'),
  new Worker('unix:///tmp/my.sock'),
  new Worker('frame://0.0.0.0:85'),
]) {
  worker.onMessage = (connection, data) => {
    expectType<Buffer>()(data);
    connection.send(data.subarray(1));
  };
}

const udp = new Worker('udp://0.0.0.0:86');
udp.onMessage = (connection, data) => {
  expectType<Buffer>()(data);
  const same: UdpConnection = connection;
  same.send(data);
};

// Upper case in the first letter is the same scheme, as for `listen()`.
new Worker('Http://0.0.0.0:87').onMessage = (_connection, request) => expectType<Request>()(request);

// What a scheme of the user's own gives is known to the user only, and so is that of a name that is no literal.
const custom = new Worker('jsonLine://0.0.0.0:88');
custom.onMessage = (connection, data) => {
  expectType<any>()(data); // eslint-disable-line @typescript-eslint/no-explicit-any -- any is what is tested
  connection.send(data.anything);
};
custom.onMessage = (_connection, data: { op: string }) => data.op;

const name: string = process.argv[2] ?? 'http://0.0.0.0:89';
const dynamic = new Worker(name);
dynamic.onMessage = (connection, data) => {
  expectType<any>()(data); // eslint-disable-line @typescript-eslint/no-explicit-any -- any is what is tested
  connection.send(data);
};
dynamic.onMessage = (_connection, request: Request) => request.path();

// A literal with a variable port is still a literal scheme.
const port: number = 90;
new Worker(`http://0.0.0.0:${port}`).onMessage = (_connection, request) => expectType<Request>()(request);

// Without a socket: timers and clients.
const cron = new Worker();
cron.onWorkerStart = (worker) => expectType<number>()(worker.id);
new Worker(null);
new Worker('');

// A context, and what it must not contain.
new Worker('http://0.0.0.0:443', {
  ssl: { local_cert: '/a.pem', local_pk: '/a.key', verify_peer: false },
  socket: { backlog: 10 },
});
// @ts-expect-error a path is a string
new Worker('http://0.0.0.0:443', { ssl: { local_cert: 7 } });
// @ts-expect-error a name is a string
new Worker(8080);

// The other callbacks know their connection, too.
http.onConnect = (connection) => expectType<string>()(connection.getRemoteIp());
http.onClose = (connection) => {
  const same: TcpConnection = connection;
  return same;
};
http.onError = (_connection, code, message) => {
  expectType<number>()(code);
  expectType<string>()(message);
};
http.onMessage = null;
