import { from, type Micro } from './harness.js';
import { MEBIBYTES, piecesOf } from './sizes.js';

const { ReceiveBuffer } = await from<typeof import('../../connection/ReceiveBuffer.js')>('connection/ReceiveBuffer.js');
const { ChunkedBody } = await from<typeof import('../../protocols/http/parse/chunked.js')>('protocols/http/parse/chunked.js');

const LIMIT = 1 << 30;

/** A body of known length. Each piece is taken out of memory that the next one would be written to. */
function receive(pieces: readonly Buffer[], length: number): Buffer {
  const received = new ReceiveBuffer();
  for (const piece of pieces) received.pushCopy(piece, 0, piece.length, length);
  return received.take(length);
}

/** A chunked body: each piece is looked at, and all of them are joined when it is whole. */
function receiveChunked(pieces: readonly Buffer[]): Buffer {
  const received = new ReceiveBuffer();
  const body = new ChunkedBody();
  for (const piece of pieces) {
    const seen = received.length;
    received.pushCopy(piece, 0, piece.length, 0);
    const verdict = body.advance(received.after(seen), 0, LIMIT, seen);
    if (verdict === 'done') return received.take(body.end);
    if (verdict !== 'more') throw new Error(`refused with ${verdict}`);
  }
  throw new Error('the body has no end');
}

function chunked(bytes: number, size: number): Buffer {
  const chunk = Buffer.from(`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`);
  return Buffer.concat([...Array.from({ length: Math.ceil(bytes / chunk.length) }, () => chunk), Buffer.from('0\r\n\r\n')]);
}

export const micros: readonly Micro[] = MEBIBYTES.flatMap((size): Micro[] => {
  const bytes = size << 20;
  const plain = piecesOf(Buffer.alloc(bytes, 'x'));
  const inChunks = piecesOf(chunked(bytes, 1024));
  return [
    { name: `${size} MiB of known length, in pieces`, bytes, run: () => receive(plain, bytes) },
    { name: `${size} MiB of pieces joined, nothing received`, bytes, run: () => Buffer.concat(plain) },
    { name: `${size} MiB in chunks of 1 KB, in pieces`, bytes, run: () => receiveChunked(inChunks) },
  ];
});
