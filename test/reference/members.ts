import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Door, Names } from './checklist.js';
import { root } from './reference.js';

interface Package {
  exports: Record<string, { default?: string } | string>;
}

/** The source behind a sub-path of package.json. */
export function sourceOf(door: Door): string {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  const target = exports[door];
  const built = typeof target === 'object' ? target.default : undefined;
  if (built === undefined) throw new Error(`package.json exports no '${door}'`);
  return built.replace('./dist/', '').replace(/\.js$/, '.ts');
}

/** What a door exports under a name, followed to where it is declared. */
export function exportOf(program: ts.Program, door: Door, name: string): ts.Symbol | undefined {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(join(root, sourceOf(door)));
  const module = file && checker.getSymbolAtLocation(file);
  const found = module && checker.getExportsOfModule(module).find((symbol) => symbol.name === name);
  return found && (found.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(found) : found;
}

/** The type of the class itself; undefined for what is no value. */
function classType(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Type | undefined {
  return (symbol.flags & ts.SymbolFlags.Value) === 0 ? undefined : checker.getTypeOfSymbol(symbol);
}

/** What an object of the class, or one that keeps to the interface, looks like. */
function instanceType(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Type | undefined {
  if ((symbol.flags & ts.SymbolFlags.Interface) !== 0) return checker.getDeclaredTypeOfSymbol(symbol);
  const constructor = classType(checker, symbol);
  const [signature] = constructor?.getConstructSignatures() ?? [];
  if (signature !== undefined) return checker.getReturnTypeOfSignature(signature);
  const prototype = constructor?.getProperty('prototype');
  return prototype && checker.getTypeOfSymbol(prototype);
}

export interface Member {
  readonly owner: string;
  readonly name: string;
  readonly isStatic: boolean;
  /** `Timer.add`, `Worker#listen`. */
  readonly title: string;
}

/** Every member that the list names for a class. */
export function membersOf(owner: string, names: Names): Member[] {
  const { constants = [], staticProperties = [], staticMethods = [], properties = [], methods = [] } = names;
  const statics = [...constants, ...staticProperties, ...staticMethods];
  return [
    ...statics.map((name) => ({ owner, name, isStatic: true, title: `${owner}.${name}` })),
    ...[...properties, ...methods].map((name) => ({ owner, name, isStatic: false, title: `${owner}#${name}` })),
  ];
}

/** The member as the compiler sees it; undefined when there is none. An index signature does not count. */
export function symbolOf(program: ts.Program, owner: ts.Symbol, member: Member): ts.Symbol | undefined {
  const checker = program.getTypeChecker();
  const type = member.isStatic ? classType(checker, owner) : instanceType(checker, owner);
  return type && checker.getPropertyOfType(checker.getApparentType(type), member.name);
}
