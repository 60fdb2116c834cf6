import { fileURLToPath } from 'node:url';
import type { Application, LogLevel, ProjectReflection } from 'typedoc';
import type ts from 'typescript';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** What TypeDoc has understood, and the compiler's program that it has read: the sources and all tests. */
export interface Reference {
  readonly app: Application;
  readonly project: ProjectReflection;
  readonly program: ts.Program;
  /** Names without a docstring, links that lead nowhere, and whatever else TypeDoc has to complain about. */
  readonly complaints: readonly string[];
}

async function read(): Promise<Reference> {
  // In this way and no other: Mocha would load a second one beside that of the plugins.
  const typedoc = await import('typedoc');
  const app = await typedoc.Application.bootstrapWithPlugins({ options: `${root}.ci/typedoc.json`, logLevel: 'Warn' });
  const complaints: string[] = [];
  app.logger = new (class extends typedoc.Logger {
    override log(message: string, level: LogLevel): void {
      if (level >= typedoc.LogLevel.Warn) complaints.push(message);
    }
  })();
  const entries = app.getEntryPoints() ?? [];
  // It asks for them again, and would read all files again.
  app.getEntryPoints = () => entries;
  const project = await app.convert();
  const program = entries[0]?.program;
  if (project === undefined || program === undefined) {
    throw new Error(`TypeDoc has failed: ${complaints.join('\n')}`);
  }
  app.validate(project);
  return { app, project, program, complaints };
}

let reading: Promise<Reference> | undefined;

/** Once for all tests of this folder: it takes seconds. */
export function reference(): Promise<Reference> {
  return (reading ??= read());
}

/** Lets go of some hundred megabytes. Who asks again afterwards waits again. */
export function forget(): void {
  reading = undefined;
}
