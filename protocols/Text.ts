import { toBytes } from './toBytes.js';

/** What Text needs of a connection; a datagram has no limit. */
interface TextConnection {
  maxPackageSize?: number;
  close(): void;
}

const LF = 0x0a;
const CR = 0x0d;

/** Shorter beginnings of a line are searched again each time: that costs less than remembering them. */
const LONG = 16_384;

/** A long beginning of a line that has no LF: the memory it lies in and where it ends there. */
interface Searched {
  readonly memory: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
}

const searched = new WeakMap<object, Searched>();

/**
 * Where the first LF is, or -1. A long line that comes in small pieces would cost quadratic time if all of it were
 * searched for every piece; where the buffer still is the same memory, only what is new is looked at.
 */
function findLineEnd(buffer: Buffer, connection: object): number {
  if (buffer.length < LONG) return buffer.indexOf(LF);
  const before = searched.get(connection);
  const same = before !== undefined && before.memory === buffer.buffer && before.start === buffer.byteOffset
    && before.end <= before.start + buffer.length;
  const at = buffer.indexOf(LF, same ? before.end - before.start : 0);
  if (at >= 0) searched.delete(connection);
  else {
    const { buffer: memory, byteOffset: start } = buffer;
    searched.set(connection, { memory, start, end: start + buffer.length });
  }
  return at;
}

/**
 * Line protocol: UTF-8 text ended by LF. Nothing is escaped, so a LF inside a sent text makes two messages.
 */
export class Text {
  /**
   * Length of the first line with its LF, 0 when there is none yet. A line of `maxPackageSize` bytes or more (LF
   * counted) closes the connection; Workerman looks at everything buffered instead of at the first line. Datagrams
   * have no limit.
   */
  static input(buffer: Buffer, connection: TextConnection): number {
    const length = findLineEnd(buffer, connection) + 1;
    const limit = connection.maxPackageSize;
    if (limit !== undefined && (length === 0 ? buffer.length : length) >= limit) {
      connection.close();
      return 0;
    }
    return length;
  }

  /** The line as text, without any CR and LF at its end. */
  static decode(buffer: Buffer): string {
    let end = buffer.length;
    while (end > 0 && (buffer[end - 1] === LF || buffer[end - 1] === CR)) end--;
    return buffer.toString('utf8', 0, end);
  }

  /** The text, or bytes as they are, and LF. @throws TypeError `WM_BAD_DATA` for objects. */
  static encode(data: unknown): string | Uint8Array {
    const bytes = toBytes(data, 'Text');
    return typeof bytes === 'string' ? `${bytes}\n` : Buffer.concat([bytes, Buffer.of(LF)]);
  }
}
