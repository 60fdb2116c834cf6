/** One answer off the wire. Text is one character for each byte. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; of repeated ones the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The complete answers at the start of what a client has received, interim ones left out, and the bytes behind them.
 *
 * @param asked methods of the requests, in order: an answer to HEAD has no body
 * @throws Error when the bytes are no answers
 */
export function readAnswers(text: string, asked: readonly string[] = []): { answers: Answer[]; rest: string } {
  const answers: Answer[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return { answers, rest: text.slice(at) };
    const [line, ...fields] = text.slice(at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line!)?.[1]);
    if (!status) throw new Error(`No answer: ${JSON.stringify(text.slice(at, at + 200))}`);
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const colon = field.indexOf(': ');
      headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 2);
    }
    const start = end + 4;
    const hasNone = status < 200 || status === 204 || status === 304 || asked[answers.length] === 'HEAD';
    const body = hasNone ? { data: '', end: start } : readBody(text, start, headers);
    if (body === null) return { answers, rest: text.slice(at) };
    if (status >= 200) answers.push({ status, headers, body: body.data });
    at = body.end;
  }
}

function readBody(text: string, start: number, headers: Record<string, string>): { data: string; end: number } | null {
  if (headers['transfer-encoding'] !== 'chunked') {
    const length = Number(headers['content-length'] ?? 0);
    return text.length < start + length ? null : { data: text.slice(start, start + length), end: start + length };
  }
  const pieces: string[] = [];
  for (let at = start; ;) {
    const end = text.indexOf('\r\n', at);
    const size = end < 0 ? 0 : parseInt(text.slice(at, end), 16);
    if (end < 0 || text.length < end + 4 + size) return null;
    if (!/^[0-9a-f]+$/.test(text.slice(at, end)) || text.slice(end + 2 + size, end + 4 + size) !== '\r\n') throw new Error('No chunk');
    if (size === 0) return { data: pieces.join(''), end: end + 4 };
    pieces.push(text.slice(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
}
