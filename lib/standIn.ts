import { role } from './control/role.js';

/*
 * Used by the build (.ci/bundle.mjs): the doors export stand-ins in place of the classes that most processes never
 * touch. A master or a command runs the user's script too, with all that it imports, and needs hardly any of it.
 *
 * Until its first use a stand-in is a function without properties, and its prototype is a Proxy: whatever is looked up
 * on it ends there and loads the class. From then on it has the class's own `prototype` and an accessor for each static
 * member, and the Proxy is out of the way. A Proxy in its place would cost 100 ns each time a member is read.
 *
 * A script sets limits at its top level (`TcpConnection.defaultMaxPackageSize = …`), so it does that in the master too,
 * which has no connections. Setting a static field of which it is known that it is nothing but a field is no use of the
 * class: the value waits until one is loaded.
 */

/** A class, of which nothing is known. */
type Class = abstract new (...args: never[]) => object;

/** Classes that are loaded together, by their names. */
type Group = Readonly<Record<string, Class>>;

/** By the names of classes: static fields that can be set, with no more to it than a field. */
type Fields<G extends Group> = { readonly [N in keyof G]?: readonly string[] };

/** Of classes that are loaded, to and fro. */
const standInOf = new Map<object, Class>();
const classOf = new Map<object, Class>();

/** What was set on stand-ins of classes that are not loaded, of all groups, because they share what is behind them. */
const waiting: (() => void)[] = [];

/**
 * What a door exports for a group of classes.
 *
 * @param names a class that extends another one of them comes after it
 * @param load loads them, synchronously; called once
 * @param served the classes are what worker processes are there for: they get themselves
 * @param fields what can be set without loading them; not in worker processes, which need them anyway
 */
export function standIns<G extends Group>(
  names: readonly (keyof G & string)[], load: () => G, served: boolean, fields: Fields<G>,
): G {
  if (role.kind !== 'worker') return createStandIns(names, load, fields);
  return served ? load() : createStandIns(names, load);
}

/** @internal */
export function createStandIns<G extends Group>(
  names: readonly (keyof G & string)[], load: () => G, fields: Fields<G> = {},
): G {
  let group: G | null = null;
  // All at once, so that each object of these classes has a stand-in as its constructor.
  const settle = (): G => {
    if (group !== null) return group;
    group = load();
    for (const { name, become } of made) become(group[name] as Class);
    for (const set of waiting.splice(0)) set();
    return group;
  };
  const made = names.map((name) => ({ name, ...createStandIn(() => settle()[name] as Class, fields[name] ?? []) }));
  return Object.fromEntries(made.map(({ name, stand }) => [name, stand])) as G;
}

interface StandIn {
  stand: Class;
  become(real: Class): void;
}

function createStandIn(load: () => Class, fields: readonly PropertyKey[]): StandIn {
  function construct(this: unknown, ...args: never[]): object {
    const real = load();
    if (new.target === undefined) return Reflect.apply(real as never, this, args) as object; // throws, as a class does
    return Reflect.construct(real as never, args, new.target === construct ? real : new.target) as object;
  }
  // A bound function can be constructed and has no `prototype` of its own, which could never be replaced.
  const stand = construct.bind(null) as unknown as Class;
  for (const key of Reflect.ownKeys(stand)) Reflect.deleteProperty(stand, key);
  const lookUp: ProxyHandler<object> = {
    get: (_, key, receiver) => (load(), Reflect.get(stand, key, receiver)) as unknown,
    set: (_, key, value, receiver) => {
      const set = (): boolean => (load(), Reflect.set(stand, key, value, receiver));
      return fields.includes(key) && receiver === stand ? waiting.push(set) > 0 : set();
    },
    has: (_, key) => (load(), Reflect.has(stand, key)),
  };
  Object.setPrototypeOf(stand, new Proxy({}, lookUp));
  return { stand, become: (real) => become(stand, construct, real) };
}

/** Makes the stand-in look like the class, now that it is there. */
function become(stand: Class, construct: object, real: Class): void {
  const parent = Object.getPrototypeOf(real) as object;
  standInOf.set(real, stand);
  classOf.set(stand, real);
  Object.setPrototypeOf(stand, standInOf.get(parent) ?? parent);
  for (const key of Reflect.ownKeys(real)) {
    const enumerable = Object.prototype.propertyIsEnumerable.call(real, key);
    Object.defineProperty(stand, key, { ...accessor(stand, real, key), enumerable, configurable: true });
  }
  const prototype = { value: real.prototype as object, writable: false };
  // `instanceof` asks the function that was bound.
  for (const made of [stand, construct]) Object.defineProperty(made, 'prototype', prototype);
  Object.defineProperty(real.prototype, 'constructor', { value: stand, writable: true, configurable: true });
}

/** A static member. A class that extends this one has it too, until it is given one of its own. */
function accessor(stand: Class, real: Class, key: PropertyKey): Pick<PropertyDescriptor, 'get' | 'set'> {
  const members = real as unknown as Record<PropertyKey, unknown>;
  return {
    get(this: object) {
      return this === stand ? members[key] : (Reflect.get(classOf.get(this) ?? real, key, this) as unknown);
    },
    set(this: object, value: unknown) {
      if (!Reflect.set(real, key, value, classOf.get(this) ?? this)) {
        throw new TypeError(`Cannot set property ${String(key)} of class ${real.name}`);
      }
    },
  };
}
