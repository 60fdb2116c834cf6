/* global Bun */
import './settle.mjs';
import { described } from './body.mjs';

const streams = new Set();

function subscribe() {
  let controller;
  const body = new ReadableStream({
    start(own) {
      streams.add(controller = own);
      own.enqueue(': open\n\n'); // Bun keeps half of the head back until there is a body.
    },
    cancel() { streams.delete(controller); },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

function publish() {
  const event = Buffer.from(`event: message\nid: 1\ndata: ${'x'.repeat(64)}\n\n`);
  for (const stream of streams) stream.enqueue(event);
  return new Response('published');
}

const routes = {
  '/json': (request) => Response.json({ agent: request.headers.get('user-agent') }),
  '/form': async (request) => new Response(String([...new URLSearchParams(await request.text()).keys()].length)),
  '/upload': async (request) => new Response(described(new Uint8Array(await request.arrayBuffer()))),
  '/file': () => new Response(Bun.file(process.env.FILE)),
  '/sse': subscribe,
  '/publish': publish,
};

Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  idleTimeout: 0,
  fetch(request, server) {
    if (process.env.KIND === 'websocket' && server.upgrade(request)) return undefined;
    const route = routes[new URL(request.url).pathname];
    return route ? route(request) : new Response('hello world', { headers: { 'Content-Type': 'text/html;charset=utf-8' } });
  },
  websocket: {
    open(socket) { socket.subscribe('all'); },
    message(socket, data) {
      if (data === 'all') {
        socket.publish('all', 'x'.repeat(64));
        socket.send('x'.repeat(64));
      } else socket.send(data);
    },
  },
});
