import type { ProtocolInterface, UserValue } from '../protocols/ProtocolInterface.js';
import { ConnectionInterface, isThenable, promiseOf } from './ConnectionInterface.js';
import { beforeInput } from './flush.js';
import { hooks } from './hooks.js';
import { decodePacket, PacketBuffer, textOf } from './PacketBuffer.js';
import { keep } from './ReceiveBuffer.js';
import type { ByteSink, SendQueue } from './SendQueue.js';
import type { ConnectionStatus } from './status.js';
import { CLOSED, CLOSING, ENDING, ESTABLISHED } from './status.js';
import { hadItsTurn } from './turn.js';
import { begin, end } from './unfinished.js';
import type { Wire, WireListener } from './wire/Wire.js';

const NOTHING: Buffer = Buffer.alloc(0);

/** In place of a message that could not be decoded. */
const FAILED: unique symbol = Symbol('failed');

/**
 * The receiving half of a stream connection: from the bytes that come in to the messages that are handed out, one after
 * the other, and when to stop reading meanwhile.
 *
 * Members that begin with `_` belong to the package.
 */
export abstract class ReceivingConnection<Message = UserValue, Self = UserValue>
  extends ConnectionInterface<Message, Self>
  implements WireListener
{
  /** Bytes read off the wire; under TLS those of the plain text. */
  bytesRead = 0;
  /** @internal When the last bytes came in (or the connection was made), in milliseconds since 1970. */
  _lastRead: number = Date.now();
  abstract readonly id: number;
  /** Longest packet in bytes; a longer one closes the connection. */
  abstract maxPackageSize: number;
  /** Queued bytes from which on no more is taken. */
  abstract maxSendBufferSize: number;

  protected abstract _status: ConnectionStatus;
  protected abstract _wire: Wire | null;
  protected abstract readonly _queue: SendQueue;
  protected readonly _received: PacketBuffer = new PacketBuffer();
  /** @internal For `recognise`: the length of the packet that it has found. */
  _recognised = 0;
  /** The peer has ended or reset the connection while it was paused: that goes unnoticed until it is resumed. */
  protected _endMissed = false;

  #protocol: ProtocolInterface | null = null;
  #paused = false;
  #dispatching = false;
  /** Bytes behind the packet that is handed out, still in memory that all connections share. */
  #behind = 0;
  /** A sequential protocol's handler, or the protocol itself, is at work: no packet is cut. */
  #busy = false;
  /** Handlers that have promised something, where the next packet does not wait for it. */
  #pending = 0;
  /** A packet for `decode` that came while paused, see _deliver. */
  #held: Buffer | null = null;
  /** The wire is not read because too much waits behind a pending handler or an answer that is not taken. */
  #throttled = false;
  /** Takes received bytes in place of the buffer. */
  #sink: ByteSink | null = null;
  /** The wire is not read because the sink has no room. */
  #sinkFull = false;
  /** The wire is not read until the next turn of the event loop. */
  #resting = false;
  /** Received bytes that the protocol knows to be waiting. */
  #reported = 0;
  /** While the protocol is at work, the peer's end waits too: what came before it has still to be handed out. */
  #holdsEnd = false;
  /** @internal */
  abstract destroy(): void;
  /** @internal */
  abstract override close(data?: unknown, raw?: boolean): void;
  /** @internal */
  abstract _onSocketError(error: NodeJS.ErrnoException): void;

  static {
    // A property for TypeScript, which lets nobody write `class Mine extends TcpConnection { protocol = Text }` over
    // accessors.
    Object.defineProperty(this.prototype, 'protocol', {
      get(this: ReceivingConnection) {
        return this.#protocol;
      },
      set(this: ReceivingConnection, next: ProtocolInterface | null) {
        this.#speak(next);
      },
    });
  }

  #speak(next: ProtocolInterface | null): void {
    const left = this.#protocol;
    if (next === left) return;
    this.#protocol = next;
    left?.onLeave?.(this);
    this.#reported = 0;
    if (this._status === ESTABLISHED) next?.onAccept?.(this);
  }

  /** Stops reading and handing out packets. */
  pauseRecv(): void {
    if (this.#paused || this._status === CLOSED) return;
    this.#paused = true;
    this._wire?.pause();
  }

  /** Reads again and hands out the packets that are already complete. Nothing when not paused, or closing. */
  resumeRecv(): void {
    if (!this.#paused || (this._status & (CLOSING | CLOSED)) !== 0) return;
    this.#paused = false;
    this.#readOn();
    const held = this.#held;
    this.#held = null;
    if (held !== null) this._deliver(held);
    else this._goOn();
    // Behind the data that came before it, and not inside this call.
    this.#noticeEnd();
  }

  /** Soon: what has ended while the connection was paused, or its protocol at work. */
  #noticeEnd(): void {
    if (!this._endMissed) return;
    process.nextTick(() => {
      if (this._endMissed && !this.#holdsEnd) this._onEnd();
    });
  }

  /** @internal True between `pauseRecv` and `resumeRecv`. */
  get _paused(): boolean {
    return this.#paused;
  }

  /** Bytes received and not handed out yet. */
  getRecvBufferQueueSize(): number {
    return this._received.length + this.#behind;
  }

  /** For protocols, inside `input`: drops the first `n` buffered bytes. */
  consumeRecvBuffer(n: number): void {
    if (n <= 0) return;
    this._received.take(Math.min(n, this._received.length));
  }

  /** @internal */
  _onData(chunk: Buffer): void {
    beforeInput((this._lastRead = Date.now()));
    this.#take(chunk);
    this.#giveTurn();
  }

  #take(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (this._status !== ESTABLISHED) return;
    const rest = this.#sink === null ? chunk : this.#feed(this.#sink, chunk);
    if (rest.length === 0 || (this._status as ConnectionStatus) !== ESTABLISHED) return;
    this._received.push(rest);
    this._goOn();
  }

  /** @internal */
  _onShared(memory: Buffer, length: number): void {
    beforeInput((this._lastRead = Date.now()));
    if (this._status !== ESTABLISHED) {
      this.bytesRead += length;
      return;
    }
    this.#takeShared(memory, length);
    this.#giveTurn();
  }

  #takeShared(memory: Buffer, length: number): void {
    const protocol = this.protocol;
    let from = 0;
    if (protocol?.recognise !== undefined && this._received.length === 0 && this.#mayHandOut()) {
      this.bytesRead += length;
      from = this.#handOutKnown(protocol, memory, length);
      if (from === length) return;
      this.bytesRead -= length - from;
    }
    if (this.#sink !== null) return this.#take(keep(memory, from, length));
    this.bytesRead += length - from;
    if (this._status !== ESTABLISHED) return;
    this._received.pushCopy(memory, from, length, this._received.expected);
    this._goOn();
  }

  /** After a read. */
  #giveTurn(): void {
    if (!hadItsTurn(this.id) || this.#resting || this._status !== ESTABLISHED) return;
    this.#resting = true;
    this._wire?.pause();
    setImmediate(() => {
      this.#resting = false;
      if (this._status === ESTABLISHED) this.#readOn();
    });
  }

  #mayHandOut(): boolean {
    return this._status === ESTABLISHED && this.#sink === null && !this.#paused && !this.#busy && !this.#dispatching
      && !this.#isClogged();
  }

  /** Packets that the protocol knows at sight, without a copy of their bytes. @returns how many bytes they took */
  #handOutKnown(protocol: ProtocolInterface, memory: Buffer, length: number): number {
    const queue = this._queue;
    let from = 0;
    this.#dispatching = true;
    queue.cork();
    do {
      const message = this.#recognise(protocol, memory, from, length);
      if (message === undefined) break;
      from += this._recognised;
      this.#behind = length - from;
      ConnectionInterface.statistics.total_request++;
      if (message === FAILED) continue;
      if (protocol.sequential === true) this.#handOutSequential(protocol, message);
      else this.#hand(message);
    } while (
      from < length && this._status === ESTABLISHED && this.protocol === protocol
      && this.#sink === null && !this.#paused && !this.#busy && !this.#isClogged()
    );
    this.#behind = 0;
    this.#dispatching = false;
    queue.uncork();
    return from;
  }

  /** An exception after the packet was found is that of its decoding; before, the ordinary way shows what is wrong. */
  #recognise(protocol: ProtocolInterface, memory: Buffer, from: number, to: number): unknown {
    this._recognised = 0;
    try {
      return protocol.recognise?.(memory, from, to, this);
    } catch (error) {
      if (this._recognised === 0) return undefined;
      if (protocol.onSettled?.(this, undefined, error) !== true) this.error(error);
      return FAILED;
    }
  }

  /** @internal From here on received bytes go to `sink`, beginning with those that wait, until it is done. */
  _divert(sink: ByteSink): void {
    this.#sink = sink;
    const rest = this.#feed(sink, this._received.take(this._received.length));
    if (rest.length > 0 && this._status === ESTABLISHED) this._received.push(rest);
  }

  /** @internal For the sink: it has no room, or room again. */
  _holdInput(full: boolean): void {
    if (this.#sinkFull === full) return;
    this.#sinkFull = full;
    if (full) this._wire?.pause();
    else this.#readOn();
  }

  /** @returns the bytes that are not the sink's. */
  #feed(sink: ByteSink, chunk: Buffer): Buffer {
    const taken = chunk.length === 0 ? 0 : sink.write(chunk);
    if (sink.done && this.#sink === sink) this.#sink = null;
    return taken === chunk.length ? NOTHING : chunk.subarray(taken);
  }

  /** Reads unless there is a reason against it. */
  #readOn(): void {
    if (!this.#paused && !this.#throttled && !this.#sinkFull && !this.#resting) this._wire?.resume();
  }

  /** @internal Hands out what can be handed out, then sees to what is left. */
  _goOn(): void {
    if (this.#dispatching) return;
    this.#dispatch();
    if (this._status !== ESTABLISHED) return;
    const { length } = this._received;
    const stop = length > this.maxPackageSize && (this.#busy || this.#clogged());
    if (stop !== this.#throttled) {
      this.#throttled = stop;
      if (stop) this._wire?.pause();
      else this.#readOn();
    }
    if (length !== this.#reported) {
      this.#reported = length;
      this.protocol?.onBuffered?.(this, length);
    }
  }

  #dispatch(): void {
    this.#dispatching = true;
    const queue = this._queue;
    queue.cork();
    while (this._received.length > 0 && this.#sink === null && !this.#paused && !this.#busy) {
      if (this._status !== ESTABLISHED || this.#isClogged()) break;
      if (this.protocol === null) this.#handOutRaw();
      else if (!this.#handOutPacket(this.protocol)) break;
    }
    this.#dispatching = false;
    queue.uncork();
  }

  /** As {@link #clogged}, when everything has been written that can be. */
  #isClogged(): boolean {
    if (!this.#clogged()) return false;
    this._queue.flush();
    return this._status !== ESTABLISHED || this.#clogged();
  }

  /**
   * Sequential protocols: the peer has not taken what was sent, so the next packet has to wait. Otherwise a client that
   * asks and asks without reading could make any number of answers wait, and open any number of files.
   */
  #clogged(): boolean {
    if (this.protocol?.sequential !== true || this._queue.empty) return false;
    const { sources, size } = this._queue;
    return sources > 0 || (size > 0 && size >= this.maxSendBufferSize);
  }

  #handOutRaw(): void {
    const data = this._received.take(this._received.length);
    ConnectionInterface.statistics.total_request++;
    this.#hand(data);
  }

  /** One packet. @returns false when the loop has to wait for more bytes or is over. */
  #handOutPacket(protocol: ProtocolInterface): boolean {
    const received = this._received;
    if (received.expected === 0) {
      const length = this.#askLength(protocol);
      if (length === 0) return false;
      received.expected = length;
    }
    const packet = received.takePacket();
    if (packet === null) return false;
    ConnectionInterface.statistics.total_request++;
    // Another one, when input has changed it: that one decodes what input has cut, as in Workerman.
    const decoder = this.protocol ?? protocol;
    if (decoder.sequential === true) this.#handleSequential(decoder, packet);
    else this.#handle(decoder, packet);
    return true;
  }

  /** @returns the packet's length, or 0: wait, or the connection has been dealt with. */
  #askLength(protocol: ProtocolInterface): number {
    let length = this._received.ask(protocol, this);
    if (this._status !== ESTABLISHED) return 0;
    if (typeof length === 'number' && Number.isInteger(length)) {
      if (length > 0 && length <= this.maxPackageSize) return length;
      const most = Math.max(this.maxPackageSize, protocol.headLimit ?? 0);
      this._received.wait();
      if (length === 0 && (this._received.length <= most || this.#paused || this.#busy)) return 0;
      if (length === 0) length = this._received.length;
    }
    hooks.print(`Protocol ${protocol.name ?? 'unknown'} Error package. package_length=${textOf(length)}`);
    this.destroy();
    return 0;
  }

  /** A message goes to its handler, and the next one does not wait for what it promises. */
  #hand(message: unknown): void {
    const { onMessage, errorHandler } = this;
    if (onMessage === null || onMessage === undefined) return;
    try {
      const result: unknown = onMessage(this as unknown as Self, message as Message);
      if (!isThenable(result)) return;
      this.#pending++;
      this._follow(result, errorHandler, () => this.#pending--);
    } catch (error) {
      this.error(error);
    }
  }

  #handle(protocol: ProtocolInterface, packet: Buffer): void {
    try {
      const message = decodePacket(protocol, packet, this);
      // decode may deal with a packet by itself and end the connection over it.
      if (this._status === ESTABLISHED) this.#hand(message);
    } catch (error) {
      this.error(error);
    }
  }

  /** As #handle, but the next packet waits until the handler's promise has settled. */
  #handleSequential(protocol: ProtocolInterface, packet: Buffer): void {
    let message: unknown;
    try {
      message = decodePacket(protocol, packet, this);
    } catch (error) {
      if (protocol.onSettled?.(this, undefined, error) !== true) this.error(error);
      return;
    }
    this.#handOutSequential(protocol, message);
  }

  #handOutSequential(protocol: ProtocolInterface, message: unknown): void {
    try {
      const { errorHandler } = this;
      const result: unknown = this.onMessage?.(this as unknown as Self, message as Message);
      if (isThenable(result)) {
        this.#busy = true;
        begin();
        promiseOf(result).then(
          () => {
            end();
            this.#settled(protocol, message);
          },
          (error: unknown) => {
            end();
            this.#settled(protocol, message, error, () => this._route(error, this.errorHandler ?? errorHandler));
          },
        );
        return;
      }
    } catch (error) {
      if (protocol.onSettled?.(this, message, error) !== true) this.error(error);
      return;
    }
    protocol.onSettled?.(this, message);
  }

  #settled(protocol: ProtocolInterface, message: unknown, error?: unknown, report?: () => void): void {
    this.#busy = false;
    if (protocol.onSettled?.(this, message, error) !== true) report?.();
    this._vacate();
  }

  /**
   * @internal For protocols that work on something received: no packet is cut until {@link _vacate}.
   * @param holdsEnd the peer's FIN is not noticed before that either, so that what came before it is not lost
   */
  _occupy(holdsEnd = false): void {
    this.#busy = true;
    this.#holdsEnd = holdsEnd;
  }

  /** @internal Goes on with what was received meanwhile. */
  _vacate(): void {
    this.#busy = false;
    this.#holdsEnd = false;
    if (this._status === CLOSED) return;
    this._goOn();
    this.#noticeEnd();
  }

  /** @internal After {@link _occupy}: `decode` gives the message for this packet. It is handed out, then input goes on. */
  _deliver(packet: Buffer): void {
    if (this.#paused) {
      this.#held = packet;
      return;
    }
    if (this._status === ESTABLISHED && this.protocol !== null) {
      ConnectionInterface.statistics.total_request++;
      this.#handle(this.protocol, packet);
    }
    this._vacate();
  }

  /** @internal A handler is pending: a stop does not close the connection before it has settled. */
  get _busy(): boolean {
    return this.#busy || this.#pending > 0;
  }

  /** @internal */
  _onEnd(): void {
    if (this._status === CLOSING || this._status === CLOSED) return;
    if (this.#paused || (this.#holdsEnd && this._status === ESTABLISHED)) this._endMissed = true;
    else if (this._status === ENDING) this.close();
    else this.destroy();
  }

  /** @internal The wire went away unasked. */
  _onSocketClose(): void {
    if (this._status !== CLOSED && !this._endMissed) this.destroy();
  }

  /** @internal Nothing that is received from here on is handed out; it is read nevertheless. */
  protected _endInput(): void {
    this.#forget();
    this._wire?.resume();
  }

  /** @internal Back to the beginning. */
  protected _dropInput(): void {
    this.#forget();
    this.#held = null;
    this.#busy = false;
    this.#holdsEnd = false;
    this.#reported = 0;
    this._endMissed = false;
  }

  /** What was received, and every reason not to read on. */
  #forget(): void {
    this._received.clear();
    this.#behind = 0;
    this.#sink?.cancel();
    this.#sink = null;
    this.#paused = this.#throttled = this.#sinkFull = this.#resting = false;
  }
}
