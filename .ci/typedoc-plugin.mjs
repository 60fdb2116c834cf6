// What TypeDoc can not know of this package: which room a name belongs to, that a class and the alias of its instances
// are one thing to the reader, which members are the package's own, and how the files are called.
import {
  Comment, Converter, DeclarationReflection, IntrinsicType, LiteralType, makeRecursiveVisitor,
  ParameterReflection, ReflectionCategory, ReflectionFlag, ReflectionGroup, ReflectionKind as Kind, ReflectionType, SignatureReflection,
  TypeParameterReflection, UnionType,
} from 'typedoc';
import { MemberRouter } from 'typedoc-plugin-markdown';
import ts from 'typescript';

/** Source files → room, by the first prefix that fits. */
const ROOMS = [
  ['timer/', 'Timer'],
  ['lib/EventLoop', 'Timer'],
  ['lib/', 'Server'],
  ['connection/', 'Connections'],
  ['protocols/Http', 'HTTP'],
  ['protocols/http/', 'HTTP'],
  ['protocols/Websocket', 'WebSocket'],
  ['protocols/Ws', 'WebSocket'],
  ['protocols/', 'Protocols'],
  ['errors', 'Errors'],
];
const ORDER = ['Server', 'Connections', 'HTTP', 'WebSocket', 'Protocols', 'Timer', 'Errors'];

const GROUPS = [
  'Constructor', 'Constants', 'Static properties', 'Static callbacks', 'Static methods', 'Properties', 'Callbacks',
  'Methods',
];

/** Interfaces that users implement: they stand with the classes. */
const isMain = (reflection) =>
  reflection.kindOf(Kind.Class | Kind.Variable | Kind.Function) ||
  (reflection.kindOf(Kind.Interface) && reflection.name.endsWith('Interface'));

function roomOf(project, reflection) {
  const file = project.getSymbolIdFromReflection(reflection)?.packagePath ?? '';
  const room = ROOMS.find(([prefix]) => file.startsWith(prefix))?.[1];
  if (room === undefined) throw new Error(`${reflection.name} of '${file}' belongs to no room of the reference`);
  return room;
}

/**
 * `TcpConnection` is a class to its users; that it is a constant, an alias and a constructor type is our business. What
 * TypeDoc takes for parameters of the class are those of its first constructor.
 */
function readAsClass(context, reflection) {
  const alias = context.getSymbolFromReflection(reflection)?.declarations?.find(ts.isTypeAliasDeclaration);
  if (alias === undefined) return;
  const [first] = reflection.getChildByName('constructor')?.signatures ?? [];
  const parameters = (alias.typeParameters ?? []).map((node) => {
    const parameter = new TypeParameterReflection(node.name.text, reflection, undefined);
    if (node.constraint) parameter.type = context.converter.convertType(context, node.constraint);
    if (node.default) parameter.default = context.converter.convertType(context, node.default);
    return parameter;
  });
  const names = new Set(parameters.map(({ name }) => name));
  const own = reflection.typeParameters?.filter(({ name }) => !names.has(name) || name === 'Name') ?? [];
  if (first !== undefined && own.length > 0) first.typeParameters = own;
  reflection.typeParameters = parameters;
}

const isCallback = (reflection) => /^on[A-Z]/.test(reflection.name) && reflection.kindOf(Kind.Property | Kind.Accessor);
const isConstant = (reflection) => reflection.flags.isStatic && /^[A-Z][A-Z_]+$/.test(reflection.name);

/** A default that says something to who does not know the source; of constants it is the type that does. */
const isPlain = (value) => /^(null|true|false|-?\d[\d._]*|'[^']*'|\{\}|\[[^\]]*\]|\w+\.default\w+)$/.test(value ?? '');

function groupOf(member) {
  if (member.kindOf(Kind.Constructor)) return 'Constructor';
  if (isConstant(member)) return 'Constants';
  const { isStatic } = member.flags;
  if (isCallback(member)) return isStatic ? 'Static callbacks' : 'Callbacks';
  if (member.kindOf(Kind.Method)) return isStatic ? 'Static methods' : 'Methods';
  return isStatic ? 'Static properties' : 'Properties';
}

/** A pair of accessors is a property to whoever uses it, and stands among the properties. */
function asProperty(member) {
  const { getSignature, setSignature } = member;
  member.kind = Kind.Property;
  member.type = getSignature?.type ?? setSignature?.parameters?.[0]?.type;
  member.comment ??= (getSignature ?? setSignature)?.comment;
  if (setSignature === undefined) member.setFlag(ReflectionFlag.Readonly, true);
  member.getSignature = member.setSignature = undefined;
}

/** `keyof typeof TABLE` → the names themselves. */
function spellLiterals(context, reflection) {
  const symbol = context.getSymbolFromReflection(reflection);
  const type = symbol === undefined ? undefined : context.checker.getDeclaredTypeOfSymbol(symbol);
  if (!type?.isUnion() || !type.types.every((part) => part.isStringLiteral() || part.isNumberLiteral())) return;
  reflection.type = new UnionType(type.types.map(({ value }) => new LiteralType(value)));
}

/** Defaults stand in the text, where the source does not say them itself: a column would be empty for most. */
function sayDefault(reflection) {
  const { defaultValue: value } = reflection;
  reflection.defaultValue = undefined;
  if (value !== undefined && reflection.kindOf(Kind.Parameter)) reflection.setFlag(ReflectionFlag.Optional);
  if (!isPlain(value) || reflection.type?.type === 'literal') return;
  const comment = (reflection.comment ??= new Comment());
  const text = comment.summary.map((part) => part.text).join('');
  if (/\b[Dd]efault/.test(text)) return;
  const before = text === '' ? '' : /[.!?]$/.test(text.trimEnd()) ? ' ' : '. ';
  const word = isConstant(reflection) ? 'Value' : 'Default';
  comment.summary.push({ kind: 'text', text: `${before}${word} \`${value}\`.` });
}

/** In a table of texts, the text says what the name means. */
function explainTexts(reflection) {
  for (const member of reflection.type?.declaration?.children ?? []) {
    if (member.type?.type === 'literal' && typeof member.type.value === 'string') {
      member.comment ??= new Comment([{ kind: 'text', text: member.type.value }]);
      member.type = new IntrinsicType('string');
      member.defaultValue = undefined;
    }
  }
}

/** `Callback<[connection: C, data: D]>` → `(connection: C, data: D) => unknown`; that it may be null goes for all. */
function spellOut(member) {
  const { type } = member;
  const parts = type?.type === 'union' ? type.types : [type];
  const callback = parts.find((part) => part?.type === 'reference' && /^(Master)?Callback$/.test(part.name));
  if (callback === undefined) return;
  const declaration = new DeclarationReflection('__type', Kind.TypeLiteral, member);
  const signature = new SignatureReflection('__type', Kind.CallSignature, declaration);
  signature.parameters = (callback.typeArguments?.[0]?.elements ?? []).map(({ name, element }) => {
    const parameter = new ParameterReflection(name, Kind.Parameter, signature);
    parameter.type = element;
    element.visit(withoutLoose);
    return parameter;
  });
  signature.type = new IntrinsicType('unknown');
  declaration.signatures = [signature];
  member.type = new ReflectionType(declaration);
}

/** `Loose` as an argument says that the user has said nothing, and what lies below a Buffer is of no interest. */
const withoutLoose = makeRecursiveVisitor({
  reference(type) {
    if (type.name === 'Buffer' || type.name === 'Uint8Array') type.typeArguments = undefined;
    if (!type.typeArguments?.some(({ name }) => name === 'Loose')) return;
    type.typeArguments = type.name === 'ConnectionOf' ? [type.typeArguments[0]] : undefined;
  },
});

function tidyClass(project, reflection) {
  for (const member of [...(reflection.children ?? [])]) {
    if (member.name.startsWith('_') || member.name.startsWith('[')) {
      project.removeReflection(member);
      continue;
    }
    if (member.kindOf(Kind.Accessor)) asProperty(member);
    if (isCallback(member)) spellOut(member);
  }
  const members = reflection.children ?? [];
  const constructor = members.find((member) => member.kindOf(Kind.Constructor));
  if (constructor === undefined) return;
  // The same constructor for another literal type tells a reader nothing; nor does that of a class nobody constructs.
  for (const signature of constructor.signatures?.slice(1) ?? []) {
    if (!signature.hasComment()) project.removeReflection(signature);
  }
  const isIdle = members.every((member) => member === constructor || member.flags.isStatic);
  if (isIdle || reflection.flags.isAbstract) project.removeReflection(constructor);
}

function tidy(project) {
  for (const { name, id } of [...project.getReflectionsByKind(Kind.Class)]) {
    const type = project.children?.find((child) => child.name === `${name}Constructor` && child.id !== id);
    if (type !== undefined) project.removeReflection(type);
  }
  for (const reflection of project.getReflectionsByKind(Kind.Class)) tidyClass(project, reflection);
  for (const reflection of project.getReflectionsByKind(Kind.Variable)) explainTexts(reflection);
  for (const reflection of Object.values(project.reflections)) {
    reflection.type?.visit?.(withoutLoose);
  }
}

function sortInto(titles, reflections, titleOf, make) {
  const found = new Map(titles.map((title) => [title, make(title)]));
  for (const reflection of reflections) found.get(titleOf(reflection)).children.push(reflection);
  return [...found.values()].filter(({ children }) => children.length > 0);
}

function arrange(project) {
  // Not before TypeDoc has given each parameter its comment.
  for (const reflection of project.getReflectionsByKind(Kind.Property | Kind.Parameter)) sayDefault(reflection);
  const children = project.children ?? [];
  const rooms = ORDER.flatMap((room) => [room, `${room}: types`]);
  const titleOf = (child) => (isMain(child) ? roomOf(project, child) : `${roomOf(project, child)}: types`);
  project.categories = sortInto(rooms, children, titleOf, (title) => new ReflectionCategory(title));
  for (const reflection of project.getReflectionsByKind(Kind.Class)) {
    const members = reflection.children ?? [];
    reflection.groups = sortInto(GROUPS, members, groupOf, (title) => new ReflectionGroup(title, reflection));
  }
}

/** Classes beside the index, types in a folder of their own. */
class RoomRouter extends MemberRouter {
  getReflectionDirectory(reflection) {
    return isMain(reflection) ? null : 'types';
  }
}

export function load(app) {
  app.renderer.defineRouter('rooms', RoomRouter);
  const later = [];
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    // What it is made of is not known yet.
    if (reflection.kindOf(Kind.TypeAlias)) later.push(() => spellLiterals(context, reflection));
    if (reflection.kindOf(Kind.Class)) later.push(() => readAsClass(context, reflection));
    // A property of the typed view that is a pair of accessors of the class: the comment is theirs.
    if (reflection.comment !== undefined || !reflection.kindOf(Kind.Property)) return;
    const declarations = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    const getter = declarations.find(ts.isGetAccessorDeclaration);
    if (getter !== undefined) reflection.comment = context.getSignatureComment(getter);
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const read of later.splice(0)) read();
    tidy(project);
  });
  // After TypeDoc's own plugins, which sort by kind.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => arrange(project), -1000);
}
