import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { waitUntil } from '../support/process.js';
import { openBrowser, type Browser } from './chromium.js';

/** The pages of the signalling example, with cameras that Chromium makes up. */

describe('a video call in a browser', function () {
  this.timeout(150_000);
  let browser: Browser;
  let example: Example;

  before(async () => {
    example = await startExample('webrtc-signalling/start.ts', { replacePorts: [8877, 8878] });
    browser = await openBrowser(['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']);
  });
  after(async () => {
    await browser?.close();
    await cleanUpExamples();
  });

  const read = (page: Page, expression: string): Promise<unknown> => page.evaluate(expression);
  const state = (page: Page): Promise<unknown> => read(page, 'document.getElementById("state").textContent');
  const width = (page: Page): Promise<unknown> => read(page, 'document.getElementById("theirs").videoWidth');

  /** Waits until a page says this about itself. */
  const says = (page: Page, text: string): Promise<true> => {
    let last: unknown;
    return waitUntil(
      async () => (last = await state(page)) === text && (true as const),
      () => `${text}; the page says ${last}: ${example.script.describe()}`,
      30_000,
    );
  };

  it('two pages that name the same room see each other, and one that leaves can be followed by another', async () => {
    const problems: string[] = [];
    const enter = async (): Promise<Page> => {
      const page = await browser.context.newPage();
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(`http://127.0.0.1:${example.port(8878)}/`);
      await page.fill('input', 'caf\u00e9/1');
      await page.click('button');
      return page;
    };
    const alice = await enter();
    await says(alice, 'waiting for somebody \u2026');
    const bob = await enter();
    await Promise.all([says(alice, 'connected'), says(bob, 'connected')]);
    for (const page of [alice, bob]) {
      await waitUntil(async () => Number(await width(page)) > 0, () => 'a picture of the other', 30_000);
    }
    await bob.close();
    await says(alice, 'waiting for somebody \u2026');
    const carol = await enter();
    await Promise.all([says(alice, 'connected'), says(carol, 'connected')]);
    expect(problems).to.deep.equal([]);
    await example.stop();
  });
});
