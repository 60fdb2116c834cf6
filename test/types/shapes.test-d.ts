import { TcpConnection, Worker } from 'workerman-ts';
import { expectType } from './expectType.js';

// A user who names the shape of this data once gets every use of it checked.

interface Room {
  users: Map<string, TcpConnection>;
}
interface User {
  uid?: string;
}

const worker = new Worker<Room, User>('websocket://0.0.0.0:80');
worker.users = new Map();

worker.onMessage = (connection, data) => {
  expectType<string | undefined>()(connection.uid);
  connection.uid = String(data);
  worker.users.set(connection.uid, connection);
  connection.send(data);
  // @ts-expect-error misspelt
  connection.uidd = 'x';
  // @ts-expect-error misspelt
  if (connection.uiid === undefined) return;
  // @ts-expect-error another type
  connection.uid = 7;
};

worker.onConnect = (connection) => {
  // @ts-expect-error misspelt
  connection.uidd = 'x';
};

worker.onClose = (connection) => {
  if (connection.uid !== undefined) worker.users.delete(connection.uid);
};

worker.onWorkerStart = (self) => {
  expectType<Map<string, TcpConnection>>()(self.users);
  // @ts-expect-error misspelt
  self.userss = new Map();
};

for (const connection of Object.values(worker.connections)) expectType<string | undefined>()(connection.uid);
for (const connection of worker.connections) expectType<string | undefined>()(connection.uid);

// @ts-expect-error misspelt
worker.usrs = new Map();
// @ts-expect-error another type
worker.users = new Set();
// @ts-expect-error a misspelt member of Worker itself
worker.onMesage = null;
