import { isOver, limits, watch, type Watch } from './http/limits.js';
import { negotiate } from './websocket/extensions.js';
import { beginsLikeRequest, openingAnswer, readOpening, REFUSAL, type Opening } from './websocket/handshake.js';
import { headerLines } from './websocket/headerLines.js';
import { HeadReader } from './websocket/HeadReader.js';
import * as types from './websocket/outgoing.js';
import { Session } from './websocket/Session.js';
import { callbackOf, callUser, isEstablished, type WebSocketConnection } from './websocket/WebSocketConnection.js';

/** What this protocol remembers about one connection. */
class ServerState {
  readonly session: Session = new Session(true);
  /** Null once the request has been read. */
  head: HeadReader | null = new HeadReader();
}

/**
 * WebSocket server (RFC 6455): handshake, messages of text and bytes, pings, orderly close; compression (RFC 7692)
 * where it was opted in to.
 *
 * `onMessage` gets a string for a text message and a Buffer for a binary one. What `send` sends is a text message,
 * bytes a binary one, as `connection.websocketType` says; objects are sent as JSON.
 *
 * From the 101 on `connection.context.websocketHandshake` is true, so that a loop over `worker.connections` can tell
 * who has not come so far.
 */
export class Websocket {
  /** Type of text messages, the default. */
  static readonly BINARY_TYPE_BLOB: '\x81' = types.BINARY_TYPE_BLOB;
  /** Type of compressed text messages, sent plain when compression was not agreed on. */
  static readonly BINARY_TYPE_BLOB_DEFLATE: '\xc1' = types.BINARY_TYPE_BLOB_DEFLATE;
  /** Type of binary messages. */
  static readonly BINARY_TYPE_ARRAYBUFFER: '\x82' = types.BINARY_TYPE_ARRAYBUFFER;
  /** Type of compressed binary messages. */
  static readonly BINARY_TYPE_ARRAYBUFFER_DEFLATE: '\xc2' = types.BINARY_TYPE_ARRAYBUFFER_DEFLATE;

  /**
   * Compress with every client that offers permessage-deflate. Default false: each connection that compresses keeps
   * some 300 KB for it. A single connection opts in by a type with `_DEFLATE`, or by a line
   * `Sec-WebSocket-Extensions: permessage-deflate` in `connection.headers`, in `onWebSocketConnect` at the latest.
   */
  static permessageDeflate = false;

  /** From here on the time for the handshake runs. */
  static onAccept(connection: WebSocketConnection): void {
    stateOf(connection);
  }

  /** Cuts one message; the handshake, control frames and the end are dealt with here. */
  static input(buffer: Buffer, connection: WebSocketConnection): number {
    const { session } = stateOf(connection);
    return session.open ? session.receive(buffer, connection) : this.dealHandshake(buffer, connection);
  }

  /** A message of one frame that is all there. */
  static recognise(memory: Buffer, from: number, to: number, connection: WebSocketConnection): string | Buffer | undefined {
    // A class that is derived from this one, and cuts or decodes in a way of its own, sees every byte.
    if (this.input !== Websocket.input || this.decode !== Websocket.decode) return undefined;
    const { _state: state } = connection;
    return state instanceof ServerState ? state.session.recognise(memory, from, to, connection) : undefined;
  }

  /** The message whose last bytes `input` has just cut. */
  static decode(_buffer: Buffer, connection: WebSocketConnection): string | Buffer {
    return stateOf(connection).session.takeMessage();
  }

  /**
   * One frame; empty when the message waits for the handshake or for its compression.
   *
   * @throws TypeError `WM_BAD_DATA` for what has no JSON form
   */
  static encode(data: unknown, connection: WebSocketConnection): Uint8Array {
    const frame = stateOf(connection).session.encode(data, connection);
    // It may be the memory of the frame before. A protocol that is built on this one may want to change it.
    return connection.protocol === Websocket ? frame : Buffer.from(frame);
  }

  /** Reads the client's request, refuses it or answers with 101. @returns as `input` */
  static dealHandshake(buffer: Buffer, connection: WebSocketConnection): number {
    const state = stateOf(connection);
    // Without a reader the request has been read and its callback is still at work.
    if (state.head === null) return 0;
    const { used, state: progress } = state.head.read(buffer);
    connection.consumeRecvBuffer(used);
    const isComplete = progress === 'complete';
    const bytes = isComplete ? state.head.head : state.head.bytes;
    if (!beginsLikeRequest(bytes, isComplete)) return refuse(connection, REFUSAL.BAD_REQUEST);
    if (progress === 'too long') return refuse(connection, REFUSAL.TOO_LONG);
    if (!isComplete) return 0;
    state.head = null;
    const opening = readOpening(bytes);
    if (typeof opening === 'string') return refuse(connection, opening);
    open(connection, state.session, opening, this);
    const goesOn = state.session.open && isEstablished(connection) && !connection._paused && used < buffer.length;
    return goesOn ? state.session.receive(buffer.subarray(used), connection) : 0;
  }

  /** The Close frame behind everything else. */
  static closing(connection: WebSocketConnection): Uint8Array {
    return stateOf(connection).session.closing();
  }

  /** A ping at every heartbeat. A client that can only wait for a callback of the application is left alone. */
  static heartbeat(connection: WebSocketConnection): { bytes: Uint8Array; answered: boolean } | null {
    const { session, head } = stateOf(connection);
    if (session.isOver || (head === null && !session.open)) return null;
    return { bytes: session.heartbeat(), answered: true };
  }

  /** `worker.broadcast`: JSON is made once. A derived class with an `encode` of its own gets the data as it is. */
  static prepare(data: unknown): unknown {
    return this.encode === Websocket.encode ? types.toPayload(data) : data;
  }

  /** The result of `send`: false where `encode` took a message and dropped it. */
  static onSent(connection: WebSocketConnection): boolean | null | undefined {
    return stateOf(connection).session.sent;
  }

  /** What was being compressed or put together is dropped. */
  static onClose(connection: WebSocketConnection): void {
    if (connection._state instanceof ServerState) connection._state.session.dispose();
  }
}

function stateOf(connection: WebSocketConnection): ServerState {
  if (connection._state instanceof ServerState) return connection._state;
  const state = new ServerState();
  connection._state = state;
  watch(connection, inspectHandshake);
  return state;
}

/** `Http.headersTimeout`: a request that has not come whole by then will not be waited for any longer. */
function inspectHandshake(connection: WebSocketConnection, watching: Watch, now: number): boolean {
  const { _state: state } = connection;
  if (!(state instanceof ServerState) || state.head === null) return false;
  if (isOver(watching.secondsIn(0, now), limits.headersTimeout)) connection.close();
  return true;
}

/** Answers, and ends the connection in a way that lets the answer arrive. */
function refuse(connection: WebSocketConnection, answer: string): 0 {
  connection.end(answer, true);
  return 0;
}

/** The setting counts that is there when `onWebSocketConnect` is done, as that of the connection does. */
type Compressing = Pick<typeof Websocket, 'permessageDeflate'>;

/** Asks the application, at once or in its own time. */
function open(connection: WebSocketConnection, session: Session, opening: Opening, protocol: Compressing): void {
  const admitted = callUser(callbackOf(connection, 'onWebSocketConnect'), connection, opening.request);
  if (typeof admitted === 'boolean') return answer(connection, session, opening, protocol, admitted);
  connection._occupy();
  void admitted.then((result) => {
    answer(connection, session, opening, protocol, result);
    connection._vacate();
  });
}

function answer(
  connection: WebSocketConnection,
  session: Session,
  opening: Opening,
  protocol: Compressing,
  admitted: boolean,
): void {
  if (!isEstablished(connection)) return;
  if (!admitted) return void refuse(connection, REFUSAL.INTERNAL_ERROR);
  const lines = headerLines(connection.headers);
  const isOptedIn =
    protocol.permessageDeflate ||
    types.isDeflateType(connection.websocketType) ||
    lines.some(({ name }) => name === 'sec-websocket-extensions');
  const agreement = isOptedIn ? negotiate(opening.offers) : null;
  connection.context['websocketHandshake'] = true;
  session.begin(connection, openingAnswer(opening.key, lines, agreement?.header ?? null), agreement);
  if (isEstablished(connection))
    void callUser(callbackOf(connection, 'onWebSocketConnected'), connection, opening.request);
}
