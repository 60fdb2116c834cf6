import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './pages.js';

/** An error that some line of the sources makes. */
export interface Thrown {
  /** Null where it is the operating system's, `'TypeError'` for errors without a code. */
  code: string | null;
  /** With `…` for what is filled in. */
  message: string;
}

const ROOMS = ['lib', 'connection', 'protocols', 'timer'];

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    return statSync(join(root, path)).isDirectory() ? filesBelow(path) : [path];
  });
}

/** Text of every source file of the package. */
export const sources: readonly string[] = ROOMS.flatMap(filesBelow).map((path) => readFileSync(join(root, path), 'utf8'));

/** A text or template with `…` for what is filled in; null for any other expression. */
function textOf(node: ts.Expression | undefined): string | null {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}

/** What `new WorkermanError(code, message)` and its like make; null for other expressions and for texts made elsewhere. */
function thrownBy({ expression, arguments: args }: ts.NewExpression): Thrown | null {
  const isPlain = expression.getText() === 'TypeError';
  if (!isPlain && !/^Workerman(Type)?Error$/.test(expression.getText())) return null;
  const message = textOf(args?.[isPlain ? 0 : 1]);
  return message === null ? null : { code: isPlain ? 'TypeError' : textOf(args?.[0]), message };
}

/** Every error that is made with a text of its own. */
export function thrownErrors(): Thrown[] {
  const found: Thrown[] = [];
  const visit = (node: ts.Node): void => {
    const thrown = ts.isNewExpression(node) ? thrownBy(node) : null;
    if (thrown !== null) found.push(thrown);
    ts.forEachChild(node, visit);
  };
  const candidates = sources.filter((source) => /new (Workerman)?(Type)?Error\(/.test(source));
  for (const source of candidates) visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true));
  return found;
}
