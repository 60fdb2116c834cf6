import type { Bytes, ProtocolInterface, UserValue } from '../protocols/ProtocolInterface.js';
import { toBytes } from '../protocols/toBytes.js';
import { ConnectionInterface, isThenable, type Callback } from './ConnectionInterface.js';
import { hooks } from './hooks.js';
import { ReceivingConnection } from './ReceivingConnection.js';
import type { ByteSource, SendQueueOwner } from './SendQueue.js';
import { CLOSED, CLOSING, type ConnectionStatus, ENDING, ESTABLISHED } from './status.js';

/**
 * The sending half of a stream connection: from what the user sends to the bytes in its queue, what `send` says about
 * them, and the callbacks around a peer that does not keep up.
 *
 * Members that begin with `_` belong to the package.
 */
export abstract class SendingConnection<Message = UserValue, Self = UserValue>
  extends ReceivingConnection<Message, Self>
  implements SendQueueOwner
{
  /** `(connection)`: `maxSendBufferSize` bytes are queued; the next send will be dropped. */
  onBufferFull: Callback<[connection: Self]> = null;
  /** `(connection)`: what was queued has gone out. */
  onBufferDrain: Callback<[connection: Self]> = null;

  /** @internal True while `close()` or `end()` sends its data, so that a protocol can say it is the last. */
  _isLast = false;
  /**
   * True on plain transports while connected: what is sent goes to the operating system. Otherwise it is queued first,
   * under TLS always, as in Workerman.
   */
  protected abstract _direct: boolean;
  /** Bytes that the protocol keeps back; they count as queued. */
  protected _reserved = 0;
  /** `onError` is being told that the peer is gone. */
  #isFailing = false;

  /** Everything that was to be sent before `close()` is with the operating system. */
  protected abstract _finish(): void;
  /** The same, before `end()`. */
  protected abstract _shutdown(): void;

  /** Bytes that the operating system has accepted; under TLS those of the plain text. */
  get bytesWritten(): number {
    return this._queue.written;
  }

  /**
   * Sends `data`: through the protocol's `encode`, or as it is when `raw` or without a protocol. A string is sent as
   * UTF-8.
   *
   * @param data what the protocol's `encode` takes; without one a string, bytes or a scalar
   * @param raw true: past the protocol
   * @returns `true` when nothing older waits and the operating system takes all of it at the latest at the end of this
   * tick, or, of what is sent while a message is handled, of this turn of the event loop; `null` when it was queued (or
   * the protocol sends it itself); `false` when it was dropped: the connection is closing or closed, the peer is gone,
   * or the send buffer is full (then `onError` says so).
   * @throws TypeError `WM_BAD_DATA` for what is no string, bytes or scalar, when no protocol takes it; what `encode`
   * throws goes to `errorHandler`, and the result is `false`
   */
  send(data: unknown, raw = false): boolean | null {
    if ((this._status & (ENDING | CLOSING | CLOSED)) !== 0) return false;
    return this._sendOn(data, raw);
  }

  /** {@link send} whatever the status. */
  protected _sendOn(data: unknown, raw: boolean): boolean | null {
    const protocol = raw ? null : this.protocol;
    let bytes: Bytes;
    try {
      if (protocol === null) {
        bytes = toBytes(data);
      } else {
        const encoded: unknown = protocol.encode(data, this);
        if (isThenable(encoded)) encoded.then(undefined, () => {});
        bytes = toBytes(encoded, 'encode()');
        if (bytes.length === 0) return this.#sent(protocol, null);
      }
    } catch (error) {
      // Without a protocol this is a mistake of the caller, who gets the exception; encode's go the usual way.
      if (protocol === null) throw error;
      this.error(error);
      return false;
    }
    const result = this._push(bytes);
    if (protocol !== null) return this.#sent(protocol, result);
    if (raw) this.protocol?.onRaw?.(this, bytes);
    return result;
  }

  #sent(protocol: ProtocolInterface, result: boolean | null): boolean | null {
    const own = protocol.onSent?.(this);
    return own === undefined ? result : own;
  }

  /** @internal Queues wire bytes. Same results as {@link send}. */
  _push(bytes: Bytes): boolean | null {
    const queue = this._queue;
    if (this._status === CLOSED) return false;
    if (!this._direct || !queue.idle) {
      const size = queue.size + this._reserved;
      if (size > 0 && size >= this.maxSendBufferSize) return this._dropPackage();
      queue.add(bytes);
      this.#checkFull();
      return null;
    }
    queue.add(bytes);
    if (this._wire?.failed === true) return this._writeFailed();
    return queue.idle && (this._status as ConnectionStatus) !== CLOSED ? true : null;
  }

  /** Writes what this tick has promised to the operating system. @returns false when that ended the connection */
  protected _flushNow(): boolean {
    const queue = this._queue;
    const promised = queue.idle && !queue.empty;
    queue.flush();
    if (promised && this._wire?.failed === true) return this._writeFailed();
    return this._status !== CLOSED;
  }

  /** @internal A flush has left bytes behind. */
  _lagging(): void {
    // What is queued first has been looked at when it was.
    if (this._status !== CLOSED && this._direct) this.#checkFull();
  }

  /** @internal Queues a source of bytes behind everything sent so far. */
  _pushSource(source: ByteSource): void {
    if ((this._status & (CLOSING | CLOSED)) !== 0) source.cancel();
    else this._queue.addSource(source);
  }

  /** @internal Bytes that a protocol keeps back to send them later; negative when it does. */
  _reserve(bytes: number): void {
    this._reserved += bytes;
    if (bytes > 0) this.#checkFull();
  }

  /** @internal What was to be sent is dropped, because too much is queued. */
  _dropPackage(): false {
    ConnectionInterface.statistics.send_fail++;
    this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'send buffer full and drop package');
    return false;
  }

  #checkFull(): void {
    if (this.onBufferFull === null || this._queue.size + this._reserved < this.maxSendBufferSize) return;
    this._call(this.onBufferFull, this);
  }

  /** @internal The peer is gone. What `onError` sends can not succeed, and is not reported once more. */
  protected _writeFailed(): false {
    this._queue.clear();
    if (this.#isFailing) return false;
    this.#isFailing = true;
    ConnectionInterface.statistics.send_fail++;
    this._call(this.onError, this, ConnectionInterface.SEND_FAIL, 'client closed');
    this.destroy();
    this.#isFailing = false;
    return false;
  }

  /** @internal */
  _drained(): void {
    if (this._status === CLOSED) return;
    this._call(this.onBufferDrain, this);
    if (this._status === CLOSING) this._finish();
    else if (this._status === ENDING) this._shutdown();
    else if (this._status === ESTABLISHED && this._received.length > 0) this._goOn();
  }

  /** @internal */
  _sourceFailed(error: unknown): void {
    if (this._status === CLOSED) return;
    const { errorHandler } = this;
    this.destroy();
    // One answer is spoilt, and its client can tell. A file that shrinks or an upstream that breaks off is no reason to end
    // the process, so only a handler that was set for exceptions hears of it as one.
    if (errorHandler !== null) this._route(error, errorHandler);
    else hooks.print(`An answer was cut short: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  /** @internal Changes while the peer takes what was sent; null while nothing waits for that. */
  get _sendProgress(): number | null {
    return this._queue.progress;
  }

  /** Bytes that wait to be taken by the operating system. */
  getSendBufferQueueSize(): number {
    return this._reserved + (this.bufferIsEmpty() ? 0 : this._queue.size);
  }

  /** True when nothing waits to be sent. What the operating system takes at the end of this tick does not wait. */
  bufferIsEmpty(): boolean {
    return this._queue.empty || (this._queue.idle && this._direct);
  }
}
