/** A TLS certificate and its private key from PEM files: read, and found to belong together, before anything is served with them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** What TLS is served with. Times in ms since the epoch; `fingerprint` is SHA-256 of the certificate, as cameras' `tls.fingerprint`. */
export type CertificatePair = { cert: Buffer; key: Buffer; fingerprint: string; notBefore: number; notAfter: number };

/** Where the two files lie. `cert` holds the chain: the server's own certificate first. */
export type CertificateFiles = { cert: string; key: string };

/** A pair that cannot be used. Its message holds nothing of the files. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  /** The setting that is to be mended. */
  readonly setting: 'tls.cert' | 'tls.key';

  constructor(setting: 'tls.cert' | 'tls.key', message: string) {
    super(message);
    this.setting = setting;
  }
}

/** PKCS #8 and the older form (RFC 1421). */
const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/mu;

/** Reads both. Throws {@link CertificateError}. */
export function readCertificate({ cert, key }: CertificateFiles): CertificatePair {
  return certificatePair(attempt('tls.cert', () => readFileSync(cert)), attempt('tls.key', () => readFileSync(key)));
}

/** Checks both texts (PEM). Throws {@link CertificateError}: half-written, encrypted, of another key, too weak. */
export function certificatePair(cert: Buffer, key: Buffer): CertificatePair {
  const own = attempt('tls.cert', () => new X509Certificate(cert));
  if (encrypted.test(key.toString('latin1'))) throw new CertificateError('tls.key', 'is encrypted: take the passphrase off, and protect the file by its mode');
  const secret = attempt('tls.key', () => createPrivateKey(key));
  if (!own.checkPrivateKey(secret)) throw new CertificateError('tls.key', 'is not the key of the certificate');
  // The rest of the chain, and what OpenSSL demands of both.
  attempt('tls.cert', () => createSecureContext({ cert, key }));
  return { cert, key, fingerprint: own.fingerprint256, notBefore: own.validFromDate.getTime(), notAfter: own.validToDate.getTime() };
}

/** Why reading failed, as a {@link CertificateError}: errors of files and of OpenSSL name the reason, never the content. */
export function unusable(setting: 'tls.cert' | 'tls.key', error: unknown): CertificateError {
  const { code, reason } = error as { code?: string; reason?: string };
  return new CertificateError(setting, `cannot be used: ${reason ?? code ?? 'unknown reason'}`);
}

function attempt<T>(setting: 'tls.cert' | 'tls.key', read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unusable(setting, error);
  }
}
