import { expect } from 'chai';
import { cleanUpScripts, freePort, startScript } from '../support/process.js';
import { installed, type Installation } from './packed.js';

/** Projects whose package.json says nothing, or "commonjs": what `npm init -y` writes, and what many servers are. */
describe('a project of CommonJS', function () {
  this.timeout(60_000);
  let place: Installation;
  before(() => (place = installed()));
  afterEach(cleanUpScripts);

  const source = (port: number, head: string): string => `${head}
const worker = new Worker('http://127.0.0.1:${port}');
worker.onMessage = (connection, request) => connection.send(new Response(200, {}, \`hello \${request.path()}\`));
Worker.runAll();
`;
  const IMPORT = "import { Response, Worker } from 'workerman-ts';";
  const REQUIRE = "const { Response, Worker } = require('workerman-ts');";
  const ways: [name: string, file: string, head: string, words: () => string[]][] = [
    ['TypeScript under tsx', 'start.ts', IMPORT, () => ['--import', place.tsx]],
    ['TypeScript under workerman', 'start.ts', IMPORT, () => [place.bin]],
    ['a .cts file under tsx', 'start.cts', IMPORT, () => ['--import', place.tsx]],
    ['plain JavaScript', 'start.js', REQUIRE, () => []],
    ['plain JavaScript under workerman', 'start.js', REQUIRE, () => [place.bin]],
  ];

  for (const [name, file, head, words] of ways) {
    it(`serves: ${name}`, async () => {
      const port = await freePort();
      const folder = place.project(name.replace(/\W+/g, '-'), {
        [file]: source(port, head),
        'package.json': '{"type":"commonjs"}',
      });
      const script = startScript({ folder, name: file, launcher: [process.execPath, ...words()] });
      await script.started();
      expect(await (await fetch(`http://127.0.0.1:${port}/a`)).text()).to.equal('hello /a');
      const stopped = await script.run(['stop']);
      expect(stopped.code, stopped.output).to.equal(0);
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.output).to.not.match(/Error/);
    });
  }
});
