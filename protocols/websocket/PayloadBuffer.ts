const EMPTY = Buffer.alloc(0);

/**
 * Collects a payload that arrives in pieces, in memory of its own: so a message may be a million fragments of one
 * byte, or one frame that comes byte by byte, and costs linear time and at most twice the memory that it has bytes. What a
 * frame only announces is not allocated before a good part of it has come.
 */
export class PayloadBuffer {
  /** Bytes collected; they are at the beginning of {@link memory}. */
  length = 0;
  memory: Buffer = EMPTY;

  /**
   * Copies `source[from..to)` behind what is there.
   *
   * @param pending bytes of the same frame that are still to come behind these
   * @param last no more frames follow, so that the end is known
   */
  append(source: Buffer, from: number, to: number, pending: number, last: boolean): void {
    const needed = this.length + to - from;
    if (needed > this.memory.length) this.#grow(needed, needed + pending, last);
    source.copy(this.memory, this.length, from, to);
    this.length = needed;
  }

  /** Hands the bytes out and begins anew. The memory is the receiver's for good. */
  take(): Buffer {
    const bytes = this.memory.subarray(0, this.length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.memory = EMPTY;
    this.length = 0;
  }

  #grow(needed: number, frameEnd: number, last: boolean): void {
    const doubled = Math.max(needed, this.memory.length * 2);
    let capacity = doubled;
    if (frameEnd <= needed * 8) capacity = last ? frameEnd : Math.max(frameEnd, doubled);
    const memory = Buffer.allocUnsafeSlow(capacity);
    this.memory.copy(memory, 0, 0, this.length);
    this.memory = memory;
  }
}
