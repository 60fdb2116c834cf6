import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** A socket without a network: what the test pushes is read at once, what is written is kept. */
export class FakeSocket extends Duplex {
  readonly #written: Buffer[] = [];

  constructor() {
    super({ allowHalfOpen: true, decodeStrings: true });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#written.push(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.#written.push(chunk);
    done();
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  /** All that was written so far. */
  get written(): Buffer {
    return Buffer.concat(this.#written);
  }

  /** The same, as what TcpConnection takes. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}
