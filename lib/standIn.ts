import { role } from './control/role.js';

/*
 * Used by the build (.ci/bundle.mjs): the doors export stand-ins in place of the classes that most processes never
 * touch. A master or a command runs the user's script too, with all that it imports, and needs hardly any of it.
 *
 * Until its first use a stand-in is a function without properties, and its prototype is a Proxy: whatever is looked up
 * on it ends there and loads the class. From then on it has the class's own `prototype` and an accessor for each static
 * member, and the Proxy is out of the way. A Proxy in its place would cost 100 ns each time a member is read.
 */

/** A class, of which nothing is known. */
type Class = abstract new (...args: never[]) => object;

/**
 * What a door exports for a class.
 *
 * @param load loads the class, synchronously; called once
 * @param served the class is what worker processes are there for: they get itself
 */
export function standIn<C extends Class>(load: () => C, served: boolean): C {
  return served && role.kind === 'worker' ? load() : createStandIn(load);
}

/** @internal */
export function createStandIn<C extends Class>(load: () => C): C {
  let loaded: C | null = null;
  const settle = (): C => (loaded ??= become(stand, construct, load()));
  function construct(this: unknown, ...args: never[]): object {
    const real = settle();
    if (new.target === undefined) return Reflect.apply(real as never, this, args) as object; // throws, as a class does
    return Reflect.construct(real as never, args, new.target === construct ? real : new.target) as object;
  }
  // A bound function can be constructed and has no `prototype` of its own, which could never be replaced.
  const stand = construct.bind(null) as unknown as C;
  for (const key of Reflect.ownKeys(stand)) Reflect.deleteProperty(stand, key);
  const lookUp: ProxyHandler<object> = {
    get: (_, key, receiver) => (settle(), Reflect.get(stand, key, receiver)) as unknown,
    set: (_, key, value, receiver) => (settle(), Reflect.set(stand, key, value, receiver)),
    has: (_, key) => (settle(), Reflect.has(stand, key)),
  };
  Object.setPrototypeOf(stand, new Proxy({}, lookUp));
  return stand;
}

/** Makes the stand-in look like the class, now that it is there. */
function become<C extends Class>(stand: C, construct: object, real: C): C {
  const members = real as unknown as Record<PropertyKey, unknown>;
  Object.setPrototypeOf(stand, Object.getPrototypeOf(real) as object);
  for (const key of Reflect.ownKeys(real)) {
    Object.defineProperty(stand, key, {
      get: () => members[key],
      set: (value: unknown) => {
        members[key] = value;
      },
      enumerable: Object.prototype.propertyIsEnumerable.call(real, key),
      configurable: true,
    });
  }
  const prototype = { value: real.prototype as object, writable: false };
  // `instanceof` asks the function that was bound.
  for (const made of [stand, construct]) Object.defineProperty(made, 'prototype', prototype);
  Object.defineProperty(real.prototype, 'constructor', { value: stand, writable: true, configurable: true });
  return real;
}
