import { LastMessage } from './LastMessage.js';
import type { Bytes } from './ProtocolInterface.js';
import { toBytes } from './toBytes.js';

const HEAD_LENGTH = 4;

/**
 * Frames with a length in front: four bytes, big-endian, counting themselves, then the body.
 */
export class Frame {
  /**
   * The length that the frame states, 0 while its head is incomplete. A length below 4 can not be: -1, which closes
   * the connection (Workerman waits for ever on 0 and loses its place on 1 to 3).
   */
  static input(buffer: Buffer): number {
    if (buffer.length < HEAD_LENGTH) return 0;
    const length = buffer.readUInt32BE(0);
    return length < HEAD_LENGTH ? -1 : length;
  }

  /** The body, which may be empty. */
  static decode(buffer: Buffer): Buffer {
    return buffer.subarray(HEAD_LENGTH);
  }

  /**
   * Head and body. For a connection that speaks this protocol itself, a message that is the same as the last one is the
   * same memory, so that one which goes to many is encoded once. A protocol that is built on this one gets memory of its
   * own, to change as it likes.
   *
   * @throws TypeError `WM_BAD_DATA` for objects.
   */
  static encode(data: unknown, connection?: { readonly protocol?: unknown }): Buffer {
    const bytes = toBytes(data, 'Frame');
    if (connection?.protocol !== Frame) return encode(bytes);
    return last.get(bytes, 0) ?? last.set(bytes, 0, encode(bytes), HEAD_LENGTH);
  }
}

const last = new LastMessage();

function encode(bytes: Bytes): Buffer {
  const length = HEAD_LENGTH + (typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length);
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length, 0);
  if (typeof bytes === 'string') frame.write(bytes, HEAD_LENGTH, 'utf8');
  else frame.set(bytes, HEAD_LENGTH);
  return frame;
}
