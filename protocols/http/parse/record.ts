/**
 * Objects without a prototype, for names that a client chooses.
 *
 * `Object.create(null)` gives one at once, but V8 makes it a hash table, and where a program always adds the same few
 * names (`host`, `accept`) every addition goes through the slow runtime: half a microsecond for each header. So a
 * record begins as an ordinary object whose prototype is empty, which inherits nothing either, and loses that prototype
 * when it is complete.
 */

// A class would do, but its prototype has a `constructor` and can not be replaced. The name is what `console.log` shows in
// front of a record: that of any other object without a prototype.
const Bare = { Object: function () {} }.Object as unknown as { new (): object; prototype: unknown };
Bare.prototype = Object.freeze(Object.create(null));

/** An empty record to be filled. `record[name]` is only ever what was put there. */
export function beginRecord<Value>(): Record<string, Value> {
  return new Bare() as Record<string, Value>;
}

/** Ends a record that `beginRecord` began: the same object, now without any prototype. */
export function endRecord<Value>(record: Record<string, Value>): Record<string, Value> {
  return Object.setPrototypeOf(record, null) as Record<string, Value>;
}
