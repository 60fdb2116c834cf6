/** A file as a line of JSON: `{"file_name":"a.txt","file_data":"aGVsbG8="}`, its content in base64. */
export class TextTransfer {
  /** The next file of a connection is handed out when the one before is on the disk: answers keep the order. */
  static readonly sequential = true;

  static input(buffer: Buffer): number {
    return buffer.indexOf('\n') + 1;
  }

  /** What is missing in the line is empty, and a file without a name is not saved. */
  static decode(buffer: Buffer): { fileName: string; data: Buffer } {
    const { file_name: name, file_data: data } = parse(buffer.toString());
    return {
      fileName: typeof name === 'string' ? name : '',
      data: Buffer.from(typeof data === 'string' ? data : '', 'base64'),
    };
  }

  static encode(data: string): string {
    return data;
  }
}

/** @returns an object without those two when the line is no JSON or something else than an object */
function parse(json: string): { file_name?: unknown; file_data?: unknown } {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}
