import { from, type Micro } from './harness.js';
import { MEBIBYTES, piecesOf } from './sizes.js';

const { FrameReader, STEP } =
  await from<typeof import('../../protocols/websocket/frames.js')>('protocols/websocket/frames.js');
const { encodeFrame, encodeShared } =
  await from<typeof import('../../protocols/websocket/encodeFrame.js')>('protocols/websocket/encodeFrame.js');

const TEXT = 0x81;
const BINARY = 0x82;
const LIMIT = 1 << 30;

/** Reads all that is in the pieces; the reader takes payload as it comes, and leaves a header that is not whole. */
function readAll(pieces: readonly Buffer[]): number {
  const reader = new FrameReader(true);
  let messages = 0;
  let rest: Buffer | null = null;
  for (const piece of pieces) {
    const buffer: Buffer = rest === null ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    for (;;) {
      const step = reader.read(buffer, at, LIMIT);
      at = reader.at;
      if (step === STEP.MORE) break;
      if (step !== STEP.MESSAGE) throw new Error(`not a message: ${step}`);
      messages++;
      reader.takeMessage();
    }
    rest = at < buffer.length ? buffer.subarray(at) : null;
  }
  return messages;
}

function expectMessages(pieces: readonly Buffer[], wanted: number): readonly Buffer[] {
  const found = readAll(pieces);
  if (found !== wanted) throw new Error(`${found} messages instead of ${wanted}`);
  return pieces;
}

const small = encodeFrame(TEXT, 'y'.repeat(32), true);
const hundred = expectMessages([Buffer.concat(Array.from({ length: 100 }, () => small))], 100);
const kilobyte = expectMessages([encodeFrame(BINARY, Buffer.alloc(1024, 1), true)], 1);
const text32 = 'y'.repeat(32);
const bytes1k = Buffer.alloc(1024, 1);

export const micros: readonly Micro[] = [
  { name: 'read a text of 32 bytes', run: () => readAll([small]) },
  { name: 'read 100 texts of 32 bytes in one piece', run: () => readAll(hundred) },
  { name: 'read bytes, 1 KB', run: () => readAll(kilobyte) },
  { name: 'encode a text of 32 bytes', run: () => encodeFrame(TEXT, text32, false) },
  { name: 'encode a text of 32 bytes, the same again', run: () => encodeShared(TEXT, text32) },
  { name: 'encode a text of 32 bytes, masked', run: () => encodeFrame(TEXT, text32, true) },
  { name: 'encode bytes, 1 KB', run: () => encodeFrame(BINARY, bytes1k, false) },
  ...MEBIBYTES.map((size): Micro => {
    const bytes = size << 20;
    const pieces = expectMessages(piecesOf(encodeFrame(BINARY, Buffer.alloc(bytes, 1), true)), 1);
    return { name: `read a frame of ${size} MiB, in pieces`, bytes, run: () => readAll(pieces) };
  }),
];
