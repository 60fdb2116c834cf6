/** A list as a map of its indexes, nothing as an empty map. */
export function asMap(value: unknown): object {
  return Array.isArray(value) ? { ...value } : ((value as object | null | undefined) ?? {});
}

export const json = (value: unknown): string => JSON.stringify(value);
