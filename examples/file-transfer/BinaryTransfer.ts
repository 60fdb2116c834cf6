/** Length of everything (4 bytes), length of the name (1 byte), name, content. */
const HEAD = 5;

/** A file with its name in front of it, as bytes. */
export class BinaryTransfer {
  /** The next file of a connection is handed out when the one before is on the disk: answers keep the order. */
  static readonly sequential = true;

  static input(buffer: Buffer): number {
    if (buffer.length < HEAD) return 0;
    const length = buffer.readUInt32BE(0);
    // A negative length closes the connection: what is not even long enough for the name is no upload.
    return length < HEAD + buffer[4]! ? -1 : length;
  }

  static decode(buffer: Buffer): { fileName: string; data: Buffer } {
    const nameEnd = HEAD + buffer[4]!;
    return { fileName: buffer.toString('utf8', HEAD, nameEnd), data: buffer.subarray(nameEnd) };
  }

  static encode(data: string): string {
    return data;
  }
}
