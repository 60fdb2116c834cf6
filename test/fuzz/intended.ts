/**
 * Where we take what Node's strict parser refuses, on purpose. Each entry says why, and how to write the same input in
 * Node's way: only what is read alike when it is rewritten so counts as intended.
 */
export interface IntendedDifference {
  readonly what: string;
  readonly why: string;
  /** Some versions of Node read it as we do. */
  readonly isAgreed?: true;
  readonly rewrite: (bytes: string) => string;
}

const withLines = (bytes: string, change: (line: string) => string): string => bytes.split('\r\n').map(change).join('\r\n');

const isRequestLine = (line: string): boolean => / HTTP\/1\.\d$/.test(line);

export const INTENDED: readonly IntendedDifference[] = [
  {
    what: 'minor versions above 1',
    why: 'A server that speaks HTTP/1.1 answers any HTTP/1.x as such (RFC 9110 section 2.5), and Workerman does. How a '
      + 'message is framed does not depend on the minor version.',
    rewrite: (bytes) => withLines(bytes, (line) => line.replace(/ HTTP\/1\.[2-9]$/, ' HTTP/1.1')),
  },
  {
    what: 'bytes above ASCII in the target',
    why: 'Browsers and Workerman programs send and take UTF-8 there. The target ends at the same space for everybody.',
    rewrite: (bytes) => withLines(bytes, (line) => (isRequestLine(line) ? line.replace(/[\x80-\xff]/g, 'x') : line)),
  },
  {
    what: 'a tab behind the value of a length or a coding',
    why: 'White space around a field value is SP or HTAB (RFC 9110 section 5.6.3); Node 20 allows the SP only.',
    isAgreed: true,
    rewrite: (bytes) => withLines(bytes, (line) => line.replace(/^(content-length:[ \t]*\d+|transfer-encoding:[ \t]*chunked)[ \t]+$/i, '$1')),
  },
  {
    what: 'trailer fields that are none, or that would frame a message',
    why: 'As in Workerman, a trailer line is whatever stands before an empty line. Trailers are never merged into the '
      + 'headers, so that no name in them has a meaning, and the section ends at the same empty line for everybody.',
    rewrite: (bytes) => bytes.replace(/((?:^|\r\n)0+(?:;[^\r\n]*)?\r\n)((?:[^\r\n]+\r\n)+)(?=\r\n)/g, '$1'),
  },
  {
    what: 'requests behind one that offers an upgrade',
    why: 'Nobody listens for upgrades here, so the offer is ignored (RFC 9110 section 7.8) and the connection goes on '
      + 'with HTTP. Node stops to read.',
    rewrite: (bytes) => withLines(bytes, (line) => line.replace(/^upgrade:/i, 'xpgrade:')),
  },
  {
    what: 'requests in front of a preface of HTTP/2',
    why: 'Nobody speaks HTTP/2 here, so it is a request with an unknown method, and those before it are answered (RFC 9112 '
      + 'section 9.3.2). Newer versions of Node than 20 may hang up before they have handed these out.',
    isAgreed: true,
    rewrite: (bytes) => bytes.replaceAll('PRI ', 'XRI '),
  },
];

/**
 * The input as Node may want it: with one of the differences taken out, then with several. Not all of them at once, since
 * what a rule is looking for may stand where it means nothing, a trailer in a body that is not chunked for example.
 */
export function waysToRewrite(bytes: string): string[] {
  const ways = INTENDED.reduce<string[]>((all, { rewrite }) => [...all, ...all.map(rewrite)], [bytes]);
  return [...new Set(ways)].filter((way) => way !== bytes);
}

/** What had to be rewritten. */
export const reasonsFor = (bytes: string): string[] => INTENDED.filter(({ rewrite }) => rewrite(bytes) !== bytes).map(({ what }) => what);
