/** The head and body of one answer, cut apart on the bytes alone: an independent eye on what the encoder wrote. */
export interface ParsedAnswer {
  status: string;
  /** Header lines without their CRLF, in order. */
  lines: string[];
  body: Buffer;
}

export function parseAnswer(bytes: string | Uint8Array): ParsedAnswer {
  const buffer = Buffer.from(bytes as string);
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('The answer has no end of its head');
  const [status, ...lines] = buffer.subarray(0, end).toString().split('\r\n') as [string, ...string[]];
  return { status, lines, body: buffer.subarray(end + 4) };
}

/** Values of every line with this name, whatever its case. */
export function valuesOf(answer: ParsedAnswer, name: string): string[] {
  const prefix = `${name.toLowerCase()}:`;
  return answer.lines.filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length + 1));
}
