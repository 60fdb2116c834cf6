/** All that is measured, by name. */
import type { Bench } from './Bench.js';
import { growthBench } from './growthBench.js';
import { loadBench, type LoadScenario } from './loadBench.js';
import { idleBench, restBench, startBench } from './memoryBenches.js';
import type { Check } from './probe.js';
import { fileOf } from './processes.js';
import { FORM, FORM_FIELDS, frame, get, HANDSHAKE, pattern, post } from './requests.js';

const HTTP = ['ours', 'node-http', 'fastify', 'bun'];
const MEGABYTE = 1 << 20;
const WEBSOCKET = { KIND: 'websocket' };

/** A 200 with that body. */
const answers = (body: string): Check => (answer) => {
  const text = answer.toString('latin1');
  return text.startsWith('HTTP/1.1 200 OK\r\n') && text.endsWith(`\r\n\r\n${body}`);
};

const hello = answers('hello world');

/** A frame with that text and nothing else; RFC 6455 section 5.2. */
const says = (text: string): Check => (answer) => answer.equals(Buffer.concat([Buffer.of(0x81, text.length), Buffer.from(text)]));

const event = (answer: Buffer): boolean => answer.includes(`data: ${'x'.repeat(64)}\n\n`) && answer.includes('id: 1\n');

const FILE = pattern(50 * MEGABYTE);
const UPLOAD = pattern(20 * MEGABYTE);

const LOADS: readonly LoadScenario[] = [
  {
    name: 'hello', unit: 'request', contenders: [...HTTP, 'raw-net', 'floor'],
    load: { mode: 'ask', connections: 64, depth: 1, request: get('/') }, check: hello,
    targets: { 'raw-net': 0.9, 'node-http': 0.4, bun: 0.95, floor: 1.15 },
  },
  {
    name: 'pipelined by 16', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 16, request: get('/') }, check: hello, targets: { 'node-http': 0.12 },
  },
  {
    name: 'JSON with a header of the request', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 1, request: get('/json') }, check: answers('{"agent":"bench"}'),
    targets: { 'node-http': 0.4 },
  },
  {
    name: 'form of 1 KB', unit: 'request', contenders: HTTP,
    load: { mode: 'ask', connections: 64, depth: 1, request: post('/form', 'application/x-www-form-urlencoded', FORM) },
    check: answers(String(FORM_FIELDS)), targets: { 'node-http': 0.25 },
  },
  {
    name: 'one request per connection', unit: 'request', contenders: [...HTTP, 'floor'],
    load: { mode: 'once', connections: 64, request: get('/', 'Connection: close\r\n') }, check: hello,
    targets: { 'node-http': 0.45 },
  },
  {
    name: 'WebSocket echo of 32 bytes', unit: 'message', contenders: ['ours', 'ws', 'bun'], env: WEBSOCKET,
    load: { mode: 'greeted', connections: 64, depth: 1, greeting: HANDSHAKE, request: frame('y'.repeat(32)) },
    check: says('y'.repeat(32)), targets: { ws: 0.6 },
  },
  {
    name: 'WebSocket broadcast to 1,000', unit: 'delivery', contenders: ['ours', 'ws', 'bun'], env: WEBSOCKET,
    load: { mode: 'fan', connections: 999, depth: 1, rounds: 200, greeting: HANDSHAKE, trigger: frame('all'), answered: false },
    check: says('x'.repeat(64)), targets: { ws: 0.35 },
  },
  {
    name: 'WebSocket broadcast to 1,000, 10 messages at once', unit: 'delivery', contenders: ['ours', 'ws', 'bun'], env: WEBSOCKET,
    load: { mode: 'fan', connections: 999, depth: 10, rounds: 50, greeting: HANDSHAKE, trigger: frame('all'), answered: false },
    check: says('x'.repeat(64)), targets: { ws: 0.35 },
  },
  {
    name: 'SSE to 800 streams', unit: 'event', contenders: ['ours', 'node-http', 'bun', 'floor'],
    load: { mode: 'fan', connections: 800, depth: 1, rounds: 100, greeting: get('/sse'), trigger: get('/publish'), answered: true },
    check: event, targets: { 'node-http': 0.5 },
  },
  {
    name: 'SSE to 800 streams, 10 events at once', unit: 'event', contenders: ['ours', 'node-http', 'bun'],
    load: { mode: 'fan', connections: 800, depth: 10, rounds: 30, greeting: get('/sse'), trigger: get('/publish'), answered: true },
    check: event, targets: { 'node-http': 0.5 },
  },
  {
    name: 'file of 50 MB', unit: 'file', contenders: ['ours', 'node-http', 'bun'],
    load: { mode: 'ask', connections: 2, depth: 1, request: get('/file') },
    check: (answer) => answer.toString('latin1', 0, 12) === 'HTTP/1.1 200' && answer.subarray(-FILE.length).equals(FILE),
  },
  {
    name: 'upload of 20 MB', unit: 'upload', contenders: ['ours', 'node-http', 'bun'],
    load: { mode: 'ask', connections: 2, depth: 1, request: post('/upload', 'application/octet-stream', UPLOAD) },
    check: answers(`${UPLOAD.length} ${[1, 2, 3, 4].map((part) => UPLOAD[Math.floor((UPLOAD.length * part) / 5)]).join(' ')}`),
  },
];

/** Everything that can be measured. Has the files made that servers need. */
export function allBenches(): Bench[] {
  process.env['FILE'] = fileOf('file', FILE);
  return [
    ...LOADS.map(loadBench),
    growthBench({
      name: 'growth of hello, 64 of all connections ask', unit: 'request', contenders: ['ours', 'node-http', 'bun', 'floor'], check: hello,
      load: (connections) => ({ mode: 'rotate', connections, active: 64, request: get('/') }),
    }),
    growthBench({
      name: 'growth of SSE to all streams', unit: 'event', contenders: ['ours', 'node-http', 'bun', 'floor'], check: event,
      load: (connections) => ({
        mode: 'fan', connections, depth: 1, rounds: 160_000 / connections, greeting: get('/sse'), trigger: get('/publish'), answered: true,
      }),
    }),
    idleBench(hello),
    restBench(),
    startBench(),
  ];
}
