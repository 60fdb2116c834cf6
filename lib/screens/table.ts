/** A line of dashes of the given width with a word in its middle; an odd rest goes to the right. */
export function titleLine(word: string, width: number): string {
  const rest = Math.max(0, width - word.length);
  const left = Math.floor(rest / 2);
  return '-'.repeat(left) + word + '-'.repeat(rest - left);
}

/** One cell of a left-aligned table: the value, filled with blanks up to the width, never cut. */
export function cell(value: string | number, width: number): string {
  return String(value).padEnd(width);
}

/** Length of the longest of the values, but at least `least`. */
export function widest(values: readonly string[], least: number): number {
  return values.reduce((width, value) => Math.max(width, value.length), least);
}

/** A value of at most `limit` characters; a longer one is cut to two less, and two dots say so. */
export function shorten(value: string, limit: number): string {
  return value.length > limit ? `${value.slice(0, limit - 2)}..` : value;
}

/** A number rounded to at most so many decimals, without trailing zeros. */
export function rounded(value: number, decimals: number): string {
  const scale = 10 ** decimals;
  return String(Math.round(value * scale) / scale);
}

/** What the version line is made of. */
export interface Versions {
  /** Version of this package. */
  version: string;
  /** Version of Node without a leading `v`. */
  node: string;
  /** Operating system and its release, as in `Linux/6.1.0`. */
  os: string;
}

/** The line of versions that the banner and the status table share. */
export function versionLine(versions: Versions): string {
  return cell(`Workerman/${versions.version}`, 24) + cell(`Node/${versions.node}`, 30) + versions.os;
}
