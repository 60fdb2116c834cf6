import type { Socket } from 'node:net';
import type { Bytes } from '../protocols/ProtocolInterface.js';

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
}

/** What Node's sockets have no public name for: the bytes that libuv still holds, and the socket below one of TLS. */
interface SocketInternals {
  _handle?: { writeQueueSize?: number } | null;
  _parent?: SocketInternals | null;
}

type Item = Bytes | ByteSource;

/** Bytes collected in one tick beyond this are written at once, so that `send` can say whether the OS took them. */
const TICK_LIMIT = 65_536;

const isSource = (item: Item): item is ByteSource => typeof item === 'object' && !(item instanceof Uint8Array);

let dirty: SendQueue[] = [];

/** Writes what every queue of the process has collected in this tick. */
export function flushAll(): void {
  const queues = dirty;
  dirty = [];
  for (const queue of queues) queue.flush();
}

/**
 * The bytes of one connection on their way out, and the only caller of `socket.write` once it is established.
 *
 * Sends of one tick are collected and leave in one write. What the operating system does not take stays with the
 * socket ("in flight", at most one write), everything behind it waits here, so that `size` counts what PHP's send
 * buffer would hold. Sources are asked for bytes one piece at a time, when nothing is in flight.
 */
export class SendQueue {
  readonly #owner: SendQueueOwner;
  #socket: Socket | null;
  #items: Item[] = [];
  /** Bytes in #items, sources not counted. */
  #waiting = 0;
  #inFlight = false;
  #sourceWaits = false;
  #sources = 0;
  #scheduled = false;
  /** Something was left over by a flush, so that the end of it is worth `onBufferDrain`. */
  #lagging = false;
  /** Bytes handed to the socket over its life. */
  #dispatched = 0;
  #corked = false;
  readonly #written = (): void => this.#onWritten();

  constructor(owner: SendQueueOwner, socket: Socket | null) {
    this.#owner = owner;
    this.#socket = socket;
  }

  /** Sets the socket of a connection that can send from now on: established, and under TLS past its handshake. */
  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Bytes that the operating system has not taken yet. Those collected in this tick count. */
  get size(): number {
    return this.#waiting + this.#pending();
  }

  /** True when nothing older waits: no write in flight, no leftover, no source. Bytes of this tick do not count. */
  get idle(): boolean {
    return !this.#inFlight && !this.#lagging;
  }

  /** True when there is nothing at all to send. */
  get empty(): boolean {
    return !this.#inFlight && this.#items.length === 0;
  }

  /** Sources that are not exhausted. Any number of bytes may still come of them. */
  get sources(): number {
    return this.#sources;
  }

  /** Bytes that the operating system has accepted. */
  get written(): number {
    return this.#dispatched - this.#pending();
  }

  /**
   * While a write is in flight, a number that grows with every byte that the operating system takes of it; null when
   * none is. Only good for comparing: a peer for which it stands still does not read.
   */
  get progress(): number | null {
    const socket = this.#socket as SocketInternals | null;
    if (!this.#inFlight || socket === null) return null;
    // Under TLS the socket below counts, in encrypted bytes; the one above knows whole writes only.
    const handle = (socket._parent ?? socket)._handle;
    return this.#dispatched - (handle?.writeQueueSize ?? (socket as Socket).writableLength);
  }

  /** Collects bytes. They are written at the end of the tick, or at once when they are many. */
  add(bytes: Bytes): void {
    if (bytes.length === 0) return;
    const last = this.#items.length - 1;
    const tail = this.#items[last];
    this.#waiting += typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    if (typeof bytes === 'string' && typeof tail === 'string') this.#items[last] = tail + bytes;
    else this.#items.push(bytes);
    if (this.#inFlight || this.#sourceWaits) return;
    if (this.#waiting > TICK_LIMIT) this.flush();
    else this.#schedule();
  }

  /** Appends a source; what is added later goes out behind its last byte. */
  addSource(source: ByteSource): void {
    this.#items.push(source);
    this.#sources++;
    this.#lagging = true;
    if (!this.#inFlight && !this.#sourceWaits) this.#schedule();
  }

  /** While corked, nothing is scheduled: the one who corked flushes. Saves a tick for answers within one read. */
  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    if (this.#items.length > 0) this.flush();
  }

  /** Gives the socket what it can take now. */
  flush(): void {
    this.#scheduled = false;
    const socket = this.#socket;
    if (socket === null) {
      if (this.#items.length > 0) this.#lagging = true;
      return;
    }
    // The owner may close the connection over a source, and even attach another socket: that one is not for this flush.
    while (this.#socket === socket && !this.#inFlight && !this.#sourceWaits && this.#items.length > 0) {
      const first = this.#items[0] as Item;
      if (isSource(first)) this.#pull(first, socket);
      else this.#writeBytes(socket);
    }
    if (this.#inFlight || this.#items.length > 0) {
      if (this.#lagging) return;
      this.#lagging = true;
      this.#owner._lagging();
    } else if (this.#lagging) {
      this.#lagging = false;
      this.#owner._drained();
    }
  }

  /** Forgets everything that has not gone to the socket yet. */
  clear(): void {
    const items = this.#items;
    this.#items = [];
    this.#waiting = 0;
    this.#sourceWaits = false;
    this.#sources = 0;
    this.#lagging = false;
    for (const item of items) if (isSource(item)) item.cancel();
  }

  /** Lets go of the socket: `size` and `written` no longer look at it. */
  detach(): void {
    this.#dispatched = this.written;
    this.clear();
    this.#inFlight = false;
    this.#socket = null;
  }

  #schedule(): void {
    if (this.#scheduled || this.#corked) return;
    this.#scheduled = true;
    if (dirty.length === 0) process.nextTick(flushAll);
    dirty.push(this);
  }

  #writeBytes(socket: Socket): void {
    const items = this.#items;
    let end = 1;
    while (end < items.length && !isSource(items[end] as Item)) end++;
    const batch = end === items.length ? items : items.slice(0, end);
    this.#items = end === items.length ? [] : items.slice(end);
    this.#dispatched += this.#waiting;
    this.#waiting = 0;
    if (this.#items.length > 0) this.#recount();
    if (batch.length === 1) this.#write(socket, batch[0] as Bytes);
    else {
      socket.cork();
      for (const bytes of batch) this.#write(socket, bytes as Bytes);
      socket.uncork();
    }
    this.#inFlight = socket.writableLength > 0;
  }

  /** Only after a partial batch in front of a source: what is behind the source still waits. */
  #recount(): void {
    for (const item of this.#items) {
      if (isSource(item)) continue;
      this.#waiting += typeof item === 'string' ? Buffer.byteLength(item) : item.length;
    }
    this.#dispatched -= this.#waiting;
  }

  #write(socket: Socket, bytes: Bytes): void {
    if (typeof bytes === 'string') socket.write(bytes, 'utf8', this.#written);
    else socket.write(bytes, this.#written);
  }

  #pull(source: ByteSource, socket: Socket): void {
    let bytes: Uint8Array | null | undefined;
    this.#sourceWaits = true;
    try {
      bytes = source.read(() => this.#wake(source));
    } catch (error) {
      this.#owner._sourceFailed(error);
      return;
    }
    if (bytes === null || this.#items[0] !== source) return;
    this.#sourceWaits = false;
    if (bytes === undefined) {
      this.#items.shift();
      this.#sources--;
      source.cancel();
      return;
    }
    this.#dispatched += bytes.length;
    socket.write(bytes, this.#written);
    this.#inFlight = socket.writableLength > 0;
  }

  #wake(source: ByteSource): void {
    if (this.#items[0] !== source || !this.#sourceWaits) return;
    this.#sourceWaits = false;
    this.flush();
  }

  /** Runs for every write; only the one that ends a write in flight matters (Node calls back in order). */
  #onWritten(): void {
    if (!this.#inFlight || this.#socket === null || this.#socket.writableLength > 0) return;
    this.#inFlight = false;
    this.flush();
  }

  /** Bytes handed to the socket that the operating system has not taken. */
  #pending(): number {
    const socket = this.#socket;
    if (!this.#inFlight || socket === null) return 0;
    // Under TLS the handle counts encrypted bytes.
    if ('encrypted' in socket) return socket.writableLength;
    // The libuv count is exact for a write that was taken in part; Node's public figure knows only whole writes.
    const exact = (socket as SocketInternals)._handle?.writeQueueSize;
    return typeof exact === 'number' && exact > 0 ? exact : socket.writableLength;
  }
}
