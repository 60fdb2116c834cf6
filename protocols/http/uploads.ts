import { closeSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FilePart } from './parse/multipart.js';
import { MAX_INPUT_VARS, type Nested, nestPairs } from './parse/query.js';

/**
 * Uploaded files on disk. They are written and removed synchronously: `request.file()` has its result at once, as in
 * Workerman, and each file is written once, straight from the request's bytes.
 */

/** One uploaded file. It has no prototype. */
export interface UploadedFile {
  /** The file name as the client sent it, with whatever path is in it: never use it as a path as it is. */
  name: string;
  /** Where the content is; `''` unless `error` is 0. Deleted with the request unless it was moved. */
  tmp_name: string;
  /** Bytes. */
  size: number;
  /** 0 there is a file, 4 none was chosen, 6 the folder for uploads is missing, 7 it could not be written. */
  error: number;
  /** The path within the folder that was chosen, where the client sends one, else the file name. */
  full_path: string;
  /** The content type that the client claims; `''` without one. */
  type: string;
}

/** What a name can stand for: a file, or lists and records of files where the name had brackets. */
export type FileValue = Nested<UploadedFile>;

const OK = 0;
const NO_FILE = 4;
const NO_FOLDER = 6;
const NOT_WRITTEN = 7;

const PREFIX = 'workerman.upload.';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const NAME_LENGTH = 6;
/** New names that are tried when one is taken. */
const ATTEMPTS = 64;

let folder = '';

/** The folder for uploads; with an argument, sets it (`''`: the system's folder for temporary files). */
export function uploadTmpDir(path?: string | null): string {
  if (path !== undefined && path !== null) folder = path;
  return folder === '' ? tmpdir() : folder;
}

/** Every file of the process that has to be gone when it exits. */
const live = new Set<string>();

/**
 * Files of requests that no connection sees off: made by hand, or asked for their files when all was over. Workerman
 * removes files when PHP frees the request; so does this.
 */
const forgotten = new FinalizationRegistry((files: TempFiles) => files.remove());

/** The temporary files of one request. */
export class TempFiles {
  #paths: string[] = [];
  #files: UploadedFile[] = [];

  /** @param request whose files they are; without it, they are gone */
  constructor(request: object) {
    forgotten.register(request, this);
  }

  /** Writes the files, and gives them nested by their names. Files of an earlier call stay until {@link remove}. */
  store(parts: readonly FilePart[]): Record<string, FileValue> {
    const taken = parts.slice(0, MAX_INPUT_VARS);
    this.#files = taken.map((part) => this.#storeOne(part));
    return nestPairs(taken.map((part, i) => [part.name, this.#files[i] as UploadedFile]));
  }

  /** True when the application has moved or removed a file of the last {@link store}. */
  get wereMoved(): boolean {
    return this.#files.some((file) => file.error === OK && !isFile(file.tmp_name));
  }

  /** Removes what is still where it was written. */
  remove(): void {
    for (const path of this.#paths) removeFile(path);
    this.#paths = [];
  }

  #storeOne({ filename, fullPath, type, content }: FilePart): UploadedFile {
    // An input in which no file was chosen is sent as an empty file without a name.
    const isChosen = filename !== '' || content.length > 0;
    const written = isChosen ? this.#write(content) : NO_FILE;
    const file = Object.create(null) as UploadedFile;
    file.name = filename;
    file.tmp_name = typeof written === 'string' ? written : '';
    file.size = content.length;
    file.error = typeof written === 'string' ? OK : written;
    file.full_path = fullPath;
    file.type = type;
    return file;
  }

  /** @returns the path, or the number of the error */
  #write(content: Buffer): string | number {
    for (let attempt = 1; ; attempt++) {
      const path = join(uploadTmpDir(), PREFIX + randomName());
      try {
        writeNew(path, content);
        this.#paths.push(path);
        return path;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return NO_FOLDER;
        if (code !== 'EEXIST' || attempt === ATTEMPTS) return NOT_WRITTEN;
      }
    }
  }
}

/** A file that nobody else can have made or may read. What was written of one that fails is removed. */
function writeNew(path: string, content: Buffer): void {
  const fd = openSync(path, 'wx', 0o600);
  addLive(path);
  try {
    for (let written = 0; written < content.length;) written += writeSync(fd, content, written);
  } catch (error) {
    removeFile(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function randomName(): string {
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  let name = '';
  for (const byte of randomBytes(NAME_LENGTH)) name += LETTERS[byte % LETTERS.length];
  return name;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Moved or removed by the application, which is its right.
  }
  live.delete(path);
  if (live.size === 0) process.off('exit', removeAll);
}

function addLive(path: string): void {
  if (live.size === 0) process.on('exit', removeAll);
  live.add(path);
}

function removeAll(): void {
  for (const path of live) removeFile(path);
}
