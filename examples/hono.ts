// An application written for the Fetch standard, here with Hono (npm install hono). Any other that has a function from a
// standard Request to a standard Response is mounted in the same way: h3, itty-router, Elysia.
// Start it with: npx tsx examples/hono.ts start
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';
import { Worker } from 'workerman-ts';

const app = new Hono();
app.get('/', (c) => c.text('Hello from Hono'));
app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), page: c.req.query('page') ?? '1' }));
app.post('/echo', async (c) => c.body(await c.req.arrayBuffer()));
app.get('/stream', (c) =>
  streamText(c, async (stream) => {
    for (let i = 1; i <= 3; i++) {
      await stream.writeln(`line ${i}`);
      await stream.sleep(50);
    }
  }),
);

const worker = new Worker('http://0.0.0.0:8080');
worker.onMessage = async (connection, request) => {
  connection.send(await app.fetch(request.toWeb()));
};

Worker.runAll();
