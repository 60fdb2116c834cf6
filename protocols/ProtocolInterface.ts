/**
 * Raw bytes or text as they go to the wire. Text is written as UTF-8.
 */
export type Bytes = string | Uint8Array;

/**
 * A protocol: a class (or any object) with static functions that cut packets out of a byte stream and
 * translate between packets and the values that `onMessage` receives and `send` takes.
 *
 * `Message` is what `onMessage` gets. Implementing this interface formally is never needed: three static
 * functions are enough. Source: Workerman's `ProtocolInterface`; the members after `onClose` are ours and are
 * the only way in which a connection learns anything about the protocol it speaks.
 */
export interface ProtocolInterface<Message = any> {
  /** Shown in the `connections` screen and in messages; a class brings it by itself. */
  readonly name?: string;

  /**
   * Length in bytes of the first packet in `buffer`.
   *
   * @returns 0 when more bytes are needed; a positive integer, which may exceed `buffer.length` (then `input` is
   * not asked again until that many bytes are there); anything else is an error package, which destroys the connection.
   * May be missing on a protocol used over UDP only.
   */
  input?(buffer: Buffer, connection: any): number;

  /** Turns exactly one packet into the value given to `onMessage`. Over UDP, `false` skips the packet. */
  decode(buffer: Buffer, connection: any): Message;

  /** Wire form of what `send`, `close` or `end` got. Empty: nothing to write now, `send` returns `null`. */
  encode(data: any, connection: any): Bytes;

  /** Client connections only: after the user's `onConnect`, at every (re)connect. */
  onConnect?(connection: any): void;

  /** After the user's `onClose`. */
  onClose?(connection: any): void;

  /**
   * True when a packet may be handed to `onMessage` only after the promise that `onMessage` returned for the
   * packet before has settled (HTTP: answers keep the order of the requests).
   */
  readonly sequential?: boolean;

  /**
   * Sequential protocols: the handler of `message` has returned, or its promise has settled. `error` is set when it
   * threw or was rejected.
   */
  onSettled?(connection: any, message: Message, error?: unknown): void;

  /** Called by `send` after the bytes of an `encode` were queued (HTTP: ends a connection that must not persist). */
  onSent?(connection: any): void;

  /**
   * Bytes to put behind everything queued when the connection is closed in an orderly way by `close()` or `end()`
   * without `raw` (WebSocket: the Close frame). Empty: nothing.
   */
  closing?(connection: any): Bytes;
}
