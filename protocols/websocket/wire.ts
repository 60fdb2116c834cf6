/** The numbers of RFC 6455 that frames are made of. */

/** First byte of a frame: the bits above the opcode (section 5.2). */
export const FIN = 0x80;
/** With permessage-deflate: the message is compressed (RFC 7692 section 6). */
export const RSV1 = 0x40;
export const RSV2 = 0x20;
export const RSV3 = 0x10;
export const OPCODE = 0x0f;

/** Opcodes (section 11.8). From {@link CLOSE} on they are control frames. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** Second byte of a frame. */
export const MASKED = 0x80;
export const LENGTH = 0x7f;
/** Values of the 7 length bits which say that 16 or 64 bits follow. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;

/** Longest payload of a control frame (section 5.5). */
export const CONTROL_LIMIT = 125;

/** Close codes that this package sends (section 7.4.1). */
export const CLOSE_CODES = {
  NORMAL: 1000,
  PROTOCOL_ERROR: 1002,
  INVALID_PAYLOAD: 1007,
  TOO_BIG: 1009,
} as const;

/** A code with which this package fails a connection. */
export type FailCode = 1002 | 1007 | 1009;

/**
 * True when a peer may send this code: those registered for the wire (1004 to 1006 and 1015 are not), and those of
 * libraries and applications (section 7.4).
 */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
