/** Numeric connection status, as in Workerman; `TcpConnection.STATUS_TO_STRING` names them. */
export type ConnectionStatus = 0 | 1 | 2 | 4 | 8 | 16;

export const INITIAL = 0;
export const CONNECTING = 1;
export const ESTABLISHED = 2;
export const ENDING = 4;
export const CLOSING = 8;
export const CLOSED = 16;
