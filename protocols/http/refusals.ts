import type { HttpConnection } from './HttpConnection.js';

/** The answers that the server gives by itself. Each ends its connection. */
const REFUSALS = {
  400: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  413: 'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n',
  431: 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n',
  503: 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n',
} as const;

/** Answers with this status, behind everything that was sent before, and ends the connection. */
export function refuse(status: keyof typeof REFUSALS, connection: HttpConnection): null {
  connection.end(REFUSALS[status], true);
  return null;
}
