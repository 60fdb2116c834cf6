import { openingRequest, printable, readOpened, type SentRequest } from './websocket/clientHandshake.js';
import { encodeFrame } from './websocket/encodeFrame.js';
import { headerLines } from './websocket/headerLines.js';
import { HeadReader } from './websocket/HeadReader.js';
import * as types from './websocket/outgoing.js';
import { Session } from './websocket/Session.js';
import { callUser, isEstablished, type WebSocketConnection } from './websocket/WebSocketConnection.js';
import { FIN, PING } from './websocket/wire.js';

/** What this protocol needs of the client connection that it is spoken on. */
export interface WsConnection extends WebSocketConnection {
  websocketOrigin?: string;
  websocketClientProtocol?: string;
  websocketPingInterval?: number;
  readonly _targetPort?: number;
  getRemoteHost?(): string;
  getRemoteURI?(): string;
}

/** Longest interval of a Node timer, in milliseconds. */
const LONGEST_MS = 2_147_483_647;

/** What this protocol remembers about one connection, from one connect to the next. */
class ClientState {
  readonly session: Session = new Session(false);
  readonly head: HeadReader = new HeadReader();
  /** Null before it was sent. */
  request: SentRequest | null = null;
  pings: NodeJS.Timeout | null = null;
}

/**
 * WebSocket client (RFC 6455), for `new AsyncTcpConnection('ws://…')`; with `transport = 'ssl'` the same over TLS.
 *
 * The handshake begins when TCP is up, and `onWebSocketConnect(connection, response)` is called when it is done. What
 * is sent before waits. Messages and types are those of {@link Websocket}; frames are masked with fresh random keys.
 */
export class Ws {
  /** Type of text messages, the default. */
  static readonly BINARY_TYPE_BLOB: '\x81' = types.BINARY_TYPE_BLOB;
  /** Type of binary messages. */
  static readonly BINARY_TYPE_ARRAYBUFFER: '\x82' = types.BINARY_TYPE_ARRAYBUFFER;

  /**
   * Offer permessage-deflate (RFC 7692) to every server. Default false. A single connection does it by an own
   * `Sec-WebSocket-Extensions` in `connection.headers`.
   */
  static permessageDeflate = false;

  /** Cuts one message; the handshake, control frames and the end are dealt with here. */
  static input(buffer: Buffer, connection: WsConnection): number {
    const { session } = stateOf(connection);
    return session.open ? session.receive(buffer, connection) : this.dealHandshake(buffer, connection);
  }

  /** The message whose last bytes `input` has just cut. */
  static decode(_buffer: Buffer, connection: WsConnection): string | Buffer {
    return stateOf(connection).session.takeMessage();
  }

  /**
   * One frame; empty when the message waits for the handshake or for its compression.
   *
   * @throws TypeError `WM_BAD_DATA` for what has no JSON form
   */
  static encode(data: unknown, connection: WsConnection): Uint8Array {
    return stateOf(connection).session.encode(data, connection);
  }

  /** TCP is up: sends the handshake. */
  static onConnect(connection: WsConnection): void {
    this.sendHandshake(connection);
  }

  /** Sends the request for the handshake, once per connect. */
  static sendHandshake(connection: WsConnection): void {
    const state = stateOf(connection);
    if (state.request !== null) return;
    state.request = openingRequest({
      host: connection.getRemoteHost?.() ?? '',
      port: connection._targetPort ?? 0,
      uri: connection.getRemoteURI?.() ?? '/',
      origin: connection.websocketOrigin,
      protocols: connection.websocketClientProtocol,
      compress: this.permessageDeflate,
      lines: headerLines(connection.headers),
    });
    connection._push(state.request.text);
  }

  /** Reads the server's answer. @returns as `input` */
  static dealHandshake(buffer: Buffer, connection: WsConnection): number {
    const state = stateOf(connection);
    if (state.request === null) {
      connection._print(`Data before the handshake was sent. Buffer:\n${printable(buffer.subarray(0, 1024))}`);
      return -1;
    }
    const { used, state: progress } = state.head.read(buffer);
    connection.consumeRecvBuffer(used);
    if (progress === 'more') return 0;
    const head = progress === 'complete' ? state.head.head : state.head.bytes;
    const opened =
      progress === 'complete' ? readOpened(head, state.request) : 'The answer to the handshake is too long';
    if (typeof opened === 'string') {
      connection._print(`${opened}. Header:\n${printable(head)}`);
      connection.close();
      return 0;
    }
    state.session.begin(connection, '', opened.agreement);
    void callUser(connection.onWebSocketConnect, connection, opened.response);
    if (!isEstablished(connection)) return 0;
    startPings(connection, state);
    return used < buffer.length && !connection._paused ? state.session.receive(buffer.subarray(used), connection) : 0;
  }

  /** The Close frame behind everything else. */
  static closing(connection: WsConnection): Uint8Array {
    return stateOf(connection).session.closing();
  }

  /** The result of `send`: false where `encode` took a message and dropped it. */
  static onSent(connection: WsConnection): boolean | null | undefined {
    return stateOf(connection).session.sent;
  }

  /** What was queued is dropped; the next connect begins anew. */
  static onClose(connection: WsConnection): void {
    const state = stateOf(connection);
    state.session.dispose();
    if (state.pings !== null) clearInterval(state.pings);
    connection._state = null;
  }
}

function stateOf(connection: WsConnection): ClientState {
  if (!(connection._state instanceof ClientState)) connection._state = new ClientState();
  return connection._state as ClientState;
}

function startPings(connection: WsConnection, state: ClientState): void {
  const seconds = connection.websocketPingInterval ?? 0;
  if (!(seconds > 0)) return;
  const interval = Math.min(seconds * 1000, LONGEST_MS);
  const pings = setInterval(() => {
    if (!isEstablished(connection) || connection._push(encodeFrame(FIN | PING, '', true)) === false)
      clearInterval(pings);
  }, interval);
  state.pings = pings;
}
