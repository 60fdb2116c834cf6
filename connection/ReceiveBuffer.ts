/** So many chunks, this small on average, are joined: a chunk costs most of a kilobyte of memory, whatever is in it. */
const MANY_CHUNKS = 32;
const SMALL_CHUNK = 256;

/** Memory for a whole packet is made when a quarter of it is there: who only announces a large one gets none. */
const ANNOUNCED_PER_SENT = 4;

/** Of memory larger than this, what is cut off and what is left get their own where they are less than a quarter of it. */
const LARGE = 128 * 1024;
const PART_OF_LARGE = 4;

/** Copies what is to be kept of memory that will be written anew. */
export function keep(memory: Buffer, from: number, to: number): Buffer {
  const size = to - from;
  // Small pieces share Node's pool; a large one with memory of its own does not keep others alive.
  const kept = size < 2048 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
  memory.copy(kept, 0, from, to);
  return kept;
}

/**
 * Chunks in, contiguous bytes out. Bytes are copied at most once on the usual paths: a packet that lies in one chunk
 * is a slice of it, a packet of known length is joined when it is complete (or put together from the start, where bytes
 * have to be copied anyway), and a packet of unknown length grows in a buffer whose capacity doubles, so that input byte
 * by byte stays linear, in time as in memory. Memory that was handed out is never written again: new bytes only ever go
 * behind the last one.
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

  /**
   * Takes bytes out of memory that will be written anew.
   *
   * @param expected length of the packet that is being received, when it is known; else 0. What belongs to it goes right
   * to where the packet will lie; while the length is not known, as long as there is room.
   */
  pushCopy(memory: Buffer, from: number, to: number, expected: number): void {
    const size = expected === 0 ? to - from : Math.min(to - from, expected - this.length);
    if (size > 0) {
      if (expected > 0 && !this.#hasRoom(size) && (this.length + size) * ANNOUNCED_PER_SENT >= expected) this.#reserve(expected);
      if (this.#hasRoom(size)) {
        this.#fill(memory, from, size);
        from += size;
      }
    }
    if (from < to) this.push(keep(memory, from, to));
  }

  /** Everything buffered as one Buffer. Valid for ever, but do not write to it. */
  view(): Buffer {
    const first = this.#chunks[0];
    if (first === undefined) return Buffer.alloc(0);
    return this.#chunks.length === 1 ? first : this.#grow(first);
  }

  /** What was buffered behind the first `offset` bytes. Valid for ever, but do not write to it. */
  after(offset: number): Buffer {
    const last = this.#chunks[this.#chunks.length - 1];
    // One chunk that has just come need not be put behind the others.
    if (last !== undefined && last.length === this.length - offset) return last;
    return this.view().subarray(offset);
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
      this.length -= n;
      if (first.buffer.byteLength > LARGE) return this.#cutLarge(first, n);
      this.#chunks[0] = first.subarray(n);
      return first.subarray(0, n);
    }
    return this.#join(n);
  }

  /**
   * A packet that an application keeps, and the byte of a next one that never comes, would hold all the memory in which
   * a long packet lay before them. What is copied here is in all a part of what was received.
   */
  #cutLarge(first: Buffer, n: number): Buffer {
    const size = first.buffer.byteLength;
    const isSmall = (length: number): boolean => length * PART_OF_LARGE < size;
    if (isSmall(first.length - n)) {
      this.#chunks[0] = keep(first, n, first.length);
      this.#arena = null;
    } else {
      this.#chunks[0] = first.subarray(n);
    }
    return isSmall(n) ? keep(first, 0, n) : first.subarray(0, n);
  }

  clear(): void {
    this.#chunks = [];
    this.#arena = null;
    this.length = 0;
  }

  #hasRoom(size: number): boolean {
    return this.#arena !== null && this.#chunks.length === 1 && this.#arena.length - this.#arenaEnd >= size;
  }

  /** Everything into memory that will hold so many bytes. */
  #reserve(capacity: number): void {
    const arena = Buffer.allocUnsafeSlow(capacity);
    let end = 0;
    for (const chunk of this.#chunks) end += chunk.copy(arena, end);
    this.#arena = arena;
    this.#arenaEnd = end;
    this.#chunks = [arena.subarray(0, end)];
  }

  /** Behind the only chunk, where there is room. */
  #fill(memory: Buffer, from: number, size: number): void {
    const arena = this.#arena as Buffer;
    const end = this.#arenaEnd + memory.copy(arena, this.#arenaEnd, from, from + size);
    this.length += size;
    this.#arenaEnd = end;
    this.#chunks[0] = arena.subarray(end - this.length, end);
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
