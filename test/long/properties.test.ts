import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TSX } from '../support/process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');

/** How often all of them are run, each time with other inputs. */
const ROUNDS = 6;

const withProperties = readdirSync(join(root, 'test/unit'), { recursive: true, encoding: 'utf8' })
  .map((file) => join('test/unit', file))
  .filter((file) => file.endsWith('.test.ts') && readFileSync(join(root, file), 'utf8').includes("'fast-check'"));

describe('the properties of the parsers, with inputs that npm test does not try', function () {
  this.timeout(10 * 60_000);
  const first = Number(process.env['TEST_SEED'] ?? Date.now() % 1e9);

  for (let round = 0; round < ROUNDS; round++) {
    const seed = String(first + round);
    it(`hold from seed ${seed}`, async () => {
      const run = spawn(process.execPath, ['--import', TSX, mocha, '--reporter', 'dot', ...withProperties], {
        cwd: root,
        env: { ...process.env, TEST_SEED: seed },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      run.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      run.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
      const [status] = (await once(run, 'close')) as [number];
      expect(status, output.slice(-5000)).to.equal(0);
      expect(Number(/(\d+) passing/.exec(output)?.[1])).to.be.above(withProperties.length);
    });
  }
});
