import { inspect } from 'node:util';

/** Tags of the original's texts and what they are on a terminal that shows colours. */
const TAGS: Readonly<Record<string, string>> = {
  '<n>': '\x1b[1A\n\x1b[K',
  '<w>': '\x1b[47;30m',
  '<g>': '\x1b[32;40m',
  '</n>': '\x1b[0m',
  '</w>': '\x1b[0m',
  '</g>': '\x1b[0m',
};

const TAG = /<\/?[nwg]>/g;

/**
 * Replaces the tags `<n>` (clear the line), `<w>` (black on white), `<g>` (green) and their closing forms (back to
 * plain): by escape sequences when the text is to be decorated and the terminal shows colours, else by nothing.
 */
export function decorate(text: string, decorated: boolean, colour: boolean): string {
  return text.replace(TAG, (tag) => (decorated && colour ? (TAGS[tag] ?? '') : ''));
}

/**
 * Whether escape sequences may be written to a stream: never when `NO_COLOR` is set, to whatever; always in the
 * terminal Hyper; else when the stream is a terminal.
 */
export function supportsColour(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (environment['NO_COLOR'] !== undefined) return false;
  return environment['TERM_PROGRAM'] === 'Hyper' || stream.isTTY === true;
}

/** How many causes of a cause are shown. */
const CAUSE_DEPTH = 8;

/** A name given to the error itself wins; one that only says `Error` gives way to the name of the class. */
function errorClass(error: Error): string {
  if (typeof error.name === 'string' && error.name !== '' && error.name !== 'Error') return error.name;
  return error.constructor?.name || 'Error';
}

/**
 * The lines of the stack alone: V8 puts a heading before them that may show an older name of the error. They are
 * looked for behind the message, which may hold anything.
 */
function stackFrames(error: Error): string {
  if (typeof error.stack !== 'string') return '';
  const behind = error.stack.slice(Math.max(0, error.stack.indexOf(error.message)) + error.message.length);
  const start = behind.search(/^[ \t]+at /m);
  return start < 0 ? '' : `\n${behind.slice(start).trimEnd()}`;
}

/** What made an error happen: its cause, and the errors that an AggregateError stands for. */
function causesOf(error: Error): unknown[] {
  const several = error instanceof AggregateError ? error.errors : [];
  return error.cause === undefined ? several : [error.cause, ...several];
}

function errorText(error: Error, depth: number): string {
  const text = `${errorClass(error)}: ${error.message}${stackFrames(error)}`;
  if (depth >= CAUSE_DEPTH) return text;
  return [text, ...causesOf(error).map((cause) => `Caused by: ${plainText(cause, depth + 1)}`)].join('\n');
}

function plainText(value: unknown, depth: number): string {
  if (value instanceof Error) return errorText(value, depth);
  return typeof value === 'object' && value !== null ? inspect(value) : String(value);
}

/**
 * Anything as text for the log, trimmed at both ends. Errors become class, message and stack, and the same of their
 * causes; other objects what `util.inspect` makes of them. Never throws.
 */
export function formatMessage(message: unknown): string {
  try {
    return plainText(message, 0).trim();
  } catch {
    return '[a value that can not be shown]';
  }
}
