// A web server for a folder of files. Start it with: npx tsx examples/static.ts start
import { fileURLToPath } from 'node:url';
import { Response, Worker } from 'workerman-ts';

const root = fileURLToPath(new URL('public', import.meta.url));

const worker = new Worker('http://0.0.0.0:8080');
worker.count = 2;

worker.onMessage = (connection, request) => {
  if (request.method() !== 'GET' && request.method() !== 'HEAD') {
    connection.send(new Response(405, { Allow: 'GET, HEAD' }, 'Method Not Allowed'));
    return;
  }
  // Decodes the path once and stays inside the folder, whatever dots, encoded slashes or links say. Ranges, conditional
  // requests and files of any size are seen to as well.
  connection.send(Response.fromDirectory(root, request.path()));
};

Worker.runAll();
