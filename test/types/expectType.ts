/** True when the two types are the same; `any` is the same as nothing but itself. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when `value` has exactly the type `Wanted`: `expectType<string>()(value)`. */
export function expectType<Wanted>(): <Actual>(
  value: Actual,
  ...wrong: Same<Actual, Wanted> extends true ? [] : [never]
) => void {
  return () => {};
}
