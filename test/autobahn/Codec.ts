import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';

/** How both directions of a connection are compressed, seen from the tester. */
export interface DeflateSetting {
  /** Window for what the tester sends. */
  sendBits: number;
  /** Each message that the tester sends is compressed by itself. */
  sendAlone: boolean;
  /** Window that the subject has to keep to. */
  receiveBits: number;
  /** Each message of the subject has to be compressed by itself. */
  receiveAlone: boolean;
}

const TAIL = Buffer.of(0, 0, 0xff, 0xff);

/** One direction: a zlib stream that messages are put through. */
class Stream {
  readonly #make: () => DeflateRaw | InflateRaw;
  readonly #alone: boolean;
  #stream: DeflateRaw | InflateRaw | null = null;
  #out: Buffer[] = [];
  #failed: ((error: Error) => void) | null = null;

  constructor(make: () => DeflateRaw | InflateRaw, alone: boolean) {
    this.#make = make;
    this.#alone = alone;
  }

  put(pieces: readonly Uint8Array[]): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      const stream = (this.#stream ??= this.#open());
      for (const piece of pieces) stream.write(piece);
      stream.flush(constants.Z_SYNC_FLUSH, () => {
        const all = Buffer.concat(this.#out);
        this.#out = [];
        if (this.#alone) this.close();
        resolve(all);
      });
    });
  }

  close(): void {
    this.#stream?.close();
    this.#stream = null;
  }

  #open(): DeflateRaw | InflateRaw {
    const stream = this.#make();
    stream.on('data', (chunk: Buffer) => this.#out.push(chunk));
    stream.on('error', (error) => this.#failed?.(error));
    return stream;
  }
}

/** The tester's end of permessage-deflate, strict about what was agreed on. */
export class Codec {
  readonly #deflate: Stream;
  readonly #inflate: Stream;

  constructor({ sendBits, sendAlone, receiveBits, receiveAlone }: DeflateSetting) {
    this.#deflate = new Stream(() => createDeflateRaw({ windowBits: sendBits }), sendAlone);
    // A distance beyond the window is an error of zlib, and a reference to the message before too in a new context.
    this.#inflate = new Stream(() => createInflateRaw({ windowBits: receiveBits }), receiveAlone);
  }

  async pack(message: Uint8Array): Promise<Buffer> {
    if (message.length === 0) return Buffer.of(0);
    return (await this.#deflate.put([message])).subarray(0, -4);
  }

  unpack(payload: Buffer): Promise<Buffer> {
    return this.#inflate.put([payload, TAIL]);
  }

  close(): void {
    this.#deflate.close();
    this.#inflate.close();
  }
}
