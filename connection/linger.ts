import type { Socket } from 'node:net';

/** Sockets that were closed by us and wait for the peer's FIN; a process that stops gives them a moment. */
const lingering = new Set<Socket>();

/** Sockets still being drained after a close. */
export const lingeringCount = (): number => lingering.size;

const ignore = (): void => {};

/**
 * Shuts a socket down without losing what was sent: FIN after the last byte, then input is read and thrown away until
 * the peer's FIN or for `seconds`, and only then the descriptor is closed. Closing at once with input unread would
 * make the kernel send RST, which can destroy the answer in flight (RFC 9112 section 9.6 describes the same).
 * The caller has taken its listeners off, all but the one for errors.
 */
export function lingerAndDestroy(socket: Socket, seconds: number): void {
  if (seconds <= 0 || socket.destroyed) {
    socket.destroySoon();
    return;
  }
  lingering.add(socket);
  const timer = setTimeout(() => socket.destroy(), seconds * 1000);
  socket.once('close', () => {
    clearTimeout(timer);
    lingering.delete(socket);
  });
  if (socket.readableEnded) {
    socket.end(() => socket.destroy());
    return;
  }
  socket.on('end', () => socket.destroy());
  socket.on('data', ignore);
  socket.resume();
  socket.end();
}
