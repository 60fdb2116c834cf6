import type { ByteSink, ByteSource } from '../../connection/SendQueue.js';
import type { HeaderValue } from './headers.js';
import { HttpState } from './HttpState.js';
import type { HttpWatched } from './inspect.js';

/** What HTTP needs of the connection that it is spoken on. */
export interface HttpConnection extends HttpWatched {
  readonly worker: { readonly streamBodies?: boolean } | null;
  maxPackageSize: number;
  /** Whatever the application has set; checked when it is written. */
  headers: Record<string, HeaderValue>;
  errorHandler: ((error: unknown) => unknown) | null;
  _state: unknown;
  _recognised: number;
  readonly _isLast: boolean;
  readonly _drains: boolean;
  send(data: unknown, raw?: boolean): boolean | null;
  error(exception: unknown): void;
  consumeRecvBuffer(n: number): void;
  _push(bytes: string | Uint8Array): boolean | null;
  _pushSource(source: ByteSource): void;
  _divert(sink: ByteSink): void;
  _holdInput(full: boolean): void;
}

/** What HTTP remembers about a connection; begun when it is first asked for. */
export function stateOf(connection: HttpConnection): HttpState {
  const { _state: state } = connection;
  if (state instanceof HttpState) return state;
  const begun = new HttpState();
  // Whoever only wants an answer put into bytes does not take the connection from the protocol that it speaks.
  if (state === null) connection._state = begun;
  return begun;
}

/** From here on the connection speaks HTTP: what is there may be another protocol's, which has handed it over. */
export function takeOver(connection: HttpConnection): void {
  if (!(connection._state instanceof HttpState)) connection._state = null;
}
