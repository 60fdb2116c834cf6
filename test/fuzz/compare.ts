import type { NodeReading } from './node.js';
import type { Reading, Seen } from './ours.js';

/** Node's request as our application would see it: chunks joined, so a length in place of the coding. */
function asOurs(seen: Seen): Seen {
  const headers = { ...seen.headers };
  if (headers['transfer-encoding'] !== undefined) {
    delete headers['transfer-encoding'];
    headers['content-length'] = String(seen.body.length);
  }
  return { ...seen, headers };
}

const text = (value: unknown): string => JSON.stringify(value, (_key, part: unknown) =>
  (typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part));

/** The first thing in which what we have taken differs from what Node has taken; null when all we took, it took alike. */
export function difference(ours: Reading, node: NodeReading): string | null {
  for (const [i, seen] of ours.requests.entries()) {
    const other = node.requests[i];
    if (other === undefined) return `request ${i} is none for Node (${node.error || 'it waits'})`;
    const wanted = asOurs(other);
    for (const part of ['method', 'target', 'version', 'body', 'headers', 'trailers'] as const) {
      if (text(seen[part]) !== text(wanted[part])) return `request ${i}: ${part} is ${text(seen[part])}, for Node ${text(wanted[part])}`;
    }
  }
  return null;
}

/** True when two readings of the same bytes by us are the same. */
export const isSame = (one: Reading, two: Reading): boolean => text(one) === text(two);
