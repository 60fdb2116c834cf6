import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * Where in the user's code something went wrong. A stack begins where the error was made, which is often inside this
 * package, in Node or in a compiler; whoever reads it wants the line that he wrote. Imports nothing of ours, because
 * processes use it whose script could not be loaded.
 */

/** A place in a file. */
export interface Place {
  /** Full path. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1; 0 when it is not known. */
  column: number;
}

/** What this package consists of; next to it lie its tests and examples, which are user code. */
const OWN_FOLDERS = /^(bin|connection|dist|lib|parts|protocols|timer)\//;
const ownRoot = fileURLToPath(new URL('..', import.meta.url));

const FRAME = /^\s+at /;
const FRAME_PLACE = /[\s(]((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/;
/** The line that V8 puts over a source line with a mark below it. */
const HEADING = /^((?:file:\/\/)?\/.*):(\d+)$/;
/** How esbuild, and so tsx, names a place; its columns begin at 0. */
const COMPILER = /^(.+):(\d+):(\d+): ERROR: (.*)$/m;
const NOT_FOUND = /^Cannot find (?:module|package) '(.+)' imported from (.+)$/m;

function toPath(text: string): string {
  try {
    return text.startsWith('file:') ? fileURLToPath(text.replace(/[?#].*$/, '')) : text;
  } catch {
    return text;
  }
}

/** Neither this package's file nor one of an installed package. */
function isUserFile(file: string): boolean {
  if (/[\\/]node_modules[\\/]/.test(file)) return false;
  return !(file.startsWith(ownRoot) && OWN_FOLDERS.test(file.slice(ownRoot.length)));
}

function placeOfFrame(frame: string): Place | null {
  const match = FRAME_PLACE.exec(frame.trimEnd());
  if (match === null) return null;
  const [, text = '', line, column] = match;
  return { file: toPath(text), line: Number(line), column: Number(column) };
}

function isUserFrame(frame: string): boolean {
  const place = placeOfFrame(frame);
  return place !== null && isUserFile(place.file);
}

/** The frames of a stack from the first one that is the user's on; empty when none is. */
function userFrames(stack: string | undefined): string[] {
  const frames = (stack ?? '').split('\n').filter((line) => FRAME.test(line));
  const first = frames.findIndex(isUserFrame);
  return first < 0 ? [] : frames.slice(first);
}

/** The source line and the mark under it that V8 has put in front of a stack. */
export function placeOfHeading(stack: string): Place | null {
  const [heading = '', , mark = ''] = stack.split('\n');
  const match = HEADING.exec(heading);
  if (match === null) return null;
  const [, text = '', line] = match;
  return { file: toPath(text), line: Number(line), column: /^\s*\^/.test(mark) ? mark.indexOf('^') + 1 : 0 };
}

/** @returns the line's text, `''` when it can not be read */
function lineOf(file: string, line: number): string {
  try {
    return readFileSync(file, 'utf8').split('\n')[line - 1] ?? '';
  } catch {
    return '';
  }
}

/** Node names the file in which the import stands; the line is found by the end of what was to be imported. */
function placeOfImport(missing: string, importer: string): Place {
  const file = toPath(importer);
  const name = missing.split('/').pop()?.replace(/\.\w+$/, '') ?? missing;
  let lines: string[] = [];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    // Then without the line.
  }
  const index = lines.findIndex((line) => line.includes(name) && /\b(import|require|from)\b.*['"`]/.test(line));
  return { file, line: Math.max(index, 0) + 1, column: (lines[index]?.indexOf(name) ?? -1) + 1 };
}

/** Where in user code an error comes from, as far as it says so itself; null when it does not. */
export function placeOf(error: unknown): Place | null {
  if (!(error instanceof Error)) return null;
  const compiler = COMPILER.exec(error.message);
  if (compiler !== null) {
    const [, file = '', line, column] = compiler;
    return { file: toPath(file), line: Number(line), column: Number(column) + 1 };
  }
  const notFound = NOT_FOUND.exec(error.message);
  if (notFound !== null) return placeOfImport(notFound[1] ?? '', notFound[2] ?? '');
  const [frame] = userFrames(error.stack);
  return placeOfHeading(error.stack ?? '') ?? (frame === undefined ? null : placeOfFrame(frame));
}

/** `Error: no database`, in one line. */
export function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const compiler = COMPILER.exec(error.message);
  if (compiler !== null) return `SyntaxError: ${compiler[4]}`;
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  return `${name}: ${error.message.split('\n')[0] ?? ''}`;
}

export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}${column > 0 ? `:${column}` : ''}`;
}

/**
 * A script that could not be loaded: what is wrong, where, and the line itself.
 * @returns null when the error does not say where
 */
export function failureText(error: unknown): string | null {
  const place = placeOf(error);
  if (place === null) return null;
  const frames = COMPILER.test((error as Error).message) ? [] : userFrames((error as Error).stack).slice(1).filter(isUserFrame);
  const source = lineOf(place.file, place.line);
  const excerpt = source.trim() === '' ? [] : [`      ${source.trim()}`];
  if (excerpt.length > 0 && place.column > 0) {
    const indent = source.length - source.trimStart().length;
    excerpt.push(`      ${' '.repeat(Math.max(0, place.column - 1 - indent))}^`);
  }
  return [summaryOf(error), `    at ${placeText(place)}`, ...excerpt, ...frames].join('\n');
}

/** Takes from an error's stack what stands before the first line of the user. Nothing when no line is the user's. */
export function leadWithUser(error: unknown): void {
  if (error instanceof Error) setFrames(error, userFrames(error.stack));
}

/**
 * Gives an error, made while a thing was put to use, the place at which the user has made that thing.
 *
 * @param origin an error that was made there
 * @returns the error
 */
export function blame(error: unknown, origin: Error): unknown {
  if (error instanceof Error) setFrames(error, userFrames(origin.stack).filter(isUserFrame));
  return error;
}

function setFrames(error: Error, frames: string[]): void {
  if (frames.length === 0) return;
  try {
    error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
  } catch {
    // A frozen error stays as it is.
  }
}

/** What a process tells another one about the error that has ended it. */
export interface FailureReport {
  /** What and where, in one line. */
  summary: string;
  /** The file in which it happened, and one that was looked for and is not there. */
  files: string[];
}

/** An error, for a process that did not see it. */
export function failureReport(error: unknown): FailureReport {
  const place = placeOf(error);
  const missing = (error as { url?: unknown } | null)?.url;
  const files = place === null ? [] : [place.file];
  if (typeof missing === 'string' && missing.startsWith('file:')) files.push(...sourcesOf(toPath(missing)));
  return { summary: place === null ? summaryOf(error) : `${summaryOf(error)} at ${placeText(place)}`, files };
}

/** An import that ends in `.js` may mean a file in TypeScript. */
function sourcesOf(path: string): string[] {
  return [path, path.replace(/\.([cm]?)js$/, '.$1ts')];
}
