import { AsyncTcpConnection, AsyncUdpConnection, Response, TcpConnection, UdpConnection } from 'workerman-ts';
import type { SocketContext } from 'workerman-ts/connection';
import { expectType } from './expectType.js';

// The scheme of a literal address says what onMessage gets, as on a Worker.

new AsyncTcpConnection('ws://127.0.0.1:80').onMessage = (connection, data) => {
  expectType<string | Buffer>()(data);
  expectType<AsyncTcpConnection>()(connection.pipe === undefined ? connection : new AsyncTcpConnection(String(data)));
};
new AsyncTcpConnection('text://h:1').onMessage = (_connection, line) => expectType<string>()(line);
new AsyncTcpConnection('Frame://h:1').onMessage = (_connection, data) => expectType<Buffer>()(data);
for (const client of [
  new AsyncTcpConnection('tcp://h:1'), new AsyncTcpConnection('ssl://h:1'), new AsyncTcpConnection('tls://h:1'),
  new AsyncTcpConnection('unix:///tmp/a'), new AsyncTcpConnection('frame://h:1'),
]) {
  client.onMessage = (connection, data) => {
    expectType<Buffer>()(data);
    connection.send(data.subarray(1));
    connection.reconnect(0.5);
    connection.reConnect();
    connection.cancelReconnect();
  };
}
const port: number = 80;
new AsyncTcpConnection(`text://h:${port}`).onMessage = (_connection, line) => expectType<string>()(line);
const address: string = 'text://h:1';
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any is what is tested
new AsyncTcpConnection(address).onMessage = (_connection, data) => expectType<any>()(data);
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any is what is tested
new AsyncTcpConnection('mine://h:1').onMessage = (_connection, data) => expectType<any>()(data);
// @ts-expect-error a line is no Buffer
new AsyncTcpConnection('text://h:1').onMessage = (_connection, data: Buffer) => data.length;

new AsyncUdpConnection('udp://h:1').onMessage = (_connection, data) => expectType<Buffer>()(data);
new AsyncUdpConnection('text://h:1').onMessage = (_connection, line) => expectType<string>()(line);

// A context, and what it must not contain.
const context: SocketContext = { socket: { bindto: '127.0.0.1:0' }, ssl: { verify_peer: false, peer_name: 'h', cafile: '/a' } };
new AsyncTcpConnection('ssl://h:1', context);
// @ts-expect-error a path is a string
new AsyncTcpConnection('ssl://h:1', { ssl: { cafile: 7 } });
// @ts-expect-error an address is needed
new AsyncTcpConnection();

// Proxies and what the address said.
const client = new AsyncTcpConnection('tcp://h:1');
client.proxySocks5 = 'p:1080';
client.proxyHttp = 'p:8080';
expectType<string>()(client.getRemoteHost());
expectType<string>()(client.getRemoteURI());
// @ts-expect-error a proxy is a string
client.proxyHttp = 8080;
// @ts-expect-error there is no such transport
client.transport = 'udp';

// Named data is checked, also inside callbacks.
interface Job {
  job?: number;
}
const worker = new AsyncTcpConnection<Job>('text://h:1');
worker.onMessage = (connection, line) => {
  expectType<string>()(line);
  connection.job = 1;
  // @ts-expect-error misspelt
  connection.jobb = 1;
};
worker.onClose = (connection) => connection.reConnect(1);
// @ts-expect-error misspelt
worker.onMesage = null;
const peer = new AsyncUdpConnection<Job>('udp://h:1');
peer.onMessage = (connection, data) => {
  expectType<Buffer>()(data);
  connection.job = data.length;
};

// A client connection passes for a connection wherever one is wanted.
const any: TcpConnection[] = [client, new AsyncTcpConnection('ws://h:1')];
const datagram: UdpConnection = new AsyncUdpConnection('udp://h:1');
any[0]!.pipe(client);
datagram.send('x');
for (const connection of Object.values(AsyncTcpConnection.connections)) connection.close();
expectType<1>()(AsyncTcpConnection.STATUS_CONNECTING);
expectType<1>()(AsyncUdpConnection.CONNECT_FAIL);

// What a handshake callback gets is the response.
new AsyncTcpConnection('ws://h:1').onWebSocketConnect = (connection, response) => {
  expectType<Response>()(response);
  connection.send(String(response.getStatusCode()));
};
