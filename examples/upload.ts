// Uploads with a progress bar, several at a time, each written to disk while it arrives.
// Start it with: npx tsx examples/upload.ts start
// Then open http://127.0.0.1:8080, or: curl -T some-large-file http://127.0.0.1:8080/
import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { type Request, Response, type TcpConnection, Worker } from 'workerman-ts';

const page = fileURLToPath(new URL('upload.html', import.meta.url));
/** Bytes of the largest file that is taken. */
const LIMIT = 4 * 1024 ** 3;
let folder = '';

const worker = new Worker('http://0.0.0.0:8080');
worker.name = 'upload';
// Requests are handed out when their head is complete; the body is read in pieces.
worker.streamBodies = true;

worker.onWorkerStart = () => {
  folder = mkdtempSync(join(tmpdir(), 'upload-'));
  Worker.safeEcho(`Files are stored in ${folder}\n`);
};

worker.onMessage = async (connection, request) => {
  if (request.method() === 'PUT') await store(connection, request);
  else if (request.path() === '/') connection.send(new Response().withFile(page));
  else connection.send(new Response(404, {}, 'Not found'));
};

async function store(connection: TcpConnection, request: Request): Promise<void> {
  const length = Number(request.header('content-length') ?? NaN);
  if (!(length <= LIMIT)) {
    connection.send(new Response(Number.isNaN(length) ? 411 : 413, {}, `At most ${LIMIT} bytes, announced as such.\n`));
    return;
  }
  // What the file is called on disk is not for the client to say.
  const storedAs = randomUUID();
  const file = createWriteStream(join(folder, storedAs), { flags: 'wx' });
  try {
    // When the disk is slow, the client waits.
    await pipeline(request.body, file);
  } catch (error) {
    await rm(file.path, { force: true });
    // The client has left, which is no mistake of ours and ends nothing but this.
    if ((error as { code?: string }).code === 'WM_CLIENT_GONE') throw error;
    Worker.log(error);
    connection.send(new Response(500, {}, 'It could not be stored.\n'));
    return;
  }
  const result = { size: file.bytesWritten, storedAs };
  connection.send(new Response(201, { 'Content-Type': 'application/json' }, `${JSON.stringify(result)}\n`));
}

Worker.runAll();
