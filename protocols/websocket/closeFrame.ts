import { isUtf8 } from 'node:buffer';
import { CLOSE_CODES, isCloseCode, type FailCode } from './wire.js';

/** Payload of a Close frame with a code and no reason (RFC 6455 section 5.5.1). */
export function closePayload(code: number): Buffer {
  return Buffer.of(code >> 8, code & 0xff);
}

/** Judges the payload of a received Close frame. @returns 0, or the code to fail with */
export function checkClose(payload: Buffer): 0 | FailCode {
  if (payload.length === 0) return 0;
  if (payload.length === 1 || !isCloseCode(payload.readUInt16BE(0))) return CLOSE_CODES.PROTOCOL_ERROR;
  return isUtf8(payload.subarray(2)) ? 0 : CLOSE_CODES.INVALID_PAYLOAD;
}
