import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUpScripts, startScript } from '../support/process.js';
import { installed, type Installation } from './packed.js';

/** What somebody sees whose script has a mistake: the message, and the line to look at. */

const HEAD = `import { Timer, Worker } from 'workerman-ts';\n`;
const TYPED = 'interface Settings {\n  port: number;\n}\n';
/** The mistake stands in this line of the scripts in JavaScript; types put it three lines further down. */
const LINE = 3;

type Launcher = [name: string, words: string[], typed: boolean];

interface Printed {
  output: string;
  /** File and line of the mistake. */
  place: string;
  launcher: string;
}

describe('a mistake in the script', function () {
  this.timeout(60_000);
  let place: Installation;
  let taken: Server;
  let address: string;

  before(async () => {
    place = installed();
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(taken.address() as AddressInfo).port}`;
  });
  after(() => taken.close());
  afterEach(cleanUpScripts);

  const launchers = (): Launcher[] => [
    ['node', [], false],
    ['tsx', ['--import', place.tsx], true],
    ['workerman', [place.bin], true],
  ];

  /** Writes a script with the mistake in its third line, or in the sixth when there are types. */
  const source = (mistake: string, typed: boolean): string =>
    `${HEAD}${typed ? TYPED : ''}\n${mistake}\nWorker.runAll();\n`;

  /** Starts the script, each launcher in its own process at the same time, and gives what was printed. */
  function outputs(title: string, mistake: string, which: RegExp = /./): Promise<Printed[]> {
    const one = ([launcher, words, typed]: Launcher): Promise<Printed> => {
      const name = `${title}-${launcher}.${typed ? 'ts' : 'js'}`;
      const file = join(place.project(`${title}-${launcher}`, { [name]: source(mistake, typed) }), name);
      return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [...words, file, 'start'], { stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        const collect = (data: Buffer): void => {
          output += data.toString();
        };
        child.stdout.on('data', collect);
        child.stderr.on('data', collect);
        child.once('error', reject).once('close', (code) => {
          expect(code, output).to.equal(1);
          resolve({ output, place: `${file}:${typed ? LINE + 3 : LINE}`, launcher });
        });
      });
    };
    return Promise.all(launchers().filter(([name]) => which.test(name)).map(one));
  }

  /** The lines from the one with the message on; what stands before is the name of the command. */
  const fromMessage = (output: string, message: string): string[] => {
    const lines = output.split('\n');
    const index = lines.findIndex((line) => line.includes(message));
    expect(index, output).to.be.within(0, 6);
    return lines.slice(index);
  };

  it('of syntax is shown with file and line, through workerman first of all', async () => {
    for (const { output, place: where, launcher } of await outputs('syntax', 'const worker = ;')) {
      expect(output.split('\n').slice(0, 6).join('\n'), launcher).to.contain(where);
      if (launcher !== 'workerman') continue;
      expect(output).to.match(/^workerman: .+ can not be loaded\nSyntaxError: Unexpected ";"\n {4}at /);
      expect(output).to.contain(`${where}:16\n      const worker = ;\n                     ^\n`);
    }
  });

  it('that throws at the top is shown with file and line', async () => {
    const results = await outputs('top', "throw new Error('no database');", /node|workerman/);
    for (const { output, place: where, launcher } of results) {
      const shown = output.replaceAll('file://', '');
      expect(shown.split('\n').slice(0, 7).join('\n'), launcher).to.contain('Error: no database').and.contain(where);
      if (launcher !== 'workerman') continue;
      expect(output).to.match(/^workerman: .+ can not be loaded\nError: no database\n {4}at /);
    }
  });

  it('that imports what is not there is shown with file and line by workerman', async () => {
    const mistake = "import { x } from './nothing.js';\nWorker.log(x);";
    const { output, place: where } = (await outputs('missing', mistake, /workerman/))[0]!;
    expect(output).to.match(/can not be loaded\nError: Cannot find module '.*\/nothing\.js' imported from /);
    expect(output).to.contain(`    at ${where}:22\n      import { x } from './nothing.js';\n`);
  });

  it('in a socket name is followed by the line that constructs the Worker', async () => {
    for (const { output, place: where, launcher } of await outputs('name', "new Worker('htp://127.0.0.1:1');")) {
      const [message, frame, ...more] = fromMessage(output, 'Unknown protocol scheme');
      expect(message, launcher).to.match(/^WorkermanError: Unknown protocol scheme 'htp'/);
      expect(frame, launcher).to.match(/^ {4}at /).and.contain(`${where}:1`);
      expect(more, launcher).to.deep.equal(['']);
    }
  });

  it('that takes a port in use is followed by the line that constructs the Worker', async () => {
    for (const { output, place: where, launcher } of await outputs('port', `new Worker('${address}');`)) {
      const [message, frame, ...more] = fromMessage(output, 'Unable to listen');
      expect(message, launcher).to.equal(`WorkermanError: Unable to listen on ${address}: Address already in use`);
      expect(frame, launcher).to.match(/^ {4}at /).and.contain(`${where}:1`);
      expect(more, launcher).to.deep.equal(['']);
    }
  });

  it('in onWorkerStart is shown with the line of the user before those of the package', async () => {
    const mistake = 'new Worker().onWorkerStart = () => { Timer.add(-1, () => {}); };';
    const run = async ([launcher, words, typed]: Launcher): Promise<void> => {
      const name = `hook.${typed ? 'ts' : 'js'}`;
      const script = startScript({
        folder: place.project(`hook-${launcher}`, {}),
        name,
        source: source(mistake, typed),
        launcher: [process.execPath, ...words],
      });
      const pattern = /WorkermanError: \$timeInterval can not less than 0\n {4}at (.+)\n/;
      const [, frame] = await script.waitFor(pattern);
      expect(frame, launcher).to.contain(`${name}:${typed ? LINE + 3 : LINE}:`);
      await script.stop();
    };
    await Promise.all(launchers().map(run));
  });
});
