import type { HttpState } from './HttpState.js';
import { isOver, limits, refuseLate, type Watch, type Watched } from './limits.js';

/** What is asked of a connection that speaks HTTP. */
export interface HttpWatched extends Watched {
  readonly _state: unknown;
  readonly _busy: boolean;
  readonly _paused: boolean;
  readonly _sendProgress: number | null;
  getRecvBufferQueueSize(): number;
  bufferIsEmpty(): boolean;
  destroy(): void;
}

const ESTABLISHED = 2;

/** States of {@link Watch.secondsIn} that are no number of a request. */
const UNWANTED_BODY = 0.5;

/**
 * The limits of HTTP on one connection. Time counts while it is the client's turn: never while a request is handled, an
 * answer is incomplete, or the application itself has stopped reading.
 */
export function inspectHttp(connection: HttpWatched, watch: Watch, now: number): boolean {
  if (isOver(watch.secondsWithout(connection._sendProgress, now), limits.sendTimeout)) {
    connection.destroy();
    return false;
  }
  if (connection.getStatus() !== ESTABLISHED) return true;
  const state = connection._state as HttpState | null;
  if (connection._paused) watch.forget();
  else if (state?.body?.done === false) inspectBody(connection, state, watch, now);
  else if (connection._busy || !connection.bufferIsEmpty() || state?.isIdle === false) watch.forget();
  else inspectClient(connection, state, watch, now);
  return true;
}

/** Nothing is left to do but to wait for the next request, or for the rest of it. */
function inspectClient(connection: HttpWatched, state: HttpState | null, watch: Watch, now: number): void {
  const handedOut = state?.handedOut ?? 0;
  const hasBegun = connection.getRecvBufferQueueSize() > 0;
  if (!hasBegun && handedOut > 0) {
    if (isOver(watch.secondsIn(-handedOut, now), limits.keepAliveTimeout)) connection.close();
    return;
  }
  const seconds = watch.secondsIn(handedOut, now);
  const isLate = (state === null || state.head === null) && isOver(seconds, limits.headersTimeout);
  if (isLate || isOver(seconds, limits.requestTimeout)) refuseLate(connection, hasBegun);
}

/** A body that is handed out while it arrives may take as long as it likes, but not stand still. */
function inspectBody(connection: HttpWatched, state: HttpState, watch: Watch, now: number): void {
  const { stream } = state.body!;
  let seconds: number;
  if (stream.isWaiting) seconds = watch.secondsIn(connection.bytesRead + 1, now);
  // Nobody reads it any more, and the next request waits behind it: as if it were one that arrives.
  else if (state.isIdle) seconds = watch.secondsIn(UNWANTED_BODY, now);
  else return watch.forget();
  if (!isOver(seconds, limits.requestTimeout)) return;
  const mayAnswer = state.outstanding.length === 1 && !state.outstanding[0]!._isAnswered;
  state.body!.fail('The request body did not arrive in time');
  if (mayAnswer) refuseLate(connection, true);
  else connection.destroy();
}
