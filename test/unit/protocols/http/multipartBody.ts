/** A part of a body: a field, or a file where it has a file name. */
export interface TestPart {
  name: string;
  filename?: string;
  type?: string;
  content?: string | Buffer;
}

export const BOUNDARY = 'test-boundary';

/** A multipart body of these parts. */
export function multipartBody(parts: readonly TestPart[]): Buffer {
  const pieces: (string | Buffer)[] = [];
  for (const { name, filename, type, content = '' } of parts) {
    pieces.push(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`,
      filename === undefined ? '' : `; filename="${filename}"`,
      type === undefined ? '' : `\r\nContent-Type: ${type}`,
      '\r\n\r\n', content, '\r\n',
    );
  }
  pieces.push(`--${BOUNDARY}--\r\n`);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}

/** A whole request that uploads them. */
export function uploadRequest(parts: readonly TestPart[], headers: readonly string[] = []): Buffer {
  const body = multipartBody(parts);
  const head = [
    'POST /upload HTTP/1.1', 'Host: a', `Content-Type: multipart/form-data; boundary=${BOUNDARY}`,
    `Content-Length: ${body.length}`, ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}
