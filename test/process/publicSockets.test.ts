import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { native } from '../../connection/wire/native.js';
import { TSX } from '../support/process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

describe('connections of a server', function () {
  this.timeout(120_000);

  it('do without the sockets of this Node', () => {
    expect(native).to.not.equal(null);
  });

  it('pass the same tests on nothing but public sockets', async () => {
    const mocha = spawn(
      process.execPath,
      [
        '--import', TSX, require.resolve('mocha/bin/mocha.js'), '--reporter', 'dot',
        'test/unit/connection/TcpConnection*.test.ts', 'test/unit/protocols/Http*.test.ts',
        'test/unit/protocols/Websocket*.test.ts',
      ],
      { cwd: root, env: { ...process.env, WORKERMAN_TS_PUBLIC_SOCKETS: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    mocha.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    mocha.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [status] = (await once(mocha, 'close')) as [number];
    expect(status, output.slice(-3000)).to.equal(0);
    expect(Number(/(\d+) passing/.exec(output)?.[1])).to.be.greaterThan(200);
  });
});
