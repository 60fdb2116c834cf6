import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { described } from './body.mjs';
import './settle.mjs';

const streams = new Set();

function readBody(request, done) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => done(Buffer.concat(chunks)));
}

const routes = {
  '/json': (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ agent: request.headers['user-agent'] }));
  },
  '/form': (request, response) => {
    readBody(request, (body) => response.end(String([...new URLSearchParams(body.toString()).keys()].length)));
  },
  '/upload': (request, response) => {
    readBody(request, (body) => response.end(described(body)));
  },
  '/file': (request, response) => {
    response.setHeader('Content-Length', statSync(process.env.FILE).size);
    createReadStream(process.env.FILE).pipe(response);
  },
  '/sse': (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    streams.add(response);
    request.on('close', () => streams.delete(response));
  },
  '/publish': (request, response) => {
    const event = `event: message\nid: 1\ndata: ${'x'.repeat(64)}\n\n`;
    for (const stream of streams) stream.write(event);
    response.end('published');
  },
};

// As long as it takes to open thousands of connections; Node's own limit is five seconds.
createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const route = routes[request.url];
  if (route) return route(request, response);
  response.setHeader('Content-Type', 'text/html;charset=utf-8');
  response.end('hello world');
}).listen(Number(process.env.PORT), '127.0.0.1');
