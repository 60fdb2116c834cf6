/**
 * Raw bytes or text as they go to the wire. Text is written as UTF-8.
 */
export type Bytes = string | Uint8Array;

/**
 * What belongs to the user alone: a message of a protocol that nobody has named, own data hung on a connection, what is
 * handed to `send`. The package passes it on or checks it as it comes; a narrower type would ask users for casts.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type UserValue = any;

/** A connection as a protocol sees it: it names the few members that it needs, or takes all of them without an import. */
export type ProtocolConnection = UserValue;

/**
 * A protocol: a class (or any object) with static functions that cut packets out of a byte stream and
 * translate between packets and the values that `onMessage` receives and `send` takes.
 *
 * `Message` is what `onMessage` gets. Implementing this interface formally is never needed: three static
 * functions are enough. Source: Workerman's `ProtocolInterface`; the members after `onClose` are ours and are
 * the only way in which a connection learns anything about the protocol it speaks.
 */
export interface ProtocolInterface<Message = UserValue> {
  /** Shown in the `connections` screen and in messages; a class brings it by itself. */
  readonly name?: string;

  /**
   * Length in bytes of the first packet in `buffer`.
   *
   * @returns 0 when more bytes are needed; a positive integer, which may exceed `buffer.length` (then `input` is
   * not asked again until that many bytes are there); anything else is an error package, which destroys the connection.
   * May be missing on a protocol used over UDP only.
   */
  input?(buffer: Buffer, connection: ProtocolConnection): number;

  /**
   * `input` has returned 0 for the first `seen` bytes, and `rest` has come behind them. What `input` would return for all
   * of them, when the rest is enough to tell; undefined, and `input` is asked. For long packets whose length shows only
   * at their end: nobody has to put together what was seen, again and again.
   */
  inputRest?(rest: Buffer, seen: number, connection: ProtocolConnection): number | undefined;

  /**
   * A protocol may know a packet at sight: the message that begins at `from` in `memory`, which ends at `to`,
   * with the packet's length in `connection._recognised`; or undefined, and the bytes go the way of `input` and `decode`.
   * `memory` is written anew after the call, so nothing of it may be kept.
   */
  recognise?(memory: Buffer, from: number, to: number, connection: ProtocolConnection): Message | undefined;

  /** Turns exactly one packet into the value given to `onMessage`. Over UDP, `false` skips the packet. */
  decode(buffer: Buffer, connection: ProtocolConnection): Message;

  /** Wire form of what `send`, `close` or `end` got. Empty: nothing to write now, `send` returns `null`. */
  encode(data: UserValue, connection: ProtocolConnection): Bytes;

  /**
   * An open connection speaks this protocol from now on: made by a worker, nothing read yet, before the worker's
   * `onConnect`; or given to it later, by assigning `connection.protocol`. The place for what has to count from the very
   * beginning, since `input` is first asked when the peer has sent something. For client connections see `onConnect`.
   */
  onAccept?(connection: ProtocolConnection): void;

  /** The connection speaks another protocol from now on: `connection.protocol` has been assigned. */
  onLeave?(connection: ProtocolConnection): void;

  /** Received bytes that could not be handed out yet: so many wait now. Not called while none ever had to wait. */
  onBuffered?(connection: ProtocolConnection, bytes: number): void;

  /** Client connections only: after the user's `onConnect`, at every (re)connect. */
  onConnect?(connection: ProtocolConnection): void;

  /** After the user's `onClose`. */
  onClose?(connection: ProtocolConnection): void;

  /**
   * True when a packet may be handed to `onMessage` only after the promise that `onMessage` returned for the
   * packet before has settled (HTTP: answers keep the order of the requests).
   */
  readonly sequential?: boolean;

  /**
   * Bytes that may wait for `input` to find a length although `maxPackageSize` is smaller, because the protocol itself
   * answers what grows beyond them (HTTP: the head of a request). Default 0.
   */
  readonly headLimit?: number;

  /**
   * Sequential protocols: the handler of `message` has returned, or its promise has settled. `error` is set when it
   * threw or was rejected; return true when that is dealt with, and it is not reported as an exception.
   */
  onSettled?(connection: ProtocolConnection, message: Message, error?: unknown): boolean | void;

  /**
   * Called by `send` after the bytes of an `encode` were queued (HTTP: ends a connection that must not persist). What
   * it returns, other than undefined, is the result of `send` (WebSocket: a message that `encode` took and dropped).
   */
  onSent?(connection: ProtocolConnection): boolean | null | void;

  /** Called when a user has sent bytes past `encode`, with `raw` (HTTP: a request may have been answered by hand). */
  onRaw?(connection: ProtocolConnection, bytes: Bytes): void;

  /**
   * Bytes to put behind everything queued when the connection is closed in an orderly way by `close()` or `end()`
   * without `raw` (WebSocket: the Close frame). Empty: nothing.
   */
  closing?(connection: ProtocolConnection): Bytes;

  /** `worker.broadcast`: a form of `data` that `encode` can take over and over with less work. */
  prepare?(data: UserValue): unknown;

  /**
   * Asked at every heartbeat (`worker.heartbeat`): the bytes that show the peer we are there (empty: none), and whether
   * a living peer answers them or speaks by itself. `null`: leave this connection alone, something is under way on it.
   * Without this member only the peer's silence counts.
   */
  heartbeat?(connection: ProtocolConnection): { bytes: Bytes; answered: boolean } | null;
}
