import type { Bytes } from '../protocols/ProtocolInterface.js';
import { beginHandling, endHandling, flushSoon, flushWithTurn } from './flush.js';
import type { Wire, WireWriter } from './wire/Wire.js';

/** Bytes that come into being while they are sent: a file, a stream, an answer that waits for its session. */
export interface ByteSource {
  /**
   * The next bytes; `null` when there are none right now (the source calls `wake` once, later, when there are);
   * `undefined` when the source is exhausted. A source that fails throws: the connection is then destroyed.
   * It is asked only when the socket has room, so the source itself needs no back-pressure.
   */
  read(wake: () => void): Uint8Array | null | undefined;
  /** The connection is gone or the source is no longer wanted: release files and listeners. Called at most once. */
  cancel(): void;
}

/** What a queue tells the connection it belongs to. */
export interface SendQueueOwner {
  /** The operating system did not take everything: from now on bytes count as queued. */
  _lagging(): void;
  /** A flush of queued bytes has emptied the queue. */
  _drained(): void;
  /** A source threw. */
  _sourceFailed(error: unknown): void;
}

/** Takes the bytes that come in next in place of the receive buffer: a body that is handed out while it arrives. */
export interface ByteSink {
  /** @returns how many of the bytes were taken. The rest, if any, is not the sink's; it is {@link done} then. */
  write(chunk: Buffer): number;
  /** True when the sink has all that it wanted: what comes behind is the connection's again. */
  readonly done: boolean;
  /** No more will come: the connection is closed, or closing. */
  cancel(): void;
}

type Item = Bytes | ByteSource;

/** Bytes collected in one tick beyond this are written at once, so that `send` can say whether the OS took them. */
const TICK_LIMIT = 65_536;

const isSource = (item: Item): item is ByteSource => typeof item === 'object' && !(item instanceof Uint8Array);

const sizeOf = (bytes: Bytes): number => (typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length);

/**
 * The bytes of one connection on their way out, and the only one who writes to its wire once it is established.
 *
 * Sends of one tick are collected and leave in one write. What the operating system does not take stays with the
 * wire ("in flight", at most one write), everything behind it waits here, so that `size` counts what PHP's send
 * buffer would hold. Sources are asked for bytes one piece at a time, when nothing is in flight.
 */
export class SendQueue implements WireWriter {
  readonly #owner: SendQueueOwner;
  #wire: Wire | null;
  /** What waits: the first item by itself, because nearly always it is the only one. */
  #first: Item | null = null;
  #rest: Item[] | null = null;
  /** Bytes in the items, sources not counted. While they only wait for the end of the tick, characters of text. */
  #waiting = 0;
  #isExact = true;
  #inFlight = false;
  #sourceWaits = false;
  #sources = 0;
  #scheduled = false;
  /** Something was left over by a flush, so that the end of it is worth `onBufferDrain`. */
  #lagging = false;
  /** Bytes that went out over wires which are no longer ours. */
  #past = 0;
  #corked = false;

  constructor(owner: SendQueueOwner, wire: Wire | null) {
    this.#owner = owner;
    this.#wire = wire;
  }

  /** Sets the wire of a connection that can send from now on: established, and under TLS past its handshake. */
  attach(wire: Wire): void {
    this.#wire = wire;
  }

  /** Bytes that the operating system has not taken yet. Those collected in this tick count. */
  get size(): number {
    if (!this.#isExact) this.#recount();
    return this.#waiting + this.#pending();
  }

  /** True when nothing older waits: no write in flight, no leftover, no source. Bytes of this tick do not count. */
  get idle(): boolean {
    return !this.#inFlight && !this.#lagging;
  }

  /** True when there is nothing at all to send. */
  get empty(): boolean {
    return !this.#inFlight && this.#first === null;
  }

  /** Sources that are not exhausted. Any number of bytes may still come of them. */
  get sources(): number {
    return this.#sources;
  }

  /** Bytes that the operating system has accepted. */
  get written(): number {
    return this.#past + (this.#wire?.dispatched ?? 0) - this.#pending();
  }

  /**
   * While a write is in flight, a number that grows with every byte that the operating system takes of it; null when
   * none is. Only good for comparing: a peer for which it stands still does not read.
   */
  get progress(): number | null {
    return this.#inFlight && this.#wire !== null ? this.#past + this.#wire.progress : null;
  }

  /** Collects bytes. They are written at the end of the tick, or at once when they are many. */
  add(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#count(bytes);
    this.#append(bytes);
    if (this.#inFlight || this.#sourceWaits) return;
    if (this.#waiting > TICK_LIMIT) this.flush();
    else this.#schedule();
  }

  /** Counting the bytes of a text costs time, and nobody asks for them while all of it leaves with this tick. */
  #count(bytes: Bytes): void {
    if (typeof bytes !== 'string') {
      this.#waiting += bytes.length;
    } else if (this.#wire !== null && !this.#wire.countsBytes && this.idle) {
      this.#waiting += bytes.length;
      this.#isExact = false;
    } else {
      if (!this.#isExact) this.#recount();
      this.#waiting += Buffer.byteLength(bytes);
    }
  }

  #append(item: Item): void {
    const rest = this.#rest;
    const last = rest === null ? this.#first : (rest[rest.length - 1] as Item);
    const joined = typeof item === 'string' && typeof last === 'string' ? last + item : null;
    if (last === null) this.#first = item;
    else if (rest !== null) {
      if (joined === null) rest.push(item);
      else rest[rest.length - 1] = joined;
    } else if (joined === null) this.#rest = [item];
    else this.#first = joined;
  }

  /** Appends a source; what is added later goes out behind its last byte. */
  addSource(source: ByteSource): void {
    if (!this.#isExact) this.#recount();
    this.#append(source);
    this.#sources++;
    this.#lagging = true;
    if (!this.#inFlight && !this.#sourceWaits) this.#schedule();
  }

  /** While corked, nothing is scheduled: what is sent belongs to what is being handled, and leaves with the turn. */
  cork(): void {
    this.#corked = true;
    beginHandling(this);
  }

  uncork(): void {
    this.#corked = false;
    endHandling();
    if (this.#first === null || this.#scheduled || this.#inFlight || this.#sourceWaits) return;
    this.#scheduled = true;
    flushWithTurn(this);
  }

  /** Gives the wire what it can take now. */
  flush(): void {
    this.#scheduled = false;
    const wire = this.#wire;
    if (wire === null) {
      if (this.#first !== null) this.#lagging = true;
      return;
    }
    // The owner may close the connection over a source, and even attach another wire: that one is not for this flush.
    while (this.#wire === wire && !this.#inFlight && !this.#sourceWaits && this.#first !== null) {
      if (isSource(this.#first)) this.#pull(this.#first, wire);
      else this.#writeBytes(this.#first, wire);
    }
    if (this.#inFlight || this.#first !== null) {
      if (this.#lagging) return;
      this.#lagging = true;
      if (!this.#isExact) this.#recount();
      this.#owner._lagging();
    } else if (this.#lagging) {
      this.#lagging = false;
      this.#owner._drained();
    }
  }

  /** Forgets everything that has not gone to the wire yet. */
  clear(): void {
    const items = this.#items();
    this.#first = this.#rest = null;
    this.#waiting = 0;
    this.#isExact = true;
    this.#sourceWaits = false;
    this.#sources = 0;
    this.#lagging = false;
    for (const item of items) if (isSource(item)) item.cancel();
  }

  /** Lets go of the wire: `size` and `written` no longer look at it. */
  detach(): void {
    this.#past = this.written;
    if (this.#first !== null || this.#lagging) this.clear();
    this.#inFlight = false;
    this.#wire = null;
  }

  #items(): Item[] {
    return this.#first === null ? [] : [this.#first, ...(this.#rest ?? [])];
  }

  #schedule(): void {
    if (this.#scheduled || this.#corked) return;
    this.#scheduled = true;
    flushSoon(this);
  }

  #writeBytes(first: Bytes, wire: Wire): void {
    const rest = this.#rest;
    this.#first = null;
    if (rest === null) {
      this.#waiting = 0;
      this.#isExact = true;
      wire.write(first);
    } else this.#writeBatch(first, rest, wire);
    this.#inFlight = wire.busy;
  }

  /** Everything in front of the first source, in one write. */
  #writeBatch(first: Bytes, rest: Item[], wire: Wire): void {
    let end = rest.findIndex(isSource);
    if (end < 0) end = rest.length;
    const batch = [first, ...(rest.slice(0, end) as Bytes[])];
    this.#first = rest[end] ?? null;
    this.#rest = rest.length > end + 1 ? rest.slice(end + 1) : null;
    this.#recount();
    if (batch.length === 1) wire.write(first);
    else wire.writeAll(batch);
  }

  #recount(): void {
    this.#isExact = true;
    this.#waiting = 0;
    for (const item of this.#items()) if (!isSource(item)) this.#waiting += sizeOf(item);
  }

  #pull(source: ByteSource, wire: Wire): void {
    let bytes: Uint8Array | null | undefined;
    this.#sourceWaits = true;
    try {
      bytes = source.read(() => this.#wake(source));
    } catch (error) {
      this.#owner._sourceFailed(error);
      return;
    }
    if (bytes === null || this.#first !== source) return;
    this.#sourceWaits = false;
    if (bytes === undefined) {
      this.#shift();
      this.#sources--;
      source.cancel();
      return;
    }
    wire.write(bytes);
    this.#inFlight = wire.busy;
  }

  #shift(): void {
    const rest = this.#rest;
    this.#first = rest?.shift() ?? null;
    if (rest?.length === 0) this.#rest = null;
  }

  #wake(source: ByteSource): void {
    if (this.#first !== source || !this.#sourceWaits) return;
    this.#sourceWaits = false;
    this.flush();
  }

  /** @internal Only the end of a write in flight matters. */
  _onTaken(): void {
    if (!this.#inFlight || this.#wire === null || this.#wire.busy) return;
    this.#inFlight = false;
    this.flush();
  }

  /** Bytes handed to the wire that the operating system has not taken. */
  #pending(): number {
    return this.#inFlight && this.#wire !== null ? this.#wire.pending : 0;
  }
}
