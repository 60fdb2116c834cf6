/** The bytes that the load is made of. */
import { createHash, randomBytes } from 'node:crypto';

/** A GET request with the few headers that every client sends, and `extra` lines. */
export function get(path: string, extra = ''): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n${extra}\r\n`);
}

/** A POST request. */
export function post(path: string, type: string, body: Uint8Array): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n` +
    `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** A form of 24 fields, 1,024 bytes. */
export const FORM: Buffer = Buffer.from(
  Array.from({ length: 24 }, (_, i) => `field${String(i).padStart(2, '0')}=${'value+of+the%21'.repeat(3)}`)
    .join('&')
    .padEnd(4096, 'x')
    .slice(0, 1024),
);

/** Number of fields in {@link FORM}. */
export const FORM_FIELDS: number = FORM.toString().split('&').length;

const key = randomBytes(16).toString('base64');

/** The opening handshake of a WebSocket. */
export const HANDSHAKE: Buffer = get(
  '/',
  `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`,
);

/** What the answer to {@link HANDSHAKE} has to contain. */
export const ACCEPT: string = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** A masked text frame of up to 125 bytes, RFC 6455 section 5.2. */
export function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  return Buffer.concat([
    Buffer.of(0x81, 0x80 | payload.length), mask, payload.map((byte, i) => byte ^ (mask[i % 4] as number)),
  ]);
}

/** Bytes that are different everywhere, and the same in every run. */
export function pattern(length: number): Buffer {
  const block = Buffer.alloc(65_521);
  for (let i = 0; i < block.length; i++) block[i] = (i * 31 + (i >> 8)) & 0xff;
  return Buffer.alloc(length, block);
}
