import {
  AsyncTcpConnection,
  Chunk,
  ConnectionInterface,
  Frame,
  Http,
  Request,
  Response,
  ServerSentEvents,
  TcpConnection,
  Text,
  Timer,
  UdpConnection,
  Worker,
} from 'workerman-ts';
import { expectType } from './expectType.js';

// Subclasses.

class MyServer extends Worker {
  greeting = 'hello';

  constructor(address: string) {
    super(address);
    this.onMessage = (connection) => connection.send(this.greeting);
  }
}
const mine: Worker = new MyServer('http://0.0.0.0:80');
mine.name = 'mine';

class MyRequest extends Request {
  user(): string | null {
    return this.cookie('user');
  }
}
Http.requestClass(MyRequest);

class LineClient extends AsyncTcpConnection {
  override protocol = Text;
}
new LineClient('tcp://127.0.0.1:80').protocol = Text;

/** In place of a connection, in a test for example. */
class Nowhere extends ConnectionInterface {
  sent: unknown[] = [];
  send(data: unknown): boolean | null {
    this.sent.push(data);
    return true;
  }
  close(): void {}
  getRemoteIp(): string { return ''; }
  getRemotePort(): number { return 0; }
  getRemoteAddress(): string { return ''; }
  getLocalIp(): string { return ''; }
  getLocalPort(): number { return 0; }
  getLocalAddress(): string { return ''; }
  isIpV4(): boolean { return false; }
  isIpV6(): boolean { return false; }
}
new Nowhere().protocol = Text;

// Statics of Worker.

Worker.pidFile = '/run/my.pid';
Worker.stopTimeout = 5;
Worker.daemonize = true;
Worker.onMasterReload = () => {};
Worker.onWorkerExit = (worker, status, pid) => {
  expectType<number>()(status);
  expectType<number>()(pid);
  return worker.name;
};
expectType<Worker[]>()(Worker.getAllWorkers());
expectType<boolean>()(Worker.isRunning());
expectType<string[]>()(Worker.getArgv());
expectType<void>()(Worker.runAll());
Worker.log(new Error('any value can be logged'));
// @ts-expect-error seconds are a number
Worker.stopTimeout = '5';
// @ts-expect-error misspelt
Worker.runall();

// Protocols: a class with static functions, or any object.

class JsonLine {
  static input(buffer: Buffer): number {
    return buffer.indexOf(10) + 1;
  }
  static decode(buffer: Buffer): unknown {
    return JSON.parse(buffer.toString());
  }
  static encode(data: unknown): string {
    return `${JSON.stringify(data)}\n`;
  }
}
Worker.registerProtocol('jsonLine', JsonLine);
mine.protocol = JsonLine;
mine.protocol = {
  decode: (buffer: Buffer) => buffer,
  encode: (data: string, connection: TcpConnection) => `${connection.id} ${data}`,
};
for (const protocol of [Text, Frame, Http]) mine.protocol = protocol;
mine.protocol = null;
// @ts-expect-error no encode
Worker.registerProtocol('half', { decode: (buffer: Buffer) => buffer });

// Timers: the arguments are those of the callback.

expectType<number>()(Timer.add(1, () => {}));
Timer.add(0.5, (a: string, b: number) => `${a}${b}`, ['x', 2]);
Timer.add(1, () => {}, [], false);
Timer.add(1, () => {}, null, true);
Timer.add(1, async () => {});
Timer.delay(1, (a: string) => a, ['x']);
Timer.repeat(1, (a: string) => a, ['x']);
expectType<boolean>()(Timer.del(1));
expectType<Promise<void>>()(Timer.sleep(0.1));
// @ts-expect-error a number is no string
Timer.add(1, (a: string) => a, [2]);
// @ts-expect-error a callback is a function
Timer.add(1, 'callback');

// Constants.

expectType<2>()(TcpConnection.STATUS_ESTABLISHED);
expectType<1>()(ConnectionInterface.CONNECT_FAIL);
expectType<number>()(TcpConnection.defaultMaxPackageSize);

// Answers.

mine.onMessage = (connection: TcpConnection) => {
  connection.send(new Response(200, { 'X-A': 'a', 'Set-Cookie': ['a=1', 'b=2'] }, 'body'));
  connection.send(new Response().withHeader('X-A', 'a').withStatus(404).cookie('a', '1', 60).withBody('x'));
  connection.send(new Chunk('x'));
  connection.send(new ServerSentEvents({ event: 'e', data: 'd', id: 1, retry: 10 }));
  connection.close(new Response(503));
  expectType<boolean | null>()(connection.send('x'));
};
// @ts-expect-error a status is a number
new Response('200');

export type Udp = UdpConnection;
