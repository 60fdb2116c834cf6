/** A request that we took, in its parts. Text is one character for each byte. */
export interface Message {
  /** The request line; empty lines before it belong to it. */
  readonly line: string;
  readonly fields: readonly string[];
  /** Everything behind the head, or up to the trailers. */
  readonly body: string;
  /** What stands between the last chunk and the empty line; null where there is no last chunk. */
  readonly trailers: readonly string[] | null;
}

/**
 * Where we take what Node's strict parser refuses, on purpose. Each entry says why, and how to write a request in
 * Node's way: only what is read alike when it is rewritten so counts as intended.
 */
export interface IntendedDifference {
  readonly what: string;
  readonly why: string;
  /** Some versions of Node read it as we do. */
  readonly isAgreed?: true;
  readonly rewrite?: (message: Message) => Partial<Message>;
  /** The same of what stands behind the last request that we took. */
  readonly rewriteRest?: (rest: string) => string;
}

export const INTENDED: readonly IntendedDifference[] = [
  {
    what: 'minor versions above 1',
    why: 'A server that speaks HTTP/1.1 answers any HTTP/1.x as such (RFC 9110 section 2.5), and Workerman does. How a '
      + 'message is framed does not depend on the minor version.',
    rewrite: ({ line }) => ({ line: line.replace(/ HTTP\/1\.[2-9]$/, ' HTTP/1.1') }),
  },
  {
    what: 'bytes above ASCII in the target',
    why: 'Browsers and Workerman programs send and take UTF-8 there. The target ends at the same space for everybody.',
    rewrite: ({ line }) => ({ line: line.replace(/[\x80-\xff]/g, 'x') }),
  },
  {
    what: 'a tab behind the value of a length or a coding',
    why: 'White space around a field value is SP or HTAB (RFC 9110 section 5.6.3); Node 20 allows the SP only.',
    isAgreed: true,
    rewrite: ({ fields }) => ({ fields: fields.map((line) => line.replace(/^((?:content-length|transfer-encoding):.*?)[ \t]+$/i, '$1')) }),
  },
  {
    what: 'trailer fields that are none, or that would frame a message',
    why: 'As in Workerman, a trailer line is whatever stands before an empty line. Trailers are never merged into the '
      + 'headers, so that no name in them has a meaning, and the section ends at the same empty line for everybody.',
    rewrite: ({ trailers }) => ({ trailers: trailers && [] }),
  },
  {
    what: 'requests behind one that offers an upgrade',
    why: 'Nobody listens for upgrades here, so the offer is ignored (RFC 9110 section 7.8) and the connection goes on '
      + 'with HTTP. Node stops to read.',
    rewrite: ({ fields }) => ({ fields: fields.map((line) => line.replace(/^upgrade:/i, 'xpgrade:')) }),
  },
  {
    what: 'requests in front of a preface of HTTP/2',
    why: 'Nobody speaks HTTP/2 here, so it is a request with an unknown method, and those before it are answered (RFC 9112 '
      + 'section 9.3.2). Newer versions of Node than 20 may hang up before they have handed these out.',
    isAgreed: true,
    rewrite: ({ line }) => ({ line: line.replace('PRI ', 'XRI ') }),
    rewriteRest: (rest) => rest.replace(/^PRI /, 'XRI '),
  },
];

/** The parts of one whole request. It is one: our parser has cut it out. */
function dissect(bytes: string): Message {
  const start = /^(?:\r\n)*/.exec(bytes)![0].length;
  const headEnd = bytes.indexOf('\r\n\r\n', start);
  const [line = '', ...fields] = bytes.slice(start, headEnd).split('\r\n');
  const message = { line: bytes.slice(0, start) + line, fields, body: bytes.slice(headEnd + 4), trailers: null };
  return fields.some((field) => /^transfer-encoding:/i.test(field)) ? withTrailers(message) : message;
}

function withTrailers(message: Message): Message {
  const { body } = message;
  for (let at = 0; at < body.length;) {
    const lineEnd = body.indexOf('\r\n', at) + 2;
    const size = parseInt(body.slice(at, lineEnd), 16);
    if (size === 0) {
      const trailers = body.slice(lineEnd, -2).split('\r\n').slice(0, -1);
      return { ...message, body: body.slice(0, lineEnd), trailers };
    }
    at = lineEnd + size + 2;
  }
  throw new Error(`no last chunk in ${JSON.stringify(message)}`);
}

const toLines = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

const compose = ({ line, fields, body, trailers }: Message): string =>
  toLines([line, ...fields, '']) + body + (trailers === null ? '' : toLines([...trailers, '']));

/**
 * An input as Node may want it. What a rule is looking for means nothing in a body, so only our parser can say where it
 * may be changed; were it wrong about that, the rewritten input would not be read alike either.
 *
 * @param ends where the requests end that we have taken
 */
export function inNodesWay(bytes: string, ends: readonly number[], rules: readonly IntendedDifference[] = INTENDED): string {
  const rewritten = ends.map((end, i) => {
    const message = dissect(bytes.slice(ends[i - 1] ?? 0, end));
    return compose(rules.reduce((so, { rewrite }) => ({ ...so, ...rewrite?.(so) }), message));
  });
  const rest = bytes.slice(ends.at(-1) ?? 0);
  return rewritten.join('') + rules.reduce((so, { rewriteRest }) => rewriteRest?.(so) ?? so, rest);
}

/** What had to be rewritten. */
export const reasonsFor = (bytes: string, ends: readonly number[]): string[] =>
  INTENDED.filter((rule) => inNodesWay(bytes, ends, [rule]) !== bytes).map(({ what }) => what);
