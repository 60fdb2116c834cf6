import type { Writable } from 'node:stream';
import { WorkermanError } from '../errors.js';
import { Log } from './Log.js';
import { decorate, formatMessage, supportsColour } from './logText.js';
import { Settings } from './Settings.js';

let log: { file: string; maxSize: number; log: Log } | null = null;

/** The log of the file that is set now; null before there is one. */
export function currentLog(): Log | null {
  const { logFile: file, logFileMaxSize: maxSize } = Settings;
  if (file === '') return null;
  if (log === null || log.file !== file || log.maxSize !== maxSize) log = { file, maxSize, log: new Log(file, maxSize) };
  return log.log;
}

function isStream(value: unknown): value is Writable {
  return typeof (value as Writable | null | undefined)?.write === 'function';
}

/**
 * Writes to `Worker.outputStream`, or to stdout when it is no stream; never throws. The tags `<n> <w> <g>` and their
 * closing forms are taken out; with `decorated` and a terminal that shows colours they become escape sequences.
 */
export function safeEcho(message: string, decorated = false): void {
  try {
    // That it is none has to be said somewhere.
    const stream: Writable & { isTTY?: boolean } = isStream(Settings.outputStream) ? Settings.outputStream : process.stdout;
    stream.write(decorate(String(message), decorated, supportsColour(stream)));
  } catch {
    // The terminal is gone: a service goes on.
  }
}

/**
 * Logs a line: to the log file always, to the screen unless this is a daemon. Errors show class, message and stack.
 *
 * @param onScreen false: to the file only
 */
export function writeLog(message: unknown, decorated = false, onScreen: boolean = !Settings.daemonize): void {
  const text = formatMessage(message);
  if (onScreen) safeEcho(`${text}\n`, decorated);
  currentLog()?.append(text);
}

/** @throws WorkermanError `WM_OUTPUT_STREAM` when the output stream is none. */
export function checkOutputStream(): void {
  const stream: unknown = Settings.outputStream;
  if (isStream(stream)) return;
  const type = stream === null ? 'null' : typeof stream;
  throw new WorkermanError('WM_OUTPUT_STREAM', `The $outputStream must to be a stream, ${type} given`);
}

/**
 * From now on a terminal that is closed, or a pipe whose reader has gone, costs what is written to it and nothing more:
 * Node would end the process with an exception.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr, Settings.outputStream]) stream?.on?.('error', () => {});
}

/** How long a stream may take for what it was given last, in milliseconds. */
const LAST_WORDS_MS = 1000;

/**
 * Ends the process when the output stream has written what it has. The screen has always: it is written to at once. A
 * file or a socket that the script has put in its place has not, and the last lines say most.
 */
export function exitWhenWritten(code: number): void {
  const exit = (): never => process.exit(code);
  const stream = Settings.outputStream as Partial<Writable> | null;
  if (!stream?.writableLength) return exit();
  setTimeout(exit, LAST_WORDS_MS);
  try {
    stream.write?.('', exit);
  } catch {
    exit();
  }
}
