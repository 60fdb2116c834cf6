import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Certificates for tests, made by openssl when they are first asked for, in a folder that goes with the process.
 */

/** Paths of a certificate and its key, and of both in one file. */
export interface CertificateFiles {
  cert: string;
  key: string;
  both: string;
}

let folder: string | null = null;

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { cwd: certificateFolder(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The folder in which everything is made. */
export function certificateFolder(): string {
  if (folder === null) {
    const made = mkdtempSync(join(tmpdir(), 'workerman-ts-certificates-'));
    folder = made;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}

const files = (name: string): CertificateFiles => {
  const path = (ending: string): string => join(certificateFolder(), `${name}.${ending}`);
  return { cert: path('crt'), key: path('key'), both: path('pem') };
};

const made = new Map<string, CertificateFiles>();

function once(name: string, make: (files: CertificateFiles) => void): CertificateFiles {
  let found = made.get(name);
  if (found === undefined) {
    found = files(name);
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', found.key);
    make(found);
    const { cert, key, both } = found;
    writeFileSync(both, execFileSync('cat', [cert, key]));
    made.set(name, found);
  }
  return found;
}

function selfSign({ cert, key }: CertificateFiles, subject: string, extensions: string[]): void {
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  openssl('req', '-x509', '-new', '-key', key, '-out', cert, '-subj', `/CN=${subject}`, '-days', '3650', ...added);
}

/** The authority that signs everything but the self-signed ones. */
export function authority(name = 'authority'): CertificateFiles {
  return once(name, (own) => selfSign(own, name, []));
}

export interface CertificateOptions {
  /** Alternative names as OpenSSL writes them. Default: `DNS:<name>`. */
  names?: string;
  /** Days from now on; negative: it has expired. */
  days?: number;
  signer?: CertificateFiles;
}

/** A certificate of `name`, signed by the authority. */
export function signed(name: string, { names = `DNS:${name}`, days = 3650, signer = authority() }: CertificateOptions = {}): CertificateFiles {
  return once(name, ({ cert, key }) => {
    const request = join(certificateFolder(), `${name}.csr`);
    const extensions = join(certificateFolder(), `${name}.ext`);
    openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', request);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl(
      'x509', '-req', '-in', request, '-CA', signer.cert, '-CAkey', signer.key, '-CAcreateserial',
      '-days', String(days), '-extfile', extensions, '-out', cert,
    );
  });
}

/** A certificate that nobody but itself vouches for. */
export function selfSigned(name: string): CertificateFiles {
  return once(name, (own) => selfSign(own, name, [`subjectAltName=DNS:${name}`]));
}

/** The server's on the loopback interface: `localhost`, 127.0.0.1 and ::1. */
export const localhost = (): CertificateFiles => signed('localhost', { names: 'DNS:localhost,IP:127.0.0.1,IP:::1' });

/** A key that only a passphrase opens. */
export function encryptedKey({ key }: CertificateFiles, passphrase: string): string {
  const path = `${key}.encrypted`;
  openssl('ec', '-in', key, '-aes256', '-passout', `pass:${passphrase}`, '-out', path);
  return path;
}

/** The fingerprint of a certificate in hex, as `peer_fingerprint` takes it. */
export function fingerprint({ cert }: CertificateFiles, algorithm = 'sha256'): string {
  const line = openssl('x509', '-in', cert, '-noout', '-fingerprint', `-${algorithm}`);
  return line.slice(line.indexOf('=') + 1).replaceAll(':', '').trim().toLowerCase();
}
