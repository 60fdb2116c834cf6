// A chat room with a page. Start it with: npx tsx examples/chat/start.ts start
// Then open http://127.0.0.1:8080 in several tabs or browsers.
import { fileURLToPath } from 'node:url';
import { Response, TcpConnection, Worker } from 'workerman-ts';

const page = fileURLToPath(new URL('index.html', import.meta.url));

const web = new Worker('http://0.0.0.0:8080');
web.name = 'chat-page';

web.onMessage = (connection, request) => {
  connection.send(request.path() === '/' ? new Response().withFile(page) : new Response(404, {}, 'Not found'));
};

const chat = new Worker('websocket://0.0.0.0:8081');
chat.name = 'chat-room';
// The room is in the memory of this one process. More processes would be more rooms.
chat.count = 1;
// A laptop that was closed says no goodbye: who does not answer a ping for a minute is gone.
chat.heartbeat = { interval: 20, timeout: 60 };

/** Who is in the room, by name. */
const room = new Map<string, TcpConnection>();

chat.onConnect = (connection) => {
  connection.maxPackageSize = 16 * 1024;
};

chat.onMessage = (connection, data) => {
  const message = read(data);
  if (message?.type === 'join' && connection.name === undefined) join(connection, message.text);
  else if (message?.type === 'say' && connection.name !== undefined) say(connection.name, message.text);
  else connection.close();
};

chat.onClose = (connection) => {
  if (connection.name === undefined) return;
  room.delete(connection.name);
  tellAll({ type: 'left', name: connection.name, names: [...room.keys()] });
};

function join(connection: TcpConnection, text: string): void {
  const name = text.trim().slice(0, 20);
  if (name === '' || room.has(name)) {
    const reason = name === '' ? 'A name is needed.' : 'Somebody here has that name.';
    connection.send(JSON.stringify({ type: 'refused', reason }));
    return;
  }
  connection.name = name;
  room.set(name, connection);
  tellAll({ type: 'joined', name, names: [...room.keys()] });
}

function say(name: string, text: string): void {
  if (text.trim() !== '') tellAll({ type: 'said', name, text: text.slice(0, 2000) });
}

/** To everybody who has a name. The page shows names and texts as text, so nothing has to be escaped here. */
function tellAll(message: object): void {
  const line = JSON.stringify(message);
  for (const connection of room.values()) connection.send(line);
}

/** A message of the page; null for whatever else somebody may have sent. */
function read(data: string | Buffer): { type: string; text: string } | null {
  try {
    const { type, text } = JSON.parse(data.toString());
    return typeof type === 'string' && typeof text === 'string' ? { type, text } : null;
  } catch {
    return null;
  }
}

Worker.runAll();
