import { LastMessage } from '../LastMessage.js';
import { applyMask, randomKey } from './mask.js';
import { LENGTH_16, LENGTH_64, MASKED } from './wire.js';

const byteLength = (payload: string | Uint8Array): number =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;

function headerSize(length: number, masked: boolean): number {
  const size = length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10;
  return masked ? size + 4 : size;
}

/** Bytes of the frame that {@link encodeFrame} makes of a payload. */
export function frameSize(payload: string | Uint8Array, masked: boolean): number {
  const length = byteLength(payload);
  return headerSize(length, masked) + length;
}

/**
 * One frame (RFC 6455 section 5.2) in one piece of memory, with the shortest form of its length. Text is written as
 * UTF-8, lone surrogates as U+FFFD.
 *
 * @param first its first byte: FIN, RSV bits and opcode
 * @param masked true on a client: under a fresh key
 */
export function encodeFrame(first: number, payload: string | Uint8Array, masked: boolean): Buffer {
  const length = byteLength(payload);
  const header = headerSize(length, masked);
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = first;
  const maskBit = masked ? MASKED : 0;
  if (length < LENGTH_16) {
    frame[1] = maskBit | length;
  } else if (length < 65_536) {
    frame[1] = maskBit | LENGTH_16;
    frame[2] = length >> 8;
    frame[3] = length;
  } else {
    frame[1] = maskBit | LENGTH_64;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length >>> 0, 6);
  }
  if (typeof payload === 'string') frame.write(payload, header, 'utf8');
  else frame.set(payload, header);
  if (masked) {
    const key = randomKey();
    frame.writeInt32LE(key, header - 4);
    applyMask(frame, header, header + length, key);
  }
  return frame;
}

const last = new LastMessage();

/**
 * The unmasked frame of a payload, the same memory as last time when it is the same payload and type: a message that
 * goes to many connections is encoded once. Nobody may write to it. Masked frames differ each time.
 */
export function encodeShared(first: number, payload: string | Uint8Array): Buffer {
  const known = last.get(payload, first);
  if (known !== null) return known;
  const frame = encodeFrame(first, payload, false);
  return last.set(payload, first, frame, headerSize(byteLength(payload), false));
}
