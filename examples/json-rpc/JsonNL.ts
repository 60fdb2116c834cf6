/** How deep values may be nested, as in PHP. What is nested without end could be read, but not written again. */
const MAX_DEPTH = 512;

/** A protocol of our own: one JSON text per line. */
export class JsonNL {
  /** An answer is sent before the next call of the same connection is begun, so answers keep the order of the calls. */
  static readonly sequential = true;

  /** @returns the length of the first line with its line feed, 0 while that is still missing */
  static input(buffer: Buffer): number {
    return buffer.indexOf('\n') + 1;
  }

  /** @returns the value, null when the line is no JSON */
  static decode(buffer: Buffer): unknown {
    try {
      const value: unknown = JSON.parse(buffer.toString());
      return isDeeper(value, MAX_DEPTH) ? null : value;
    } catch {
      return null;
    }
  }

  /** Writes JSON as PHP's json_encode does: plain ASCII, with `\/` for a slash. */
  static encode(data: unknown): string {
    const escape = (char: string): string => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0');
    const json = JSON.stringify(data).replace(/[\u0080-\uffff]/g, escape).replaceAll('/', '\\/');
    return json + '\n';
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}
