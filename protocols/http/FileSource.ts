import { close, read } from 'node:fs';
import type { ByteSource } from '../../connection/SendQueue.js';

/**
 * Most bytes that are read, and held in memory, at a time: what a client that does not read costs. Workerman reads a
 * mebibyte; an eighth of it still fills ten gigabits a second, and a thousand clients hold 128 MB and not a gigabyte.
 */
const PIECE = 128 * 1024;

/**
 * A part of an open file as a source of bytes: read in pieces off the event loop, each when the connection has room for
 * it. Owns the descriptor and closes it when the last byte is read, on a failure and on cancel, but never under a read
 * that is still going on: the number could belong to another file by then.
 */
export class FileSource implements ByteSource {
  private readonly fd: number;
  private position: number;
  private left: number;
  private piece: Uint8Array | null = null;
  private failure: Error | null = null;
  private reading = false;
  private open = true;
  private done = false;
  private wake: (() => void) | null = null;

  /** @param length bytes to send, beginning at `position`; the file has to have them all. */
  constructor(fd: number, position: number, length: number) {
    this.fd = fd;
    this.position = position;
    this.left = length;
    if (length <= 0) this.finish();
  }

  /**
   * The next piece; null while it is being read; undefined after the last.
   *
   * @throws Error when the file can not be read, or has become shorter than its announced length.
   */
  read(wake: () => void): Uint8Array | null | undefined {
    if (this.failure) throw this.failure;
    const piece = this.piece;
    if (piece) {
      this.piece = null;
      return piece;
    }
    if (this.done) return undefined;
    this.wake = wake;
    if (!this.reading) this.startReading();
    return null;
  }

  /** Gives the file back; nothing is read any more. */
  cancel(): void {
    this.piece = null;
    this.wake = null;
    this.finish();
  }

  private startReading(): void {
    this.reading = true;
    // Above Node's pool size, so no slice of a shared buffer and no zero filling.
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, this.left));
    read(this.fd, buffer, 0, buffer.length, this.position, (error, count) => this.onRead(error, buffer, count));
  }

  private onRead(error: Error | null, buffer: Buffer, count: number): void {
    this.reading = false;
    if (!this.done) {
      if (error) this.fail(error);
      else if (count === 0) this.fail(new Error(`The file ended ${this.left} bytes before its announced length`));
      else this.accept(buffer.subarray(0, count));
    }
    this.release();
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }

  private accept(piece: Buffer): void {
    this.piece = piece;
    this.position += piece.length;
    this.left -= piece.length;
    if (this.left === 0) this.finish();
  }

  private fail(error: Error): void {
    this.failure = error;
    this.finish();
  }

  private finish(): void {
    this.done = true;
    this.release();
  }

  private release(): void {
    if (!this.done || this.reading || !this.open) return;
    this.open = false;
    // Nothing was written, so there is nothing that closing could fail to save.
    close(this.fd, () => {});
  }
}
