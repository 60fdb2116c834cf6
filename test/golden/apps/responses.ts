import { Response, Worker } from 'workerman-ts';
import type { Request, TcpConnection } from 'workerman-ts';
import { chunkRoutes, sendChunks } from './routes/chunks.js';
import { connectionRoutes } from './routes/connection.js';
import { cookieRoutes } from './routes/cookies.js';
import { eventRoutes, eventStream, eventStreams, sendEvents } from './routes/events.js';
import { fileRoutes } from './routes/files.js';
import { headerRoutes } from './routes/headers.js';
import { gettersOfResponse, plainValues } from './routes/values.js';
import { address } from './support/address.js';
import { fixture, fixtureOfType, makeFixtures } from './support/files.js';
import { json } from './support/json.js';

type Handler = (connection: TcpConnection, request: Request) => void;

const routes = new Map<string, Handler>();

for (const [path, value] of Object.entries(plainValues)) routes.set(path, (c) => void c.send(value));
for (const [path, read] of Object.entries(gettersOfResponse)) {
  routes.set(path, (c) => void c.send(new Response(200, { 'Content-Type': 'application/json' }, json(read()))));
}
for (const [path, make] of Object.entries({ ...headerRoutes, ...cookieRoutes, ...fileRoutes })) {
  routes.set(path, (c) => void c.send(make()));
}
for (const [path, events] of Object.entries(eventStreams)) {
  routes.set(path, (c) => sendEvents(c, eventStream(), events));
}
for (const [path, handler] of Object.entries({ ...chunkRoutes, ...eventRoutes, ...connectionRoutes })) {
  routes.set(path, handler);
}
routes.set('/cookie/value', (c, r) => {
  c.send(new Response(200, {}, 'x').cookie('v', r.get('v') ?? ''));
});

/** Routes with parameters: `/range/3/5`. */
const families: Record<string, (connection: TcpConnection, a: string, b: string) => void> = {
  'status': (c, status) => void c.send(new Response(Number(status), {}, 'status body')),
  'status-empty': (c, status) => void c.send(new Response(Number(status))),
  'status-headers': (c, status) => void c.send(new Response(Number(status), { 'X-A': 'a' }, 'status body')),
  'mime': (c, extension) => void c.send(new Response().withFile(fixtureOfType(extension))),
  'range': (c, from, count) => void c.send(new Response().withFile(fixture('alpha.txt'), Number(from), Number(count))),
  'range-bin': (c, from, count) => {
    c.send(new Response().withFile(fixture('data.unknownext'), Number(from), Number(count)));
  },
  'big': (c, from, count) => void c.send(new Response().withFile(fixture('big.bin'), Number(from), Number(count))),
  'chunks': (c, size, count) => sendChunks(c, Number(size), Number(count)),
  'string': (c, length) => void c.send('s'.repeat(Number(length))),
};

const worker = new Worker(`http://${address}`);
worker.onWorkerStart = makeFixtures;
worker.onMessage = (connection, request) => {
  const path = request.path();
  const exact = routes.get(path);
  if (exact) return exact(connection, request);
  const [, family = '', a = '', b = ''] = path.split('/');
  if (Object.hasOwn(families, family)) return families[family]!(connection, a, b);
  connection.send(new Response(404, {}, 'no route'));
};

Worker.runAll();
