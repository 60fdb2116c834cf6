import { isUtf8 } from 'node:buffer';
import { checkClose, closePayload } from './closeFrame.js';
import { CompressedMessage } from './CompressedMessage.js';
import { encodeFrame, encodeShared, frameSize } from './encodeFrame.js';
import type { DeflateAgreement } from './extensions.js';
import { FrameReader, STEP } from './frames.js';
import { deflateType, firstByte, plainType, PONG_TYPE, toPayload, BINARY_TYPE_BLOB } from './outgoing.js';
import { Deflater, EMPTY_MESSAGE, Inflater, type InflateFailure } from './permessageDeflate.js';
import { callbackOf, callUser, isEstablished, type WebSocketConnection } from './WebSocketConnection.js';
import { CLOSE, CLOSE_CODES, FIN, OPCODE, PING, PONG, RSV1, type FailCode } from './wire.js';

const NOTHING = Buffer.alloc(0);

/** A message that was sent before the handshake was done. */
interface EarlyMessage {
  readonly type: string | undefined;
  readonly payload: string | Uint8Array;
  /** Bytes of its frame. */
  readonly size: number;
}

/**
 * One WebSocket connection from its handshake to its end, as either end sees it: what is received (RFC 6455 sections 5
 * and 6), what is sent, and how it closes (section 7).
 *
 * Inflating takes time on another thread; the connection cuts no packet meanwhile, so that messages, pings and the
 * Close frame are met in the order in which they came.
 */
export class Session {
  /** The handshake is done. */
  open = false;
  /** What became of the message last encoded, when the connection has not sent it itself; undefined: it has. */
  sent: boolean | null | undefined = undefined;

  readonly #isServer: boolean;
  readonly #reader: FrameReader;
  #early: EarlyMessage[] = [];
  #earlySize = 0;
  #deflater: Deflater | null = null;
  #inflater: Inflater | null = null;
  #inflated: string | Buffer | null = null;
  /** Input is thrown away: a Close frame was received, or the connection has failed. */
  #over = false;
  #closeSent = false;
  #closeCode: number = CLOSE_CODES.NORMAL;
  #disposed = false;

  constructor(isServer: boolean) {
    this.#isServer = isServer;
    this.#reader = new FrameReader(isServer);
  }

  /** Nothing that the peer sends is looked at any more: it has closed, and a callback may still be at work on that. */
  get isOver(): boolean {
    return this.#over;
  }

  // ------------------------------------------------------------------------------------------------ handshake done

  /**
   * The handshake is done. Sends `answer`, then what was sent too early, in order.
   *
   * @param answer what has to go out first; empty on a client
   * @param agreement permessage-deflate was agreed on
   */
  begin(connection: WebSocketConnection, answer: string, agreement: DeflateAgreement | null): void {
    const type = connection.websocketType ?? BINARY_TYPE_BLOB;
    connection.websocketType = agreement === null ? plainType(type) : deflateType(type);
    if (agreement !== null) {
      this.#reader.compression = true;
      this.#deflater = new Deflater(agreement);
      this.#inflater = new Inflater(agreement);
    }
    this.open = true;
    const early = this.#early;
    this.#early = [];
    connection._reserve(-this.#earlySize);
    // In one piece where that is possible: it has been accepted, and must not be dropped for its own size.
    const frames: Uint8Array[] = [Buffer.from(answer)];
    for (const { type: own, payload } of early) {
      if (this.#closeSent) break;
      const frame = this.#transmit(connection, own ?? connection.websocketType, payload, frames);
      if (frame !== null) frames.push(frame);
    }
    pushAll(connection, frames);
  }

  // ------------------------------------------------------------------------------------------------ sending

  /** What `send` puts on the wire; empty: it is taken care of, and {@link sent} says how. */
  encode(data: unknown, connection: WebSocketConnection): Uint8Array {
    const payload = toPayload(data);
    const type = connection.websocketType;
    this.sent = undefined;
    if (this.#closeSent) {
      this.sent = false;
      return NOTHING;
    }
    if (!this.open) {
      this.sent = this.#keep(connection, type, payload);
      return NOTHING;
    }
    return this.#transmit(connection, type, payload) ?? NOTHING;
  }

  /** Queues a message until the handshake is done. */
  #keep(connection: WebSocketConnection, type: string | undefined, payload: string | Uint8Array): null | false {
    if (this.#earlySize > connection.maxSendBufferSize) return connection._dropPackage();
    const size = frameSize(payload, !this.#isServer);
    // Bytes are the sender's: by then they may have changed.
    this.#early.push({ type, payload: typeof payload === 'string' ? payload : Buffer.from(payload), size });
    this.#earlySize += size;
    connection._reserve(size);
    return null;
  }

  /**
   * @param early frames that have to go out before this message, which has been accepted already
   * @returns the frame; null: it was queued, or dropped, and {@link sent} says so
   */
  #transmit(
    connection: WebSocketConnection,
    type: string | undefined,
    payload: string | Uint8Array,
    early?: Uint8Array[],
  ): Uint8Array | null {
    const deflater = this.#deflater;
    const first = firstByte(type, typeof payload !== 'string', deflater !== null);
    if ((first & OPCODE) === CLOSE) this.#closeSent = true;
    if ((first & RSV1) === 0 || deflater === null) {
      return this.#isServer ? encodeShared(first, payload) : encodeFrame(first, payload, true);
    }
    if (payload.length === 0) return encodeFrame(first, EMPTY_MESSAGE, !this.#isServer);
    const queued = connection.getSendBufferQueueSize();
    if (early !== undefined) {
      pushAll(connection, early);
    } else if (queued > 0 && queued >= connection.maxSendBufferSize) {
      this.sent = connection._dropPackage();
      return null;
    }
    this.sent = null;
    this.#compress(connection, deflater, first, payload);
    return null;
  }

  #compress(connection: WebSocketConnection, deflater: Deflater, first: number, payload: string | Uint8Array): void {
    // A copy also of bytes: zlib reads them later, on another thread.
    const bytes = Buffer.from(payload as Uint8Array);
    const message = new CompressedMessage(connection, bytes.length);
    deflater.compress(bytes, (compressed) => {
      message.done(compressed === null ? null : encodeFrame(first, compressed, !this.#isServer));
    });
  }

  /** The Close frame that an orderly close puts behind everything else, once. */
  closing(): Uint8Array {
    if (!this.open || this.#closeSent) return NOTHING;
    this.#closeSent = true;
    return encodeFrame(FIN | CLOSE, closePayload(this.#closeCode), !this.#isServer);
  }

  /** A ping without payload, which a living peer answers; empty before the handshake and behind a Close frame. */
  heartbeat(): Uint8Array {
    return this.open && !this.#closeSent ? encodeFrame(FIN | PING, NOTHING, !this.#isServer) : NOTHING;
  }

  // ------------------------------------------------------------------------------------------------ receiving

  /** As `ProtocolInterface.recognise`. */
  recognise(memory: Buffer, from: number, to: number, connection: WebSocketConnection): string | Buffer | undefined {
    if (!this.open || this.#over || this.#closeSent) return undefined;
    const message = this.#reader.readWhole(memory, from, to, connection.maxPackageSize);
    if (message !== undefined) connection._recognised = this.#reader.at - from;
    return message;
  }

  /** Reads frames. @returns as `ProtocolInterface.input` */
  receive(buffer: Buffer, connection: WebSocketConnection): number {
    const reader = this.#reader;
    let from = 0;
    // Callbacks may look at what is buffered, so what was read is taken off before they run.
    let used = 0;
    while (!this.#over) {
      const step = reader.read(buffer, from, connection.maxPackageSize);
      if (step === STEP.FAILED) {
        this.#fail(reader.failure, connection);
        break;
      }
      from = reader.at;
      const isPacket = step === STEP.MESSAGE && !reader.compressed && !this.#closeSent;
      const end = isPacket ? reader.start : from;
      if (end > used) connection.consumeRecvBuffer(end - used);
      used = end;
      if (isPacket) return from - used;
      if (step === STEP.MORE) return 0;
      if (step === STEP.CONTROL) this.#controlFrame(connection);
      else if (this.#closeSent) reader.takeMessage();
      else return this.#inflate(connection);
      if (!isEstablished(connection) || connection._paused) return 0;
    }
    connection.consumeRecvBuffer(buffer.length - used);
    return 0;
  }

  /** The message that {@link receive} has found, once. */
  takeMessage(): string | Buffer {
    const message = this.#inflated ?? this.#reader.takeMessage();
    this.#inflated = null;
    return message;
  }

  #controlFrame(connection: WebSocketConnection): void {
    const { opcode, payload } = this.#reader;
    if (opcode === CLOSE) return this.#closeFrame(payload, connection);
    if (this.#closeSent) return;
    const callback = callbackOf(connection, opcode === PING ? 'onWebSocketPing' : 'onWebSocketPong');
    if (!callback) {
      if (opcode === PING) connection._push(encodeFrame(FIN | PONG, payload, !this.#isServer));
      return;
    }
    const type = connection.websocketType ?? BINARY_TYPE_BLOB;
    connection.websocketType = PONG_TYPE;
    // Only its failure is of interest, and that has been reported.
    void callUser(callback, connection, payload);
    connection.websocketType = type;
  }

  /** The peer closes (section 5.5.1). */
  #closeFrame(payload: Buffer, connection: WebSocketConnection): void {
    const problem = checkClose(payload);
    if (problem !== 0) return this.#fail(problem, connection);
    this.#over = true;
    const answer = (): void => {
      if (!this.#disposed && isEstablished(connection)) connection.close();
    };
    const callback = this.#closeSent ? null : callbackOf(connection, 'onWebSocketClose');
    const result = callUser(callback, connection, payload);
    if (typeof result === 'boolean') answer();
    else void result.then(answer);
  }

  /** Fails the connection (section 7.1.7): what was sent before still arrives, then the peer is told why. */
  #fail(code: FailCode, connection: WebSocketConnection): void {
    this.#over = true;
    this.#closeCode = code;
    connection.close();
  }

  /** A compressed message has come. @returns 0: nothing is cut before it is inflated */
  #inflate(connection: WebSocketConnection): 0 {
    const { payload, isText } = this.#reader;
    connection._occupy(true);
    this.#inflater!.inflate(payload, connection.maxPackageSize, (message, failure) => {
      if (this.#disposed) return;
      if (isEstablished(connection)) this.#deliver(connection, message, failure, isText);
      else connection._vacate();
    });
    return 0;
  }

  #deliver(
    connection: WebSocketConnection,
    message: Buffer | null,
    failure: InflateFailure | null,
    isText: boolean,
  ): void {
    if (message === null) {
      this.#fail(failure === 'too big' ? CLOSE_CODES.TOO_BIG : CLOSE_CODES.INVALID_PAYLOAD, connection);
    } else if (isText && !isUtf8(message)) {
      this.#fail(CLOSE_CODES.INVALID_PAYLOAD, connection);
    } else if (!this.#closeSent) {
      this.#inflated = isText ? message.toString() : message;
      return connection._deliver(NOTHING);
    }
    connection._vacate();
  }

  /** The connection is closed: lets go of everything. */
  dispose(): void {
    this.#disposed = true;
    this.#over = true;
    this.#early = [];
    this.#reader.clear();
    this.#deflater?.close();
    this.#inflater?.close();
  }
}

function pushAll(connection: WebSocketConnection, frames: Uint8Array[]): void {
  const bytes = Buffer.concat(frames);
  frames.length = 0;
  if (bytes.length > 0) connection._push(bytes);
}
