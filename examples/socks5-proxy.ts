// A SOCKS5 proxy (RFC 1928): CONNECT and UDP ASSOCIATE, with or without a password.
// Start it with: npx tsx examples/socks5-proxy.ts start
// Then: curl -x socks5h://user:pass@127.0.0.1:1080 https://example.com/
import type { Socket } from 'node:dgram';
import { AsyncTcpConnection, AsyncUdpConnection, TcpConnection, UdpConnection, Worker } from 'workerman-ts';

const METHOD_NO_AUTH = 0;
const METHOD_USER_PASS = 2;
const METHOD_NONE = 0xff;

const CMD_CONNECT = 1;
const CMD_UDP_ASSOCIATE = 3;

const ADDRTYPE_IPV4 = 1;
const ADDRTYPE_HOST = 3;

const ERR_UNKNOWN_COMMAND = 7;
const ERR_UNKNOWN_ADDRTYPE = 8;
const ERR_REFUSED = 5;

/** Where a reply says that the proxy is. Nobody uses it after CONNECT. */
const NOWHERE = { ip: '0.0.0.0', port: 0x4850 };
/** The address under which clients reach this machine: datagrams to be relayed come here. */
const wanIp = '127.0.0.1';

const auth: Record<number, (user: string, password: string) => boolean> = {
  [METHOD_NO_AUTH]: () => true,
  [METHOD_USER_PASS]: (user, password) => user === 'user' && password === 'pass',
};

const worker = new Worker('tcp://127.0.0.1:1080');
worker.count = 2;
worker.name = 'socks5-proxy';

worker.onConnect = (connection) => {
  connection.stage = 'init';
  connection.pending = Buffer.alloc(0);
};

worker.onMessage = (connection, data) => {
  const buffer: Buffer = Buffer.concat([connection.pending, data]);
  const stages: Record<string, (connection: TcpConnection, buffer: Buffer) => boolean> = { init, login, request };
  // A stage that has not got all of its message yet says false and is called again with more.
  const isComplete = stages[connection.stage]?.(connection, buffer) ?? true;
  connection.pending = isComplete ? Buffer.alloc(0) : buffer;
};

worker.onClose = (connection) => {
  connection.udpWorker?.stop();
  for (const remote of connection.udpRemotes?.values() ?? []) remote.close();
};

/** 05 count methods */
function init(connection: TcpConnection, buffer: Buffer): boolean {
  if (buffer.length < 2 || buffer.length < 2 + buffer[1]!) return false;
  const offered = buffer.subarray(2, 2 + buffer[1]!);
  const method = offered.find((candidate) => auth[candidate] !== undefined) ?? METHOD_NONE;
  if (buffer[0] !== 5 || method === METHOD_NONE) {
    connection.close(Buffer.of(5, METHOD_NONE));
    return true;
  }
  connection.stage = method === METHOD_USER_PASS ? 'login' : 'request';
  connection.send(Buffer.of(5, method));
  return true;
}

/** 01 length user length password */
function login(connection: TcpConnection, buffer: Buffer): boolean {
  const userEnd = 2 + (buffer[1] ?? 0);
  const end = userEnd + 1 + (buffer[userEnd] ?? 0);
  if (buffer.length < end || buffer.length <= userEnd) return false;
  const user = buffer.toString('utf8', 2, userEnd);
  const password = buffer.toString('utf8', userEnd + 1, end);
  if (auth[METHOD_USER_PASS]!(user, password)) {
    connection.stage = 'request';
    connection.send(Buffer.of(1, 0));
  } else {
    connection.close(Buffer.of(1, 1));
  }
  return true;
}

/** 05 command 00, then an address */
function request(connection: TcpConnection, buffer: Buffer): boolean {
  if (buffer.length < 4) return false;
  const command = buffer[1];
  const type = buffer[3]!;
  if (type !== ADDRTYPE_IPV4 && type !== ADDRTYPE_HOST) {
    connection.close(reply(ERR_UNKNOWN_ADDRTYPE, ADDRTYPE_IPV4, '0.0.0.0', 0));
    return true;
  }
  const target = parseAddress(buffer, 3);
  if (target === null) return false;
  connection.stage = 'stream';
  if (target.host === '') connection.close(reply(ERR_REFUSED, ADDRTYPE_IPV4, '0.0.0.0', 0));
  else if (command === CMD_CONNECT) connectTo(connection, type, target);
  else if (command === CMD_UDP_ASSOCIATE) void associate(connection);
  else connection.send(reply(ERR_UNKNOWN_COMMAND, ADDRTYPE_IPV4, '0.0.0.0', 0));
  return true;
}

function connectTo(connection: TcpConnection, type: number, target: Address): void {
  const remote = new AsyncTcpConnection(`tcp://${target.host}:${target.port}`);
  // What the client says before the answer waits for the connection.
  connection.pauseRecv();
  remote.onConnect = () => {
    connection.send(reply(0, type, NOWHERE.ip, NOWHERE.port));
    remote.pipe(connection);
    connection.pipe(remote);
    connection.resumeRecv();
  };
  remote.onError = () => {
    connection.close(reply(ERR_REFUSED, ADDRTYPE_IPV4, '0.0.0.0', 0));
  };
  remote.connect();
}

/** A UDP socket of its own for this client; it is there for as long as the client's connection. */
async function associate(connection: TcpConnection): Promise<void> {
  const udpWorker = new Worker(`udp://${wanIp}:0`);
  connection.udpWorker = udpWorker;
  connection.udpRemotes = new Map<string, AsyncUdpConnection>();
  udpWorker.onMessage = (client, datagram) => relay(connection, client, datagram);
  await udpWorker.listen();
  const { port } = (udpWorker.getMainSocket() as Socket).address();
  connection.send(reply(0, ADDRTYPE_IPV4, wanIp, port));
}

/** 00 00 fragment, then an address, then the data. What comes back is sent to the client behind the same header. */
function relay(connection: TcpConnection, client: UdpConnection, datagram: Buffer): void {
  const target = datagram[2] === 0 ? parseAddress(datagram, 3) : null;
  if (target === null || target.host === '') return;
  const key = `${client.getRemoteAddress()} ${target.host}:${target.port}`;
  let remote: AsyncUdpConnection | undefined = connection.udpRemotes.get(key);
  if (remote === undefined) {
    remote = new AsyncUdpConnection(`udp://${target.host}:${target.port}`);
    const header = datagram.subarray(0, target.end);
    remote.onMessage = (_remote, answer) => client.send(Buffer.concat([header, answer]));
    connection.udpRemotes.set(key, remote);
  }
  remote.send(datagram.subarray(target.end));
}

interface Address {
  /** Empty when it is no name that could be looked up. */
  host: string;
  port: number;
  /** Where the bytes behind it begin. */
  end: number;
}

/** Type, address, port. @returns null when something is missing */
function parseAddress(buffer: Buffer, start: number): Address | null {
  const isHost = buffer[start] === ADDRTYPE_HOST;
  if (!isHost && buffer[start] !== ADDRTYPE_IPV4) return null;
  const from = start + (isHost ? 2 : 1);
  const to = from + (isHost ? (buffer[start + 1] ?? 0) : 4);
  if (buffer.length < to + 2) return null;
  const text = isHost ? buffer.toString('latin1', from, to) : buffer.subarray(from, to).join('.');
  const host = /^[\w.-]+$/.test(text) ? text : '';
  return { host, port: buffer.readUInt16BE(to), end: to + 2 };
}

function reply(code: number, type: number, ip: string, port: number): Buffer {
  const address = type === ADDRTYPE_HOST ? [ip.length, ...Buffer.from(ip)] : ip.split('.').map(Number);
  return Buffer.of(5, code, 0, type, ...address, port >> 8, port & 0xff);
}

Worker.runAll();
