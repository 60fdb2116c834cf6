import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { SecureContext, SecureContextOptions, SecureVersion } from 'node:tls';
import { WorkermanError } from '../errors.js';
import type { PeerPolicy } from './peerPolicy.js';
import type { SslOptions } from './SocketContext.js';

/*
 * PHP's ssl context in Node's terms. All files are read here, so a listener that has started, or a client that has
 * begun to connect, needs none of them any more. Node's modules are loaded by the first who wants TLS: most processes
 * never do, and they weigh 3 MB.
 */

/** What a listener needs to accept TLS connections. */
export interface ServerTls {
  secureContext: SecureContext;
  /** Chooses another certificate by the name that the client asks for. */
  SNICallback?: (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;
  ALPNProtocols?: string[];
  /** Ask for a client certificate and refuse clients without one. */
  requestCert: boolean;
  policy: PeerPolicy;
}

/** What a client connection needs for its handshake. */
export interface ClientTls {
  secureContext: SecureContext;
  /** Sent as SNI; absent: none. */
  servername?: string;
  ALPNProtocols?: string[];
  policy: PeerPolicy;
}

/**
 * Reads the ssl context of a listener.
 * @throws WorkermanError `WM_CERTIFICATE` that names the file which is missing, unreadable or no certificate
 */
export function serverTls(ssl: SslOptions = {}): ServerTls {
  const { constants, randomBytes } = process.getBuiltinModule('node:crypto');
  const shared: SecureContextOptions = {
    ...commonOptions(ssl),
    honorCipherOrder: ssl.honor_cipher_order ?? true,
    // OpenSSL resumes no session of a client that showed a certificate without this. Unguessable, so that no other
    // listener, which may trust other clients, takes the session for its own.
    sessionIdContext: randomBytes(16).toString('hex'),
  };
  if (ssl.no_ticket) shared.secureOptions = constants.SSL_OP_NO_TICKET;
  if (ssl.dh_param !== undefined) shared.dhparam = read(ssl.dh_param, 'ssl.dh_param');
  const byName = ssl.SNI_enabled === false ? {} : (ssl.SNI_server_certs ?? {});
  const contexts = new Map<string, SecureContext>();
  for (const [name, files] of Object.entries(byName)) {
    const { local_cert, local_pk } = typeof files === 'string' ? { local_cert: files } : files;
    contexts.set(name.toLowerCase(), withCertificate(shared, local_cert, local_pk, ssl.passphrase));
  }
  const verify = ssl.verify_peer === true;
  return {
    secureContext: defaultContext(shared, ssl, contexts.size > 0),
    ...(contexts.size > 0 ? { SNICallback: chooseBy(contexts) } : {}),
    ...alpn(ssl),
    requestCert: verify,
    policy: {
      chain: verify,
      selfSigned: ssl.allow_self_signed === true,
      name: null,
      fingerprint: verify ? (ssl.peer_fingerprint ?? null) : null,
    },
  };
}

/**
 * Reads the ssl context of a client connection.
 *
 * @param host name or ip address of the target, IPv6 without brackets
 * @throws WorkermanError `WM_CERTIFICATE`, as {@link serverTls}
 */
export function clientTls(host: string, ssl: SslOptions = {}): ClientTls {
  const name = ssl.peer_name ?? host;
  const options = commonOptions(ssl);
  // An ip address is no server name, RFC 6066 section 3.
  const sendsName = ssl.SNI_enabled !== false && name !== '' && isIP(name) === 0;
  return {
    secureContext:
      ssl.local_cert === undefined
        ? build(options, 'ssl context')
        : withCertificate(options, ssl.local_cert, ssl.local_pk, ssl.passphrase),
    ...(sendsName ? { servername: name } : {}),
    ...alpn(ssl),
    policy: {
      chain: ssl.verify_peer !== false,
      selfSigned: ssl.allow_self_signed === true,
      name: ssl.verify_peer_name === false ? null : name,
      fingerprint: ssl.peer_fingerprint ?? null,
    },
  };
}

function defaultContext(shared: SecureContextOptions, ssl: SslOptions, hasNames: boolean): SecureContext {
  if (ssl.local_cert !== undefined) return withCertificate(shared, ssl.local_cert, ssl.local_pk, ssl.passphrase);
  if (hasNames) return build(shared, 'ssl context');
  throw new WorkermanError('WM_CERTIFICATE', "The transport 'ssl' needs the path of a certificate in context.ssl.local_cert");
}

function commonOptions(ssl: SslOptions): SecureContextOptions {
  const options: SecureContextOptions = { ...versions(ssl.crypto_method) };
  const ca = authorities(ssl);
  if (ca !== null) options.ca = ca;
  if (ssl.ecdh_curve !== undefined) options.ecdhCurve = ssl.ecdh_curve;
  if (ssl.ciphers !== undefined) options.ciphers = ssl.ciphers;
  if (ssl.security_level !== undefined) {
    const { DEFAULT_CIPHERS } = process.getBuiltinModule('node:tls');
    options.ciphers = `${ssl.ciphers ?? DEFAULT_CIPHERS}:@SECLEVEL=${Math.trunc(Number(ssl.security_level))}`;
  }
  return options;
}

/** PHP's bits of `crypto_method`, oldest first. */
const METHODS: readonly (readonly [bit: number, version: SecureVersion])[] = [
  [8, 'TLSv1'],
  [16, 'TLSv1.1'],
  [32, 'TLSv1.2'],
  [64, 'TLSv1.3'],
];

/**
 * The versions that `crypto_method` asks for. PHP's sum for "any TLS" includes 1.0 and 1.1; these are only taken at
 * their word when nothing newer is asked for.
 */
function versions(method: number | undefined): Pick<SecureContextOptions, 'minVersion' | 'maxVersion'> {
  const asked = METHODS.filter(([bit]) => ((method ?? 0) & bit) !== 0).map(([, version]) => version);
  const today = asked.filter((version) => version === 'TLSv1.2' || version === 'TLSv1.3');
  const used = today.length > 0 ? today : asked;
  return used.length === 0 ? {} : { minVersion: used[0], maxVersion: used.at(-1) };
}

function alpn(ssl: SslOptions): { ALPNProtocols?: string[] } {
  const names = (ssl.alpn_protocols ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names.length === 0 ? {} : { ALPNProtocols: names };
}

/** The certificates in `cafile` and in the files of `capath`; null when neither is given. */
function authorities({ cafile, capath }: SslOptions): Buffer[] | null {
  if (cafile === undefined && capath === undefined) return null;
  const found = cafile === undefined ? [] : [read(cafile, 'ssl.cafile')];
  return capath === undefined ? found : [...found, ...readFolder(capath)];
}

/** Every file of a folder that holds a certificate; others (lists of revoked ones, a README) are passed over. */
function readFolder(folder: string): Buffer[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw unreadable(folder, 'ssl.capath', error);
  }
  const contents: Buffer[] = [];
  for (const name of names) {
    try {
      const content = readFileSync(join(folder, name));
      if (content.includes('-----BEGIN CERTIFICATE-----')) contents.push(content);
    } catch {
      // A folder, or a link whose target has gone.
    }
  }
  return contents;
}

function withCertificate(
  options: SecureContextOptions, cert: string, key: string = cert, passphrase?: string,
): SecureContext {
  const files = {
    cert: read(cert, 'ssl.local_cert'),
    key: key === cert ? read(cert, 'ssl.local_cert') : read(key, 'ssl.local_pk'),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  return build({ ...options, ...files }, key === cert ? cert : `${cert} with the key ${key}`);
}

function build(options: SecureContextOptions, what: string): SecureContext {
  try {
    return process.getBuiltinModule('node:tls').createSecureContext(options);
  } catch (error) {
    throw new WorkermanError('WM_CERTIFICATE', `Can not use ${what}: ${reason(error)}`, { cause: error });
  }
}

function read(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, option, error);
  }
}

function unreadable(path: string, option: string, error: unknown): WorkermanError {
  return new WorkermanError('WM_CERTIFICATE', `Can not read ${path} (${option}): ${reason(error)}`, { cause: error });
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The context of the name itself, or of `*` in place of its first label; without one, the default. */
function chooseBy(contexts: ReadonlyMap<string, SecureContext>): NonNullable<ServerTls['SNICallback']> {
  return (name, done) => {
    const asked = name.toLowerCase();
    done(null, contexts.get(asked) ?? contexts.get(asked.replace(/^[^.]+/, '*')));
  };
}
