import { join } from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { accepting, cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { loadRecording, type Case, type Recording } from './cases.js';
import { ENABLED, NOT_YET } from './enabled.js';
import { adapt, EXCEPTIONS, exceptionOf } from './exceptions.js';
import { playCases, type Target } from './replay.js';

/**
 * Starts each program of `apps/` as a real process and plays the recorded clients against it. Workerman's answers have
 * to come back, byte by byte.
 */

const here = fileURLToPath(new URL('.', import.meta.url));
const apps = readdirSync(join(here, 'data')).map((file) => file.replace(/\.json$/, ''));
const recordings = new Map<string, Recording>(apps.map((app) => [app, loadRecording(app)]));
const everyCase = [...recordings.values()].flatMap((recording) => recording.cases);

const waits = (app: string, test: Case): boolean => NOT_YET[app]?.some((name) => `${app}.${name}` === test.id) ?? false;
const isEnabled = (app: string, test: Case): boolean =>
  (ENABLED[app]?.includes(test.group) ?? false) && !waits(app, test);

async function startApp(app: string, { transport }: Recording): Promise<{ script: Script; target: Target }> {
  const port = await freePort();
  const socketPath = `/tmp/workerman-ts-golden-${process.pid}-${app}.sock`;
  const target: Target = transport === 'unix' ? { path: socketPath } : { port };
  const script = startScript({
    script: join(here, 'apps', `${app}.ts`),
    alongside: [join(here, 'apps', 'support'), join(here, 'apps', 'routes')],
    env: { GOLDEN_ADDRESS: transport === 'unix' ? socketPath : `127.0.0.1:${port}` },
  });
  await script.started();
  if (transport !== 'udp') await accepting(target);
  return { script, target };
}

/** The outcome of every case of a program. The cases are played together, each `it` waits for its own. */
class Outcomes {
  readonly #problems = new Map<string, string>();
  #failure: unknown = null;

  begin(cases: readonly Case[], target: Target, transport: Recording['transport']): void {
    playCases(cases, target, transport, (test, problem) => this.#problems.set(test.id, problem)).catch(
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }

  of(test: Case): Promise<string> {
    return waitUntil(
      () => {
        if (this.#failure) throw this.#failure as Error;
        const problem = this.#problems.get(test.id);
        return problem === undefined ? null : { problem };
      },
      () => `${test.id} to be played`,
      60_000,
    ).then(({ problem }) => problem);
  }
}

describe('the recorded conversations of Workerman 5.2.2', function () {
  this.timeout(70_000);

  const enabled = [...recordings].flatMap(([app, recording]) => recording.cases.filter((test) => isEnabled(app, test)));

  for (const [app, recording] of recordings) {
    const cases = recording.cases.filter((test) => isEnabled(app, test)).map(adapt);
    if (cases.length === 0) continue;

    describe(app, () => {
      const outcomes = new Outcomes();
      let script: Script;

      before(async () => {
        const started = await startApp(app, recording);
        script = started.script;
        outcomes.begin(cases, started.target, recording.transport);
      });
      after(cleanUpScripts);

      for (const test of cases) {
        it(`${test.id}: ${test.description}`, async () => {
          const problem = await outcomes.of(test);
          if (problem) expect.fail(`${problem}\nlog: ${script.log().slice(-600)}`);
        });
      }

      it(`${app} never loses its worker process, and leaves nothing behind when it stops`, async () => {
        expect(script.log()).to.not.match(/exit with status/);
        expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
      });
    });
  }

  const figures = `${enabled.length} of ${everyCase.length} cases are enabled`;
  it(`every group of cases is enabled or known to come: ${figures}`, () => {
    const unknown: string[] = [];
    for (const [app, { cases }] of recordings) {
      const known = [...(ENABLED[app] ?? []), ...(NOT_YET[app] ?? [])];
      for (const group of new Set(cases.map((test) => test.group)))
        if (!known.includes(group)) unknown.push(`${app}.${group}`);
    }
    expect(unknown).to.deep.equal([]);
  });

  it('no table names a group or case that was not recorded, or names one twice', () => {
    const recorded = new Set(
      [...recordings].flatMap(([app, { cases }]) => cases.flatMap((test) => [test.id, `${app}.${test.group}`])),
    );
    const named = [ENABLED, NOT_YET].flatMap((table) =>
      Object.entries(table).flatMap(([app, groups]) => groups.map((group) => `${app}.${group}`)),
    );
    expect(named.filter((name) => !recorded.has(name))).to.deep.equal([]);
    expect(named).to.have.length(new Set(named).size);
  });

  it('each exception covers a case, and EXCEPTIONS.md gives the reason for each', () => {
    const used = new Set(everyCase.map((test) => exceptionOf(test.id)));
    expect(EXCEPTIONS.filter((exception) => !used.has(exception))).to.deep.equal([]);
    const text = readFileSync(join(here, 'EXCEPTIONS.md'), 'utf8');
    const listed = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    expect(listed).to.deep.equal(EXCEPTIONS.map((exception) => exception.cases));
  });

  it('a case that accepts several answers is narrowed to the one that is promised', () => {
    const open = everyCase.filter((test) => adapt(test).expect.anyOf);
    expect(open.map((test) => test.id)).to.deep.equal([]);
  });
});
