import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { openBrowser, type Browser } from '../browser/chromium.js';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { installPackage } from '../support/packed.js';
import { waitUntil } from '../support/process.js';

/** The programs that bring a page, in a real browser. */
describe('the examples with a page', function () {
  this.timeout(40_000);
  let browser: Browser;
  const problems: string[] = [];

  before(async function () {
    this.timeout(150_000);
    installPackage();
    browser = await openBrowser();
  });
  after(() => browser.close());
  afterEach(cleanUpExamples);

  /** A new tab with the page of an example. What goes wrong in it is in `problems`. */
  async function open(example: Example): Promise<Page> {
    const page = await browser.context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('dialog', (dialog) => problems.push(`a dialog: ${dialog.message()}`));
    await page.goto(`http://127.0.0.1:${example.port(8080)}`);
    return page;
  }

  describe('chat', () => {
    const lines = (page: Page): Promise<string[]> =>
      page.evaluate('[...document.querySelectorAll("#messages li")].map((line) => line.textContent)');

    const shows = (page: Page, line: string): Promise<unknown> =>
      waitUntil(
        async () => (await lines(page)).includes(line),
        () => `the line ${line} on the page`,
      );

    const state = (page: Page, text: string): Promise<unknown> =>
      page.waitForFunction(`document.getElementById('state').textContent === ${JSON.stringify(text)}`);

    async function join(page: Page, name: string): Promise<void> {
      await state(page, 'connected');
      await page.fill('#name', name);
      await page.click('#join button');
    }

    async function say(page: Page, text: string): Promise<void> {
      await page.fill('#text', text);
      await page.press('#text', 'Enter');
    }

    it('several tabs talk in one room, and nothing that somebody writes becomes part of the page', async () => {
      const example = await startExample('chat/start.ts', {
        replacePorts: [8080, 8081],
        edit: (source) => source.replace('connect, 1000', 'connect, 100'),
      });
      const { script } = example;
      const [ann, bob] = [await open(example), await open(example)];
      await join(ann, 'Ann');
      await shows(ann, 'Ann joined');
      await join(bob, 'Bob <b>');
      await shows(ann, 'Bob <b> joined');
      await state(ann, 'In the room: Ann, Bob <b>');

      await say(ann, 'Hello, grüß dich 🎉');
      const attack = '<img src=x onerror="alert(1)"><script>alert(2)</' + 'script>&amp;';
      await say(bob, attack);
      for (const page of [ann, bob]) {
        await shows(page, 'Ann: Hello, grüß dich 🎉');
        await shows(page, `Bob <b>: ${attack}`);
        expect(await page.evaluate('document.querySelectorAll("#messages img, #messages script").length')).to.equal(0);
        expect(await page.evaluate('document.querySelectorAll("#messages b").length')).to.equal(
          (await lines(page)).length,
        );
      }

      const third = await open(example);
      await join(third, 'Ann');
      await state(third, 'Somebody here has that name.');
      await third.fill('#name', 'Zoë');
      await third.click('#join button');
      await shows(third, 'Zoë joined');
      expect(await lines(third)).to.deep.equal(['Zoë joined']);

      await bob.close();
      await shows(ann, 'Bob <b> left');
      await state(third, 'In the room: Ann, Zoë');

      // What no page would send ends the connection that sent it, and disturbs nobody else.
      const room = (): number => [...script.processes()].find(([, line]) => line.includes('chat-room'))![0];
      const pid = room();
      for (const garbage of ['{', 'null', '{"type":"say","text":"no name"}', '{"type":"join","text":7}', 'x'.repeat(20_000)]) {
        const socket = new WebSocket(`ws://127.0.0.1:${example.port(8081)}`);
        socket.on('open', () => socket.send(garbage)).on('error', () => {});
        await new Promise((resolve) => socket.once('close', resolve));
      }
      await say(third, 'still here');
      await shows(ann, 'Zoë: still here');
      expect(room()).to.equal(pid);

      // A new room: the tabs find it again by themselves and keep their names.
      script.signal('SIGKILL', pid);
      await waitUntil(
        async () => (await lines(ann)).filter((line) => line.endsWith(' joined')).length > 3,
        () => `the tabs again: ${script.describe()}`,
      );
      await waitUntil(
        async () => (await lines(third)).filter((line) => line === 'Zoë joined').length > 1,
        () => `the other tab again: ${script.describe()}`,
      );
      await say(third, 'back again');
      await shows(ann, 'Zoë: back again');

      for (const page of [ann, third]) await page.close();
      expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
      expect(problems).to.deep.equal([]);
    });
  });

  describe('upload', () => {
    const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

    it('takes several files at once, shows how far they are, and has stored every byte', async () => {
      const temporary = mkdtempSync(join(tmpdir(), 'workerman-ts-uploads-'));
      try {
        const example = await startExample('upload.ts', { replacePorts: [8080], env: { TMPDIR: temporary } });
        cpSync(fileURLToPath(new URL('../../examples/upload.html', import.meta.url)), join(example.folder, 'upload.html'));
        const page = await open(example);
        const files = [
          { name: 'large <b>.bin', content: randomBytes(24 << 20) },
          { name: 'größe 100%.txt', content: Buffer.from('grüße\0\r\n') },
          { name: 'empty', content: Buffer.alloc(0) },
        ].map((file) => ({ ...file, path: join(temporary, file.name) }));
        for (const { path, content } of files) writeFileSync(path, content);
        await page.setInputFiles('#files', files.map(({ path }) => path));
        // A server that does not read for a while: what is shown then is how far the file is, not how fast all is.
        const [worker] = example.script.workers();
        example.script.signal('SIGSTOP', worker);
        await page.click('button');
        await page.waitForFunction(`(() => {
          const [, bar, result] = document.querySelector('#list tr').cells;
          const { position } = bar.firstChild;
          return position > 0 && position < 1 && result.textContent === Math.floor(100 * position) + ' %';
        })()`);
        example.script.signal('SIGCONT', worker);
        await page.waitForFunction('document.querySelectorAll(".done, .failed").length === 3');

        const rows: string[][] = await page.evaluate(
          '[...document.querySelectorAll("#list tr")].map((row) => [...row.cells].map((cell) => cell.textContent))',
        );
        expect(rows.map(([name]) => name)).to.deep.equal(files.map(({ name }) => name));
        const folder = /stored in (.+)\n/.exec(example.script.output)![1]!;
        for (const [i, { content }] of files.entries()) {
          expect(await page.evaluate(`document.querySelectorAll('progress')[${i}].position`)).to.equal(1);
          const [, size, storedAs] = /^(\d+) bytes, stored as ([\w-]+)$/.exec(rows[i]![2]!) ?? [];
          expect(Number(size)).to.equal(content.length);
          expect(sha(readFileSync(join(folder, storedAs!)))).to.equal(sha(content));
        }
        expect(readdirSync(folder)).to.have.length(3);

        await page.close();
        await example.stop();
        expect(problems).to.deep.equal([]);
      } finally {
        rmSync(temporary, { recursive: true });
      }
    });
  });
});
