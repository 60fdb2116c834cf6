import { toBytes } from './toBytes.js';

/** What Text needs of a connection; a datagram has no limit. */
interface TextConnection {
  maxPackageSize?: number;
  close(): void;
}

const LF = 0x0a;
const CR = 0x0d;

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
    const length = buffer.indexOf(LF) + 1;
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

  /** The text, or bytes as they are, and LF. @throws WorkermanError `WM_BAD_DATA` for objects. */
  static encode(data: unknown): string | Uint8Array {
    const bytes = toBytes(data, 'Text');
    return typeof bytes === 'string' ? `${bytes}\n` : Buffer.concat([bytes, Buffer.of(LF)]);
  }
}
