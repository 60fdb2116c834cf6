import type { Socket } from 'node:net';

/** `ip:port`, IPv6 in brackets; `''` when the socket does not know (unix sockets, closed ones). */
export function joinAddress(ip: string | undefined, port: number | undefined): string {
  if (ip === undefined || ip === '') return '';
  return ip.includes(':') ? `[${ip}]:${port ?? 0}` : `${ip}:${port ?? 0}`;
}

/** The part before the last colon: Workerman's rule, purely textual. */
export function ipOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? '' : address.slice(0, colon);
}

/** The number behind the last colon, 0 when there is none. */
export function portOf(address: string): number {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? 0 : Number(address.slice(colon + 1)) || 0;
}

export const remoteOf = (socket: Socket): string => joinAddress(socket.remoteAddress, socket.remotePort);

export const localOf = (socket: Socket): string => joinAddress(socket.localAddress, socket.localPort);
