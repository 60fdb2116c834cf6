// Uploads of any size, written to disk while they arrive. Start it with: npx tsx examples/upload.ts start
// Try it with: curl -T some-large-file http://127.0.0.1:8080/
import { createWriteStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'workerman-ts';

const worker = new Worker('http://0.0.0.0:8080');
// Requests are handed out when their head is complete; the body is read in pieces.
worker.streamBodies = true;

worker.onMessage = async (connection, request) => {
  const file = createWriteStream(join(await mkdtemp(join(tmpdir(), 'upload-')), 'data'));
  // When the disk is slow the client waits; when the client leaves, the file is closed and this throws, which does no
  // harm.
  await pipeline(request.body, file);
  connection.send(`${file.bytesWritten} bytes in ${file.path}\n`);
};

Worker.runAll();
