import type { Socket } from 'node:net';

/** Who hears what happens on a socket. */
export interface SocketListener {
  /** Bytes that are the listener's to keep. */
  _onData(chunk: Buffer): void;
  /** Sockets that read into memory of ours only: the first `count` bytes, which are written anew after the call. */
  _onShared?(memory: Buffer, count: number): void;
  _onEnd(): void;
  _onSocketError(error: NodeJS.ErrnoException): void;
  _onSocketClose(): void;
}

const listener: unique symbol = Symbol('listener');

type Owned = Socket & { [listener]?: SocketListener };

// One function per event for the whole process instead of four closures per connection: an idle connection is small.
function onData(this: Owned, chunk: Buffer): void {
  this[listener]?._onData(chunk);
}
function onEnd(this: Owned): void {
  this[listener]?._onEnd();
}
/** Stays on the socket for good: an 'error' without a listener would end the process. */
function onError(this: Owned, error: NodeJS.ErrnoException): void {
  this[listener]?._onSocketError(error);
}
function onClose(this: Owned): void {
  this[listener]?._onSocketClose();
}

/** What a socket has read into memory of ours. */
export function deliver(socket: Socket, memory: Buffer, count: number): boolean {
  (socket as Owned)[listener]?._onShared?.(memory, count);
  return true;
}

/**
 * Routes the events of a socket to `owner`, in place of whoever heard them so far. Starts reading, unless the socket
 * was paused.
 */
export function attachListener(socket: Socket, owner: SocketListener): void {
  const isNew = (socket as Owned)[listener] === undefined;
  (socket as Owned)[listener] = owner;
  if (!isNew) return;
  socket.on('error', onError).on('end', onEnd).on('close', onClose).on('data', onData);
  // A server side that was made by hand reports errors of TLS under this name only.
  if ('encrypted' in socket) socket.on('_tlsError', onError);
}

/** Nobody hears this socket any more; errors stay harmless. */
export function detachListener(socket: Socket): void {
  delete (socket as Owned)[listener];
  socket.off('data', onData).off('end', onEnd).off('close', onClose);
}
