import { Worker } from 'workerman-ts';

// Data that a user hangs on workers and connections compiles without a word about types, as in PHP.

const worker = new Worker('websocket://0.0.0.0:80');
worker.uidConnections = {};
worker.count = 4;
worker.onWorkerStart = (self) => {
  self.startedAt = Date.now();
};
worker.onConnect = (connection) => {
  connection.uid = 1;
  connection.lastMessageTime = Date.now();
};
worker.onMessage = (connection, data) => {
  if (!connection.uid) {
    connection.uid = data;
    worker.uidConnections[connection.uid] = connection;
    return connection.send(`login success, your uid is ${connection.uid}`);
  }
  for (const other of Object.values(worker.connections)) {
    if (other.uid === connection.uid) other.send(data);
  }
  for (const other of worker.connections) other.send(data);
};
worker.onClose = (connection) => {
  delete worker.uidConnections[connection.uid];
};

// What the package defines keeps its type all the same.
// @ts-expect-error count is a number
worker.count = '4';
// @ts-expect-error there is no such transport
worker.transport = 'sctp';
