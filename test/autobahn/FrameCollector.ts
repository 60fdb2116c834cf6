import { type ReadFrame } from '../support/websocket.js';

/** Takes the stream of a peer apart, linear in its length also for the largest frames. */
export class FrameCollector {
  /** In the order in which they came. */
  readonly frames: ReadFrame[] = [];
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of the frame under way, header and all; 0 when its header is not complete. */
  #needed = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#takeOne());
  }

  /** Bytes of a frame that is not complete. */
  get left(): number {
    return this.#length;
  }

  #takeOne(): boolean {
    if (this.#needed === 0) this.#needed = this.#measure();
    if (this.#needed === 0 || this.#length < this.#needed) return false;
    const all = this.#join();
    this.frames.push(parse(all.subarray(0, this.#needed)));
    this.#chunks = [all.subarray(this.#needed)];
    this.#length -= this.#needed;
    this.#needed = 0;
    return true;
  }

  #join(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #measure(): number {
    if (this.#length < 2) return 0;
    const bytes = this.#join();
    const short = bytes[1]! & 127;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (bytes.length < 2 + extra) return 0;
    const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    return 2 + extra + (bytes[1]! >= 128 ? 4 : 0) + length;
  }
}

function parse(bytes: Buffer): ReadFrame {
  const short = bytes[1]! & 127;
  const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
  const masked = bytes[1]! >= 128;
  const start = lengthEnd + (masked ? 4 : 0);
  const payload = Buffer.from(bytes.subarray(start));
  if (masked) {
    const key = bytes.subarray(lengthEnd, start);
    for (let i = 0; i < payload.length; i++) payload[i]! ^= key[i & 3]!;
  }
  return {
    fin: bytes[0]! >= 128,
    rsv: (bytes[0]! >> 4) & 7,
    opcode: bytes[0]! & 15,
    masked,
    payload,
    size: bytes.length,
  };
}
