// Two protocols that bring a file each. Start it with: npx tsx examples/file-transfer/start.ts start
// Try it with: echo '{"file_name":"a.txt","file_data":"aGVsbG8="}' | nc -q 1 127.0.0.1 8334
import { Worker } from 'workerman-ts';
import { BinaryTransfer } from './BinaryTransfer.js';
import { saveFile } from './saveFile.js';
import { TextTransfer } from './TextTransfer.js';

// Makes the schemes known; Workerman would find the classes by their namespace.
Worker.registerProtocol('BinaryTransfer', BinaryTransfer);
Worker.registerProtocol('TextTransfer', TextTransfer);

// Both protocols decode to the same, so the same lines serve both.
for (const worker of [new Worker('binaryTransfer://0.0.0.0:8333'), new Worker('textTransfer://0.0.0.0:8334')]) {
  worker.onMessage = async (connection, upload) => {
    const path = await saveFile(upload.fileName, upload.data);
    connection.send(path === null ? 'upload failed' : `upload success. save path ${path}`);
  };
}

Worker.runAll();
