import { join } from 'node:path';
import ts from 'typescript';
import { CHECKLIST } from './checklist.js';
import { exportOf, membersOf, symbolOf, type Member } from './members.js';
import { root, type Reference } from './reference.js';

/** A member that no test has been seen to use yet, and where it is declared. */
interface Wanted {
  readonly member: Member;
  readonly declarations: ReadonlySet<ts.Node>;
  /** Interfaces are implemented and options are written: there a name in an object or a class is a use as well. */
  readonly isInterface: boolean;
}

export interface Uses {
  /** Titles of the members that no test uses. */
  readonly unused: readonly string[];
  /** Names of the classes that no test uses. */
  readonly unknown: readonly string[];
  /** Every string in a test of processes or of a socket. */
  readonly strings: ReadonlySet<string>;
}

function wantedOf(program: ts.Program): Map<string, Wanted[]> {
  const wanted = new Map<string, Wanted[]>();
  for (const [owner, names] of Object.entries(CHECKLIST)) {
    const symbol = exportOf(program, names.door, owner);
    if (symbol === undefined) continue;
    for (const member of membersOf(owner, names)) {
      const declarations = new Set<ts.Node>(symbolOf(program, symbol, member)?.declarations);
      const list = wanted.get(member.name) ?? [];
      list.push({ member, declarations, isInterface: names.kind === 'interface' });
      wanted.set(member.name, list);
    }
  }
  return wanted;
}

/** Files under test/, this folder excepted. */
function testFiles(program: ts.Program): ts.SourceFile[] {
  const tests = join(root, 'test') + '/';
  const own = join(root, 'test', 'reference') + '/';
  return program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(tests) && !fileName.startsWith(own));
}

/** The name that a node reads, writes, takes apart or declares in an object or class; comments and strings are none. */
function nameIn(node: ts.Node): ts.Node | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name;
  if (ts.isElementAccessExpression(node)) return node.argumentExpression;
  if (ts.isBindingElement(node)) return node.propertyName ?? node.name;
  if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node) || ts.isMethodDeclaration(node)) {
    return node.name;
  }
  return ts.isPropertyDeclaration(node) ? node.name : undefined;
}

const textOf = (name: ts.Node): string | undefined =>
  ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : undefined;

/** The object that `expect(object).to.include({ name: 1 })` looks at. */
function expected(literal: ts.Node): ts.Expression | undefined {
  if (!ts.isCallExpression(literal.parent)) return undefined;
  let chain: ts.Expression = literal.parent.expression;
  while (ts.isPropertyAccessExpression(chain)) chain = chain.expression;
  return ts.isCallExpression(chain) && chain.expression.getText() === 'expect' ? chain.arguments[0] : undefined;
}

/** What a name means. Of `{ name } = object` and `{ name: 1 }` that is the property, not the variable. */
function meaningOf(checker: ts.TypeChecker, node: ts.Node, name: ts.Node): ts.Symbol | undefined {
  if (ts.isBindingElement(node)) {
    return checker.getTypeAtLocation(node.parent).getProperty(textOf(name) ?? '');
  }
  if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
    const object = expected(node.parent);
    const type = object ? checker.getTypeAtLocation(object) : checker.getContextualType(node.parent);
    return type?.getProperty(textOf(name) ?? '');
  }
  return checker.getSymbolAtLocation(name);
}

/** Names of what the class of a member extends and implements: a use of the one is a use of the other. */
function basesOf(member: ts.Node): string[] {
  const { parent } = member;
  if (!ts.isClassLike(parent)) return [];
  return (parent.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
}

function strike(checker: ts.TypeChecker, node: ts.Node, wanted: Map<string, Wanted[]>): void {
  const name = nameIn(node);
  const text = name && textOf(name);
  const list = text === undefined ? undefined : wanted.get(text);
  if (name === undefined || text === undefined || list === undefined) return;
  const declarations = meaningOf(checker, node, name)?.declarations ?? [];
  const isDeclared = ts.isMethodDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node);
  const bases = new Set(declarations.flatMap(basesOf));
  const left = list.filter(
    ({ declarations: own, isInterface, member }) =>
      !(isInterface && isDeclared) && !bases.has(member.owner) && !declarations.some((found) => own.has(found)),
  );
  if (left.length > 0) wanted.set(text, left);
  else wanted.delete(text);
}

/** Text of a string or template; what is put into a template is of no interest here. */
function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node)
    ? node.head.text + node.templateSpans.map(({ literal }) => `0${literal.text}`).join('')
    : undefined;
}

const NEW = /(\w+) = new (\w+)\(/g;

/**
 * Tests of processes write their scripts as text. In such a text a static member is known by the name of its class, and
 * a member of an object by that of a variable which some script of the same file has made with `new`.
 */
function strikeScripts(file: ts.SourceFile, wanted: Map<string, Wanted[]>): void {
  const texts: string[] = [];
  const collect = (node: ts.Node): void => {
    const text = literalText(node);
    if (text !== undefined && /\w\.\w/.test(text)) texts.push(text);
    ts.forEachChild(node, collect);
  };
  collect(file);
  const owners = new Map(texts.flatMap((text) => [...text.matchAll(NEW)].map(([, name, owner]) => [name!, owner!])));
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const { text } = node.expression;
      const list = wanted.get(node.name.text) ?? [];
      const left = list.filter(({ member: { owner, isStatic } }) => owner !== (isStatic ? text : owners.get(text)));
      if (left.length > 0) wanted.set(node.name.text, left);
      else wanted.delete(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  for (const text of texts) visit(ts.createSourceFile('script.ts', text, ts.ScriptTarget.Latest));
}

/** Looks through all tests for uses of the names of the list, as the compiler understands them. */
export function usesIn({ program }: Reference): Uses {
  const checker = program.getTypeChecker();
  const wanted = wantedOf(program);
  const unknown = new Set(Object.keys(CHECKLIST).filter((owner) => CHECKLIST[owner]!.kind === 'class'));
  const strings = new Set<string>();
  const visit = (node: ts.Node): void => {
    strike(checker, node, wanted);
    if (ts.isNewExpression(node) || ts.isPropertyAccessExpression(node)) unknown.delete(node.expression.getText());
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) strings.add(node.text);
    ts.forEachChild(node, visit);
  };
  for (const file of testFiles(program)) {
    visit(file);
    strikeScripts(file, wanted);
  }
  return { unused: [...wanted.values()].flat().map(({ member }) => member.title).sort(), unknown: [...unknown], strings };
}
