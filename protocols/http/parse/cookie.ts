import { beginRecord, endRecord } from './record.js';

/** What PHP's `trim` removes. JavaScript's would take more, such as the no-break space of a UTF-8 name. */
const WHITE_SPACE = ' \t\n\r\0\v';

/**
 * Reads the value of a Cookie header. Pieces between semicolons are cut at their first `=`, those without one are left
 * out; names lose the white space around them, values stay exactly as they were sent (no URL decoding, quotes kept).
 * Of several cookies with one name the last wins. The object has no prototype.
 */
export function parseCookie(header: string): Record<string, string> {
  const cookies = beginRecord<string>();
  for (let at = 0; at < header.length; ) {
    let end = header.indexOf(';', at);
    if (end < 0) end = header.length;
    // The piece is searched by itself, so that many pieces without `=` do not make the work quadratic.
    const piece = header.slice(at, end);
    const equals = piece.indexOf('=');
    if (equals >= 0) cookies[trimName(piece.slice(0, equals))] = piece.slice(equals + 1);
    at = end + 1;
  }
  return endRecord(cookies);
}

function trimName(name: string): string {
  let from = 0;
  let to = name.length;
  while (from < to && WHITE_SPACE.includes(name[from]!)) from++;
  while (to > from && WHITE_SPACE.includes(name[to - 1]!)) to--;
  return name.slice(from, to);
}
