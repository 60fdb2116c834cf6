import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cleanUpScripts, freePort, startScript, type Script } from '../support/process.js';
import { openBrowser, type Browser } from './chromium.js';

/** The WebSocket of a real browser, against our echo server with compression. */

const app = fileURLToPath(new URL('../autobahn/apps/echoServer.ts', import.meta.url));

/** Runs in the page: sends messages of both types and many sizes, and says what came back wrong. */
const EXCHANGE = `async (url, count) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('the handshake has failed'));
  });
  const make = (i) => {
    const size = i % 50 === 0 ? 100000 + i : (i * 37) % 3000;
    const text = ('é→🎉' + i + 'x').repeat(1 + size / 7);
    return i % 2 === 0 ? text : new TextEncoder().encode(text);
  };
  const asText = (data) => (typeof data === 'string' ? 't' + data : 'b' + new TextDecoder().decode(data));
  let received = 0;
  let wrong = 0;
  await new Promise((resolve, reject) => {
    socket.onclose = (event) => reject(new Error('closed with ' + event.code));
    socket.onmessage = ({ data }) => {
      if (asText(data) !== asText(make(received))) wrong++;
      if (++received === count) resolve();
      else if (received + 20 <= count) socket.send(make(received + 19));
    };
    for (let i = 0; i < 20; i++) socket.send(make(i));
  });
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
  });
  socket.close(1000, 'done');
  return { extensions: socket.extensions, received, wrong, closed: await closed };
}`;

describe('the WebSocket of a browser', function () {
  this.timeout(60_000);
  let browser: Browser;

  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());
  afterEach(cleanUpScripts);

  for (const compress of [true, false]) {
    it(`gets every message back in order, ${compress ? 'compressed' : 'plain'}, and ends cleanly`, async () => {
      const port = await freePort();
      const script: Script = await startScript({
        script: app,
        env: { ECHO_PORT: String(port), COMPRESS: compress ? '1' : '' },
      }).started();
      const page = await browser.context.newPage();
      const result: unknown = await page.evaluate(`(${EXCHANGE})('ws://127.0.0.1:${port}/', 500)`);
      expect(result).to.deep.equal({
        extensions: compress ? 'permessage-deflate' : '',
        received: 500,
        wrong: 0,
        closed: { code: 1000, wasClean: true },
      });
      await page.close();
      expect(script.log()).to.not.match(/exit with status/);
      expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }
});
