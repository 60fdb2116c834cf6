/** So many chunks, this small on average, are joined: a chunk costs most of a kilobyte of memory, whatever is in it. */
const MANY_CHUNKS = 32;
const SMALL_CHUNK = 256;

/**
 * Chunks in, contiguous bytes out. Bytes are copied at most once on the usual paths: a packet that lies in one chunk
 * is a slice of it, a packet of known length is joined when it is complete, and a packet of unknown length grows in a
 * buffer whose capacity doubles, so that byte-by-byte input stays linear, in time as in memory. Memory that was handed
 * out is never written again: new bytes only ever go behind the last one.
 */
export class ReceiveBuffer {
  /** Bytes buffered. */
  length = 0;
  #chunks: Buffer[] = [];
  /** The first chunk's underlying memory when it is ours and has room behind its end. */
  #arena: Buffer | null = null;
  #arenaEnd = 0;

  push(chunk: Buffer): void {
    const chunks = this.#chunks;
    chunks.push(chunk);
    this.length += chunk.length;
    if (chunks.length > MANY_CHUNKS && this.length - chunks[0]!.length < chunks.length * SMALL_CHUNK) this.view();
  }

  /** Everything buffered as one Buffer. Valid for ever, but do not write to it. */
  view(): Buffer {
    const first = this.#chunks[0];
    if (first === undefined) return Buffer.alloc(0);
    return this.#chunks.length === 1 ? first : this.#grow(first);
  }

  /** Cuts the first `n` bytes off (`n` at most `length`). */
  take(n: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length === n) {
      this.#chunks.shift();
      this.length -= n;
      this.#arena = null;
      return first;
    }
    if (first.length > n) {
      this.#chunks[0] = first.subarray(n);
      this.length -= n;
      return first.subarray(0, n);
    }
    return this.#join(n);
  }

  clear(): void {
    this.#chunks = [];
    this.#arena = null;
    this.length = 0;
  }

  #join(n: number): Buffer {
    const whole = Buffer.allocUnsafeSlow(n);
    let filled = 0;
    let used = 0;
    while (filled < n) {
      const chunk = this.#chunks[used] as Buffer;
      const part = Math.min(chunk.length, n - filled);
      chunk.copy(whole, filled, 0, part);
      filled += part;
      if (part < chunk.length) this.#chunks[used] = chunk.subarray(part);
      else used++;
    }
    this.#chunks.splice(0, used);
    this.#arena = null;
    this.length -= n;
    return whole;
  }

  #grow(first: Buffer): Buffer {
    const arena = this.#arena;
    const room = arena === null ? 0 : arena.length - this.#arenaEnd;
    const added = this.length - first.length;
    let target = arena;
    let end = this.#arenaEnd;
    if (target === null || room < added) {
      target = Buffer.allocUnsafeSlow(Math.max(this.length * 2, 1024));
      end = first.copy(target, 0);
      this.#arena = target;
    }
    for (let i = 1; i < this.#chunks.length; i++) end += (this.#chunks[i] as Buffer).copy(target, end);
    this.#arenaEnd = end;
    const joined = target.subarray(end - this.length, end);
    this.#chunks = [joined];
    return joined;
  }
}
