/**
 * WebSocket frames as a test writes and reads them: a second, plain implementation of RFC 6455 section 5.2, which
 * shares nothing with the package and also makes frames that break the rules.
 */

/** A frame as it is sent. Everything may be wrong on purpose. */
export interface FrameSpec {
  opcode: number;
  payload?: string | Uint8Array;
  fin?: boolean;
  /** The RSV bits as a number: RSV1 is 4. */
  rsv?: number;
  /** Four bytes of key; true: a key that changes every byte; false: not masked. */
  mask?: Uint8Array | boolean;
  /** Bytes of the length field, when it should not be the shortest. */
  lengthBytes?: 1 | 2 | 8;
  /** Length in the header, when it should not be that of the payload. */
  length?: number | bigint;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

function lengthField(length: number | bigint, bytes: number | undefined, maskBit: number): Buffer {
  const size = bytes ?? (length < 126 ? 1 : length < 65_536 ? 2 : 8);
  if (size === 1) return Buffer.of(maskBit | Number(length));
  const field = Buffer.alloc(1 + size);
  field[0] = maskBit | (size === 2 ? 126 : 127);
  if (size === 2) field.writeUInt16BE(Number(length), 1);
  else field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}

/** The bytes of a frame. */
export function frame({
  opcode,
  payload = '',
  fin = true,
  rsv = 0,
  mask = true,
  lengthBytes,
  length,
}: FrameSpec): Buffer {
  const bytes = Buffer.from(payload as Uint8Array);
  const key = mask === true ? KEY : mask === false ? null : mask;
  const head = Buffer.of((fin ? 0x80 : 0) | (rsv << 4) | opcode);
  const field = lengthField(length ?? bytes.length, lengthBytes, key === null ? 0 : 0x80);
  if (key === null) return Buffer.concat([head, field, bytes]);
  return Buffer.concat([head, field, key, bytes.map((byte, i) => byte ^ key[i & 3]!)]);
}

/** Payload of a Close frame. */
export function closeBody(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason as Uint8Array)]);
}

/** A message cut into fragments. */
export function fragments(
  opcode: number,
  pieces: readonly (string | Uint8Array)[],
  spec: Partial<FrameSpec> = {},
): Buffer {
  return Buffer.concat(
    pieces.map((payload, i) =>
      frame({
        ...spec,
        opcode: i === 0 ? opcode : 0,
        payload,
        fin: i === pieces.length - 1,
        rsv: i === 0 ? (spec.rsv ?? 0) : 0,
      }),
    ),
  );
}

/** A frame as it was received. */
export interface ReadFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  masked: boolean;
  payload: Buffer;
  /** Bytes of the whole frame. */
  size: number;
}

/** The frame at the beginning, or null when it is not complete. */
export function readFrame(bytes: Buffer): ReadFrame | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 127;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + extra) return null;
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const masked = bytes[1]! >= 128;
  const start = 2 + extra + (masked ? 4 : 0);
  if (bytes.length < start + length) return null;
  const key = bytes.subarray(start - 4, start);
  const raw = Buffer.from(bytes.subarray(start, start + length));
  const payload = masked ? Buffer.from(raw.map((byte, i) => byte ^ key[i & 3]!)) : raw;
  return {
    fin: bytes[0]! >= 128,
    rsv: (bytes[0]! >> 4) & 7,
    opcode: bytes[0]! & 15,
    masked,
    payload,
    size: start + length,
  };
}

/** All complete frames, and the bytes behind them. */
export function readFrames(bytes: Buffer): { frames: ReadFrame[]; rest: Buffer } {
  const frames: ReadFrame[] = [];
  let rest = bytes;
  for (let next = readFrame(rest); next !== null; next = readFrame(rest)) {
    frames.push(next);
    rest = rest.subarray(next.size);
  }
  return { frames, rest };
}

/** The key of RFC 6455 section 1.3 and what a server answers to it. */
export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** A client's request for a handshake; `null` leaves a header out. */
export function openingRequest(
  headers: Record<string, string | string[] | null> = {},
  start = 'GET / HTTP/1.1',
): string {
  const all: Record<string, string | string[] | null> = {
    'Host': 'example.test',
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Key': SAMPLE_KEY,
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => {
    if (value === null) return [];
    return (Array.isArray(value) ? value : [value]).map((item) => `${name}: ${item}`);
  });
  return [start, ...lines, '', ''].join('\r\n');
}

/** What a server answers when the handshake has succeeded. */
export const OPENED: string =
  'HTTP/1.1 101 Switching Protocol\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}\r\n\r\n`;
