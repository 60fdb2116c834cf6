import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { WebSocket as UndiciWebSocket } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { randomFrom } from '../support/feed.js';
import { cleanUpScripts, freePort, startScript, type Script } from '../support/process.js';

/**
 * Other people's WebSocket against ours: `ws` as client and as server, and the client of undici. Messages of random
 * size and type have to come back equal and in order.
 */

/** One end of another implementation. */
interface Link {
  send(message: string | Buffer): void;
  onMessage: (message: string | Buffer) => void;
  onEnd: (reason: string) => void;
  close(): void;
}

const app = (name: string): string => fileURLToPath(new URL(`../autobahn/apps/${name}.ts`, import.meta.url));

const LETTERS = ['a', 'Z', '0', ' ', 'é', 'ß', '→', '你', '🎉', '\0', '\n'];

/** Mostly short, sometimes long. */
function sizeOf(random: () => number): number {
  const kind = random();
  if (kind < 0.05) return 0;
  if (kind < 0.7) return Math.floor(random() * 200);
  if (kind < 0.97) return Math.floor(random() * 5000);
  return Math.floor(random() * 100_000);
}

function messageFrom(random: () => number): string | Buffer {
  const size = sizeOf(random);
  const block = Array.from({ length: Math.min(size, 50) }, () => Math.floor(random() * 256));
  if (random() < 0.5) return Buffer.alloc(size, block.length > 0 ? Buffer.from(block) : 0);
  const text = block.map((value) => LETTERS[value % LETTERS.length]).join('');
  return size <= 50 ? text : text.repeat(Math.ceil(size / 50));
}

/** So many messages are on their way at most. */
const AHEAD = 100;

/** Sends messages and expects each of them back. */
function exchange(link: Link, count: number, seed: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sending = randomFrom(seed);
    const expecting = randomFrom(seed);
    let sent = 0;
    let received = 0;
    const fill = (): void => {
      while (sent < count && sent - received < AHEAD) {
        link.send(messageFrom(sending));
        sent++;
      }
    };
    link.onMessage = (message) => {
      const wanted = messageFrom(expecting);
      const isEqual =
        typeof wanted === 'string' ? wanted === message : typeof message !== 'string' && wanted.equals(message);
      if (!isEqual) {
        reject(
          new Error(
            `message ${received} came back as another (${typeof wanted}, length ${wanted.length}; ${typeof message}, length ${message.length})`,
          ),
        );
        return link.close();
      }
      received++;
      if (received === count) resolve();
      else fill();
    };
    link.onEnd = (reason) => reject(new Error(`the connection ended after ${received} messages: ${reason}`));
    fill();
  });
}

/** Waits for the peer's orderly end. */
const ended = (link: Link): Promise<string> =>
  new Promise((resolve) => {
    link.onEnd = resolve;
    link.close();
  });

function linkOfWs(socket: WebSocket): Link {
  const link: Link = {
    send: (message) => socket.send(message),
    onMessage: () => {},
    onEnd: () => {},
    close: () => socket.close(1000),
  };
  socket.on('message', (data: Buffer, isBinary: boolean) => link.onMessage(isBinary ? data : data.toString()));
  socket.on('error', (error) => link.onEnd(error.message));
  socket.on('close', (code) => link.onEnd(`code ${code}`));
  return link;
}

async function wsClient(port: number, compress: boolean): Promise<Link> {
  const perMessageDeflate = compress ? { threshold: 0 } : false;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate, maxPayload: 1 << 28 });
  const link = linkOfWs(socket);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  expect(socket.extensions).to.equal(compress ? 'permessage-deflate' : '');
  return link;
}

/** It always offers compression, so it gets some when the server compresses. */
async function undiciClient(port: number, compress: boolean): Promise<Link> {
  const socket = new UndiciWebSocket(`ws://127.0.0.1:${port}/`);
  socket.binaryType = 'arraybuffer';
  const link: Link = {
    send: (message) => socket.send(message as string),
    onMessage: () => {},
    onEnd: () => {},
    close: () => socket.close(1000),
  };
  socket.addEventListener('message', ({ data }) =>
    link.onMessage(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer)),
  );
  socket.addEventListener('error', () => link.onEnd('an error'));
  socket.addEventListener('close', ({ code }) => link.onEnd(`code ${code}`));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('undici can not connect')), { once: true });
  });
  expect(socket.extensions.startsWith('permessage-deflate')).to.equal(compress);
  return link;
}

const CLIENTS = [
  ['ws', wsClient],
  ['undici', undiciClient],
] as const;

/** Defines the tests. @param count messages to and fro in each of them */
export function defineInterop(count: number, seconds: number): void {
  describe(`${count} messages with other implementations of WebSocket`, function () {
    this.timeout(seconds * 1000);
    afterEach(cleanUpScripts);

    const intact = async (script: Script): Promise<void> => {
      expect(script.log()).to.not.match(/exit with status/);
      expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
    };

    for (const compress of [false, true]) {
      const how = compress ? 'compressed' : 'plain';

      for (const [name, connectTo] of CLIENTS) {
        it(`our server echoes what a client of ${name} sends, ${how}`, async () => {
          const port = await freePort();
          const script = await startScript({
            script: app('echoServer'),
            env: { ECHO_PORT: String(port), COMPRESS: compress ? '1' : '' },
          }).started();
          const link = await connectTo(port, compress);
          await exchange(link, count, 6455);
          expect(await ended(link)).to.equal('code 1000');
          await intact(script);
        });
      }

      it(`our client echoes what a server of ws sends, ${how}`, async () => {
        const server = new WebSocketServer({
          port: 0,
          host: '127.0.0.1',
          perMessageDeflate: compress ? { threshold: 0 } : false,
          maxPayload: 1 << 28,
        });
        await new Promise((resolve) => server.once('listening', resolve));
        const connected = new Promise<WebSocket>((resolve) => {
          server.on('connection', (socket, request) => {
            if (request.url === (compress ? '/deflate' : '/plain')) resolve(socket);
          });
        });
        const script = startScript({
          script: app('echoClients'),
          env: { TESTER_PORT: String((server.address() as AddressInfo).port) },
        });
        const socket = await connected;
        expect(socket.extensions).to.equal(compress ? 'permessage-deflate' : '');
        const link = linkOfWs(socket);
        await exchange(link, count, 7692);
        expect(await ended(link)).to.equal('code 1000');
        await intact(script);
        for (const one of server.clients) one.terminate();
        await new Promise((resolve) => server.close(resolve));
      });
    }
  });
}
