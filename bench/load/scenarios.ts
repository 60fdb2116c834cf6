import { createHash, randomBytes } from 'node:crypto';

/** What is measured. `unit` is what one answer counts as. */
export interface Scenario {
  name: string;
  unit: string;
  /** Names of programs in `contenders/`, `floor` for the C program; `ours` first. */
  contenders: readonly string[];
  env?: Readonly<Record<string, string>>;
  load: Load;
  /** Whether the answer to the probe is right; it is looked at before anything is timed. */
  check: (answer: string) => boolean;
  /** At most this times the other's CPU per unit. */
  targets?: Readonly<Record<string, number>>;
}

/** How the client works; see client.c. */
export type Load =
  | { mode: 'ask'; connections: number; depth: number; request: Buffer }
  | { mode: 'once'; connections: number; request: Buffer }
  | { mode: 'greeted'; connections: number; depth: number; greeting: Buffer; request: Buffer }
  | { mode: 'fan'; connections: number; rounds: number; greeting: Buffer; trigger: Buffer; answered: boolean };

const HTTP = ['ours', 'node-http', 'fastify', 'bun'];

function get(path: string, extra = ''): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n${extra}\r\n`);
}

const form = Array.from({ length: 24 }, (_, i) => `field${i}=${'value+of+the+form%21'.repeat(2)}`).join('&').slice(0, 1024);
const postForm = Buffer.from(
  `POST /form HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
    `Content-Length: ${form.length}\r\n\r\n${form}`,
);

const key = randomBytes(16).toString('base64');
const handshake = get('/', `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`);
/** What the answer to {@link handshake} has to contain. */
export const ACCEPT: string = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** A masked text frame, RFC 6455 section 5.2. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.of(0x81, 0x80 | payload.length), mask, payload.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

const hello = (answer: string): boolean => answer.startsWith('HTTP/1.1 200 OK\r\n') && answer.endsWith('\r\n\r\nhello world');

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'hello', unit: 'request', contenders: ['ours', 'node-http', 'fastify', 'bun', 'raw-net', 'floor'],
    load: { mode: 'ask', connections: 64, depth: 1, request: get('/') }, check: hello,
    targets: { 'raw-net': 0.9, 'node-http': 0.4, bun: 0.95 },
  },
  {
    name: 'pipelined by 16', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 16, request: get('/') }, check: hello, targets: { 'node-http': 0.12 },
  },
  {
    name: 'JSON', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 1, request: get('/json') },
    check: (answer) => answer.endsWith('\r\n\r\n{"agent":"bench"}'), targets: { 'node-http': 0.4 },
  },
  {
    name: 'form of 1 KB', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 1, request: postForm },
    check: (answer) => /\r\n\r\n2\d$/.test(answer), targets: { 'node-http': 0.25 },
  },
  {
    name: 'one request per connection', unit: 'request', contenders: HTTP,
    load: { mode: 'once', connections: 64, request: get('/', 'Connection: close\r\n') }, check: hello,
    targets: { 'node-http': 0.45 },
  },
  {
    name: 'WebSocket echo of 32 bytes', unit: 'message', contenders: ['ours', 'ws', 'bun'], env: { KIND: 'websocket' },
    load: { mode: 'greeted', connections: 64, depth: 1, greeting: handshake, request: frame('y'.repeat(32)) },
    check: (answer) => answer.endsWith('y'.repeat(32)), targets: { ws: 0.6 },
  },
  {
    name: 'WebSocket broadcast to 1,000', unit: 'delivery', contenders: ['ours', 'ws', 'bun'], env: { KIND: 'websocket' },
    load: { mode: 'fan', connections: 999, rounds: 200, greeting: handshake, trigger: frame('all'), answered: false },
    check: (answer) => answer.endsWith('x'.repeat(64)), targets: { ws: 0.35 },
  },
  {
    name: 'SSE to 800 streams', unit: 'event', contenders: ['ours', 'node-http'],
    load: { mode: 'fan', connections: 800, rounds: 100, greeting: get('/sse'), trigger: get('/publish'), answered: true },
    check: (answer) => answer.endsWith('published') || answer.includes('published'), targets: { 'node-http': 0.5 },
  },
];
