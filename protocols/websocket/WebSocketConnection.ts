import type { ByteSource } from '../../connection/SendQueue.js';

/**
 * A user's callback, as far as this package needs to know: it may be async. Written as a method, whose parameters
 * TypeScript compares in both directions: what it is given differs from callback to callback, as the connection's
 * properties say.
 */
export type UserCallback = { callback(connection: unknown, value: unknown): unknown }['callback'] | null | undefined;

/** The callbacks that a connection, or the worker that accepted it, may bring. */
export interface WebSocketCallbacks {
  onWebSocketConnect?: UserCallback;
  onWebSocketConnected?: UserCallback;
  onWebSocketClose?: UserCallback;
  onWebSocketPing?: UserCallback;
  onWebSocketPong?: UserCallback;
}

/** What WebSocket needs of the connection that it is spoken on. */
export interface WebSocketConnection extends WebSocketCallbacks {
  readonly protocol: unknown;
  readonly worker: WebSocketCallbacks | null;
  readonly bytesRead: number;
  readonly maxPackageSize: number;
  readonly maxSendBufferSize: number;
  websocketType?: string;
  headers: unknown;
  readonly context: Record<string, unknown>;
  /** State of the protocol. */
  _state: unknown;
  /** Length of what `recognise` has found. */
  _recognised: number;
  readonly _paused: boolean;

  getStatus(): number;
  getSendBufferQueueSize(): number;
  consumeRecvBuffer(n: number): void;
  close(data?: unknown, raw?: boolean): void;
  end(data?: unknown, raw?: boolean): void;
  readonly errorHandler: ((error: unknown) => unknown) | null;
  error(error: unknown): void;

  _push(bytes: string | Uint8Array): boolean | null;
  _pushSource(source: ByteSource): void;
  _reserve(bytes: number): void;
  _dropPackage(): false;
  _occupy(holdsEnd?: boolean): void;
  _route(error: unknown, handler: WebSocketConnection['errorHandler']): void;
  _attend(work: Promise<unknown>): void;
  _vacate(): void;
  _deliver(packet: Buffer): void;
  _print(line: string): void;
}

/** `TcpConnection.STATUS_ESTABLISHED`. */
const ESTABLISHED = 2;

/** True until the connection is closed from either side. */
export function isEstablished(connection: WebSocketConnection): boolean {
  return connection.getStatus() === ESTABLISHED;
}

/** The callback that holds for a connection: its own, else its worker's. */
export function callbackOf(connection: WebSocketConnection, name: keyof WebSocketCallbacks): UserCallback {
  return connection[name] ?? connection.worker?.[name];
}

/**
 * Calls a user's callback; what it throws, or its promise is rejected with, goes to `connection.error()`. By then the
 * connection may have closed, which takes its handler for exceptions away: the promise is its callback's to the end.
 *
 * @returns whether it has succeeded; as a promise, which is never rejected, when it returned one
 */
export function callUser(
  callback: UserCallback,
  connection: WebSocketConnection,
  value: unknown,
): boolean | Promise<boolean> {
  const { errorHandler } = connection;
  try {
    const result = callback?.(connection, value);
    if (!isThenable(result)) return true;
    const settled = Promise.resolve(result).then(
      () => true,
      (error: unknown) => {
        connection._route(error, connection.errorHandler ?? errorHandler);
        return false;
      },
    );
    connection._attend(settled);
    return settled;
  } catch (error) {
    connection.error(error);
    return false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
