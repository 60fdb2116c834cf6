import type { PeerCertificate } from 'node:tls';
import type { PeerFingerprint } from './SocketContext.js';

/** What a peer's certificate has to be before anything is exchanged with the peer. */
export interface PeerPolicy {
  /** An authority that is trusted must vouch for it. */
  chain: boolean;
  /** It may vouch for itself instead. */
  selfSigned: boolean;
  /** The name or ip address it must carry; null: whichever. */
  name: string | null;
  /** It must be this very one; null: whichever. */
  fingerprint: PeerFingerprint | null;
}

const SELF_SIGNED = 'DEPTH_ZERO_SELF_SIGNED_CERT';
/** Algorithm of a fingerprint that does not name one, by its length in hex digits. */
const ALGORITHMS: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 64: 'sha256' };

/**
 * Judges a peer by its certificate.
 *
 * @param chainError what OpenSSL says against the chain (`'CERT_HAS_EXPIRED'`), null when nothing
 * @param certificate what the peer has shown; null: nothing
 * @returns the reason to refuse the peer, or null
 */
export function judgePeer(
  policy: PeerPolicy, chainError: string | null, certificate: PeerCertificate | null,
): string | null {
  if (!policy.chain && policy.name === null && policy.fingerprint === null) return null;
  if (certificate === null || certificate.raw === undefined) return 'the peer has shown no certificate';
  if (policy.chain && chainError !== null && !(policy.selfSigned && chainError === SELF_SIGNED)) {
    return `certificate verify failed: ${chainError}`;
  }
  if (policy.fingerprint !== null && !matches(policy.fingerprint, certificate.raw)) {
    return 'peer_fingerprint does not match the certificate';
  }
  if (policy.name === null) return null;
  const { checkServerIdentity } = process.getBuiltinModule('node:tls');
  return checkServerIdentity(policy.name, certificate)?.message ?? null;
}

/** True when each fingerprint is that of `raw`. An unknown algorithm and an empty list match nothing. */
function matches(fingerprint: PeerFingerprint, raw: Buffer): boolean {
  const wanted =
    typeof fingerprint === 'string' ? [[ALGORITHMS[fingerprint.length] ?? '', fingerprint]] : Object.entries(fingerprint);
  return wanted.length > 0 && wanted.every(([algorithm = '', hex]) => digest(algorithm, raw) === hex?.toLowerCase());
}

function digest(algorithm: string, raw: Buffer): string | null {
  try {
    return process.getBuiltinModule('node:crypto').createHash(algorithm).update(raw).digest('hex');
  } catch {
    // No such algorithm.
    return null;
  }
}
