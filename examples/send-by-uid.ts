// Messages for one user or for everybody. Start it with: npx tsx examples/send-by-uid.ts start
// The first message of a WebSocket is the user's id. After that, `bob:hi` reaches bob, and `all:hi` reaches all.
import { TcpConnection, Worker } from 'workerman-ts';

const worker = new Worker('websocket://0.0.0.0:1234');

// One process: every user must be known where the message comes in.
worker.count = 1;

// uid => connection. Workers and connections take whatever you hang on them.
worker.uidConnections = new Map<string, TcpConnection>();

worker.onMessage = (connection, data) => {
  if (connection.uid === undefined) {
    connection.uid = String(data);
    worker.uidConnections.set(connection.uid, connection);
    connection.send(`login success, your uid is ${connection.uid}`);
    return;
  }
  // Without a colon there is no message, and an id that nobody has: nothing happens.
  const [uid, message = ''] = String(data).split(':');
  if (uid === 'all') broadcast(message);
  else sendMessageByUid(uid!, message);
};

worker.onClose = (connection) => {
  // The same uid may have come back on another connection by now.
  if (worker.uidConnections.get(connection.uid) === connection) worker.uidConnections.delete(connection.uid);
};

function broadcast(message: string): void {
  for (const connection of worker.uidConnections.values()) connection.send(message);
}

function sendMessageByUid(uid: string, message: string): void {
  worker.uidConnections.get(uid)?.send(message);
}

Worker.runAll();
