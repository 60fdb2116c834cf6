import { WorkermanError } from '../../../errors.js';
import { httpStateOf } from '../HttpState.js';
import type { Request } from '../Request.js';
import { Session } from '../Session.js';
import { RequestSessions } from './RequestSessions.js';
import { addSessionCookie, isClientSessionId, sessionCookie } from './sessionId.js';

/*
 * Between a request and its sessions: which one it names, how its client is told of another, and whom failures and
 * saves concern.
 */

/** The id that a request has: the one it was given, that of its cookie, or else a new one, which its client is told. */
export function sessionIdOf(request: Request): string {
  const known = request.context['sid'];
  if (typeof known === 'string') return known;
  const sent = request.cookie(Session.name, '').replace(/^"(.*)"$/, '$1');
  if (!isClientSessionId(sent)) return giveNewSessionId(request);
  request.context['sid'] = sent;
  return sent;
}

/**
 * Gives an id to a request, and to its client with the headers of the next answer, which must be the one to this request.
 *
 * @throws WorkermanError `WM_SESSION` when there is no such answer to come
 */
export function giveSessionId(request: Request, id: string): string {
  const { connection } = request;
  if (connection === null || request._isAnswered) {
    throw new WorkermanError('WM_SESSION', 'Request->session() fail, header already send');
  }
  const cookie = sessionCookie(Session.name, id, Session.getCookieParams());
  addSessionCookie(connection.headers, Session.name, cookie);
  request.context['sid'] = id;
  return id;
}

/** The same with an id that the request's class makes. */
export function giveNewSessionId(request: Request): string {
  return giveSessionId(request, (request.constructor as typeof Request).createSessionId());
}

/** Begins the sessions of a request, and tells its connection, which stores them in time. */
export function beginSessions(request: Request): RequestSessions {
  const { connection } = request;
  const state = httpStateOf(connection);
  const fail = (error: unknown): void => {
    if (connection === null) throw error;
    if (state === null) connection.error(error);
    else state.report(connection, error);
  };
  const attend = (work: Promise<void>): void => connection?._attend?.(work);
  const sessions = new RequestSessions(fail, attend, state?.isRunning(request) !== true);
  if (state !== null && (state.current === request || state.current === null)) state.sessions = sessions;
  return sessions;
}
