import { WorkermanError } from '../../errors.js';
import { addKept, type Holder, relieve } from './buffered.js';
import { type HttpConnection, stateOf } from './HttpConnection.js';
import { HttpState } from './HttpState.js';
import type { BodyHost } from './IncomingBody.js';
import { watched } from './limits.js';
import { refuse } from './refusals.js';
import type { Request } from './Request.js';

/**
 * What happens to a connection around its requests: when it ends, when it goes on, and when it has to go.
 */

/** `Expect: 100-continue` is granted with this (RFC 9110 section 15.2.1). */
export const CONTINUE: string = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Codes of exceptions that are the client's doing. */
export type ClientFault = 'WM_CLIENT_GONE' | 'WM_BODY_TOO_LARGE';

/** Nothing of an answer has been sent, and no older request waits for one. */
export function mayStillRefuse(request: Request, state: HttpState): boolean {
  return state.outstanding.length === 1 && state.outstanding[0] === request && !request._isAnswered;
}

/** Why a handler has failed when that is the doing of its client, whatever wraps the reason; else null. */
export function clientFault(error: unknown): ClientFault | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (!(cause instanceof WorkermanError)) continue;
    if (cause.code === 'WM_CLIENT_GONE' || cause.code === 'WM_BODY_TOO_LARGE') return cause.code as ClientFault;
  }
  return null;
}

/**
 * What is due when an answer, a handler or a body is done: the connection ends behind its last answer; a body that nobody
 * reads is thrown away, or ends the connection too when there is too much of it (RFC 9112 section 9.3).
 */
export function seeOff(connection: HttpConnection, state: HttpState): void {
  if (state.streams > 0 || connection._isLast) return;
  if (state.aborts !== null && state.isIdle) state.aborts = null;
  const { body } = state;
  const isLeft = body !== null && !body.done;
  if (isLeft && (body.stream.isBeingRead || state.running)) return;
  if (state.endNow) {
    state.endNow = false;
    connection.end();
  } else if (isLeft && state.outstanding.length === 0) {
    if (body.endsConnection) connection.end();
    else body.stream.discard();
  }
}

/** Whoever works for this client may stop. */
export function clientGone(state: HttpState): void {
  state.body?.fail('The client is gone');
  if (!state.isIdle) {
    const reason = new WorkermanError('WM_CLIENT_GONE', 'The client is gone');
    for (const abort of state.aborts ?? []) abort.abort(reason);
  }
  state.aborts = null;
}

/** Too many bytes wait in this process: the connections that hold most of them have to go. */
export function makeRoom(): void {
  const holders: [HttpConnection, Holder][] = [];
  for (const [connection] of watched()) {
    const http = connection as HttpConnection;
    if (http._state instanceof HttpState) holders.push([http, http._state]);
  }
  relieve(holders, giveUp);
}

function giveUp(connection: HttpConnection): void {
  const state = stateOf(connection);
  if (state.isIdle) refuse(503, connection);
  else if (state.running && state.body?.done !== false) {
    // The request that is being handled gets its answer. What waits behind it does not.
    state.lastSeen = true;
    connection.consumeRecvBuffer(connection.getRecvBufferQueueSize());
  } else connection.destroy();
}

/** What a body that is handed out while it arrives asks of its connection. */
export function bodyHost(connection: HttpConnection, state: HttpState): BodyHost {
  return {
    mayStillRefuse: (request) => mayStillRefuse(request, state),
    refuse: (status) => void refuse(status, connection),
    destroy: () => connection.destroy(),
    invite: () => {
      if (state.outstanding.length === 1) connection.send(CONTINUE, true);
    },
    hold: (isFull) => connection._holdInput(isFull),
    keep: (bytes) => {
      if (addKept(state, bytes)) makeRoom();
    },
    goOn: () => seeOff(connection, state),
  };
}
