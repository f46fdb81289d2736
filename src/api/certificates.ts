/** The certificate that HTTPS and gRPC are served with: read again when its files change, kept where the new one is broken. */
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import { certificatePair, CertificateError, readCertificate, unusable, type CertificateFiles, type CertificatePair } from '../certificate.ts';
import type { Log } from '../log.ts';
import { watchFile } from '../watch-file.ts';

/** For `/stats`, `/readyz` and metrics. `refused`: why the files that lie there now are not served, null where they are. */
export type CertificateStatus = { fingerprint: string; notAfter: string; refused: string | null };

/** The certificate of one program. */
export type Certificates = {
  /** What is served now. */
  secureContext(): SecureContextOptions & { cert: Buffer; key: Buffer };
  /** Hears of every new one. Connections that are open go on with theirs. */
  onChange(listener: () => void): void;
  status(): CertificateStatus;
  /** Reads the files again; never throws. */
  reload(): Promise<void>;
  close(): void;
};

/** Two files are not written at once; in between they do not belong together. */
const settleMs = 500;
/** Behind the watch: links whose target changed elsewhere, directories that cannot be watched. */
const recheckMs = 60_000;
const oldestVersion = 'TLSv1.2';

/** Reads both files and begins to watch them. Throws `CertificateError`. */
export function openCertificates(files: CertificateFiles, log: Log): Certificates {
  let served = readCertificate(files);
  let refused: string | null = null;
  let pending = Promise.resolve();
  let settling: NodeJS.Timeout | undefined;
  const listeners: (() => void)[] = [];
  warnOfTime(served, log);

  const look = async (): Promise<void> => {
    try {
      const found = await readAgain(files);
      if (found.fingerprint !== served.fingerprint && expired(found) && !expired(served)) throw new CertificateError('tls.cert', `ended at ${new Date(found.notAfter).toISOString()}`);
      refused = null;
      if (found.cert.equals(served.cert) && found.key.equals(served.key)) return;
      served = found;
      warnOfTime(served, log);
      for (const listener of listeners) listener();
      log.info({ fingerprint: served.fingerprint, notAfter: new Date(served.notAfter).toISOString() }, 'a new certificate is served to new connections');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      const reason = `${error.setting} ${error.message}`;
      if (reason !== refused) log.error({ reason, notAfter: new Date(served.notAfter).toISOString() }, 'the new certificate is refused; the old one is still served');
      refused = reason;
    }
  };
  const reload = (): Promise<void> => (pending = pending.then(look).catch((error: unknown) => log.error({ err: error }, 'the certificate could not be read again')));
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void reload(), settleMs);
  };
  const watchers = [files.cert, files.key].map((file) => watchFile(file, changed, { log, instead: `they are read again every ${recheckMs / 1000} s, and on SIGHUP` }));
  const recheck = setInterval(() => void reload(), recheckMs).unref();

  return {
    secureContext: () => ({ cert: served.cert, key: served.key, minVersion: oldestVersion }),
    onChange: (listener) => void listeners.push(listener),
    status: () => ({ fingerprint: served.fingerprint, notAfter: new Date(served.notAfter).toISOString(), refused }),
    reload,
    close() {
      clearTimeout(settling);
      clearInterval(recheck);
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function readAgain({ cert, key }: CertificateFiles): Promise<CertificatePair> {
  const read = (setting: 'tls.cert' | 'tls.key', file: string): Promise<Buffer> => readFile(file).catch((error: unknown) => Promise.reject(unusable(setting, error)));
  return certificatePair(await read('tls.cert', cert), await read('tls.key', key));
}

const expired = ({ notAfter }: CertificatePair): boolean => notAfter <= Date.now();

/** Served all the same: whoever has to mend it must get in. */
function warnOfTime(pair: CertificatePair, log: Log): void {
  const times = { notBefore: new Date(pair.notBefore).toISOString(), notAfter: new Date(pair.notAfter).toISOString() };
  if (expired(pair)) log.warn(times, 'the certificate has ended; clients will refuse it');
  else if (pair.notBefore > Date.now()) log.warn(times, 'the certificate is not valid yet; clients will refuse it');
}
