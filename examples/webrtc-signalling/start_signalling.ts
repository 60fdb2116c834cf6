import { TcpConnection, Worker } from 'workerman-ts';
import { fromJson, toJson } from './json.js';

/** Carries what two browsers have to tell each other before they can talk directly. */
const worker = new Worker('websocket://0.0.0.0:8877');
worker.name = 'signalling';
// One process: whoever is interested in a subject must be known where something is published on it.
worker.count = 1;

/** subject => who listens */
const subscribers = new Map<string, Set<TcpConnection>>();

worker.onConnect = (connection) => {
  connection.subjects = new Set<string>();
};

worker.onMessage = (connection, data) => {
  const { cmd, subject, event = null, data: content = null } = Object(fromJson(String(data)));
  if (typeof subject !== 'string') return;
  switch (cmd) {
    case 'subscribe':
      subscribe(subject, connection);
      break;
    case 'publish':
      publish(subject, toJson({ cmd, event, data: content }), connection);
      break;
  }
};

worker.onClose = (connection) => {
  for (const subject of connection.subjects) unsubscribe(subject, connection);
};

function subscribe(subject: string, connection: TcpConnection): void {
  connection.subjects.add(subject);
  const all = subscribers.get(subject) ?? new Set();
  subscribers.set(subject, all.add(connection));
}

function unsubscribe(subject: string, connection: TcpConnection): void {
  connection.subjects.delete(subject);
  const all = subscribers.get(subject);
  all?.delete(connection);
  if (all?.size === 0) subscribers.delete(subject);
}

/** To everybody who has subscribed, but for the one it comes from. */
function publish(subject: string, text: string, from: TcpConnection): void {
  for (const connection of subscribers.get(subject) ?? []) {
    if (connection !== from) connection.send(text);
  }
}
