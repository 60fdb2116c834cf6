/** The sizes at which growth is looked at: what is linear costs the same per kilobyte at all of them. */
export const MEBIBYTES: readonly number[] = [1, 4, 16];

/** Bytes as a socket hands them out. */
export function piecesOf(bytes: Buffer, size = 65_536): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(Buffer.from(bytes.subarray(at, at + size)));
  return pieces;
}
