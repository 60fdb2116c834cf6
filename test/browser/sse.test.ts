import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { StatusReport } from '../../lib/control/messages.js';
import { accepting, cleanUpScripts, startScript, waitUntil, type Script } from '../support/process.js';
import { openBrowser, type Browser } from './chromium.js';

/** The examples of server-sent events, as a user starts them, in a real browser. */

const PORT = 8080;
const ORIGIN = `http://127.0.0.1:${PORT}`;

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/** Fails when somebody else has the port that the examples name. */
function portIsFree(): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      reject(new Error(`The examples serve on port ${PORT}, and it is taken on this machine: ${error.message}`));
    });
    server.listen(PORT, '0.0.0.0', () => server.close(() => resolve()));
  });
}

/** Starts an example and waits until it serves. */
async function serve(name: string): Promise<Script> {
  const script = await startScript({ script: example(name) }).started();
  await accepting({ port: PORT });
  return script;
}

async function statusOf(script: Script): Promise<StatusReport> {
  const { output } = await script.run(['status', '--json']);
  return JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as StatusReport;
}

const sum = (numbers: (number | null)[]): number => numbers.reduce<number>((total, n) => total + (n ?? 0), 0);

/** Timers and connections of all worker processes. */
async function load(script: Script): Promise<{ timers: number; connections: number }> {
  const { processes } = await statusOf(script);
  return { timers: sum(processes.map((p) => p.timers)), connections: sum(processes.map((p) => p.connections)) };
}

/** Waits until the worker has as many timers as `wanted`. */
async function timersBecome(script: Script, wanted: number): Promise<void> {
  let last = '';
  await waitUntil(
    async () => {
      const now = await load(script);
      last = JSON.stringify(now);
      return now.timers === wanted;
    },
    () => `${wanted} timers; the worker has ${last}: ${script.describe()}`,
  );
}

interface Received {
  data: string;
  id: string;
}

/** Opens an EventSource in the page and collects its messages. */
const listen = (page: Page): Promise<unknown> =>
  page.evaluate(`
  window.received = [];
  window.source = new EventSource('/');
  window.source.addEventListener('message', ({ data, lastEventId }) => window.received.push({ data, id: lastEventId }));
  null
`);

const received = (page: Page): Promise<Received[]> => page.evaluate('window.received');

const messages = (page: Page, count: number): Promise<Received[]> =>
  waitUntil(
    async () => {
      const all = await received(page);
      return all.length >= count && all;
    },
    () => `${count} messages in the browser`,
    30_000,
  );

describe('server-sent events in a browser', function () {
  this.timeout(60_000);
  let browser: Browser;

  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());
  beforeEach(portIsFree);
  afterEach(async () => {
    await cleanUpScripts();
    // A persistent context needs one page to live on.
    const [first, ...others] = browser.context.pages();
    for (const page of others) await page.close();
    await first?.goto('about:blank').catch(() => {});
  });

  it('the example streams hello to an EventSource, and its timer goes when the page does', async () => {
    const script = await serve('sse.ts');

    const page = await browser.context.newPage();
    await page.goto(ORIGIN);
    expect(await page.evaluate('document.body.innerText')).to.equal('ok');
    await listen(page);
    expect((await messages(page, 3)).slice(0, 3)).to.deep.equal(Array(3).fill({ data: 'hello', id: '1' }));
    expect((await load(script)).timers).to.equal(1);

    await page.close();
    await timersBecome(script, 0);

    const again = await browser.context.newPage();
    await again.goto(ORIGIN);
    await listen(again);
    expect((await messages(again, 1))[0]).to.deep.equal({ data: 'hello', id: '1' });
    await again.evaluate('window.source.close()');
    await timersBecome(script, 0);
    await again.close();

    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('every page that listens has a timer of its own', async () => {
    const script = await serve('sse.ts');
    const pages = [await browser.context.newPage(), await browser.context.newPage()];
    for (const page of pages) {
      await page.goto(ORIGIN);
      await listen(page);
    }
    await timersBecome(script, 2);
    await pages[0]!.close();
    await timersBecome(script, 1);
    expect((await messages(pages[1]!, 1))[0]).to.deep.equal({ data: 'hello', id: '1' });
    await pages[1]!.close();
    await timersBecome(script, 0);
    await script.stop();
  });

  it('the page of the other example shows a clock that ticks, and comes back after the worker was killed', async () => {
    const script = await serve('sse-page.ts');
    await script.waitFor(/Open http:\/\/127\.0\.0\.1:8080 in a browser/);

    const page = await browser.context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(ORIGIN);
    const clock = (): Promise<string> => page.evaluate('document.getElementById("clock").textContent');
    const anotherTime = (than: string): Promise<string> =>
      waitUntil(
        async () => {
          const now = await clock();
          return /^\d\d:\d\d:\d\d$/.test(now) && now !== than && now;
        },
        () => `another time than ${than}: ${script.describe()}`,
        30_000,
      );

    const first = await anotherTime('');
    await anotherTime(first);
    expect(await page.evaluate('document.getElementById("state").textContent')).to.equal('connected');

    const [worker] = script.workers();
    script.signal('SIGKILL', worker);
    await script.waitForLog(/exit with status 9/);
    await anotherTime(await clock());

    expect(problems).to.deep.equal([]);
    await page.close();
    await timersBecome(script, 0);
    await script.stop();
  });
});
