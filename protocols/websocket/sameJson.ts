/**
 * Is an object still what a text in JSON says of it?
 *
 * Looking through it costs much less than writing it anew, and a loop that sends one object to a thousand connections
 * would do that a thousand times. Only what is sure to be the same is called the same: plain objects and arrays with the
 * same names in the same order, and equal texts, numbers, booleans and nulls. Whatever JSON would treat in a way of its
 * own (an object of a class, a `toJSON`, `undefined`, a symbol) is called different.
 */
export function isStill(value: unknown, parsed: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === parsed;
  if (typeof parsed !== 'object' || parsed === null) return false;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  return Array.isArray(value) ? Array.isArray(parsed) && areSameItems(value, parsed) : isSameRecord(value, parsed);
}

function areSameItems(value: readonly unknown[], parsed: readonly unknown[]): boolean {
  if (value.length !== parsed.length || Object.getPrototypeOf(value) !== Array.prototype) return false;
  for (let i = 0; i < value.length; i++) if (!isStill(value[i], parsed[i])) return false;
  return true;
}

function isSameRecord(value: object, parsed: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(parsed) || (prototype !== Object.prototype && prototype !== null)) return false;
  const names = Object.keys(value);
  const before = Object.keys(parsed);
  if (names.length !== before.length) return false;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (name !== before[i]) return false;
    if (!isStill((value as Record<string, unknown>)[name], (parsed as Record<string, unknown>)[name])) return false;
  }
  return true;
}
