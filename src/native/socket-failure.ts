/** From a socket's error to a failure class: one table for probe and presence. Pure. */
import { failure, type Failure, type FailureClass } from '../errors.ts';

const classes: Readonly<Record<string, readonly [FailureClass, string]>> = {
  ECONNREFUSED: ['refused', 'Nothing listens on the camera\'s port.'],
  EHOSTUNREACH: ['unreachable', 'There is no route to the camera.'],
  ENETUNREACH: ['unreachable', 'There is no route to the camera\'s network.'],
  EHOSTDOWN: ['unreachable', 'The camera is off the network.'],
  ENETDOWN: ['unreachable', 'This machine\'s network is down.'],
  ETIMEDOUT: ['timeout', 'The camera did not answer in time.'],
  ECONNRESET: ['reset', 'The camera reset the connection.'],
  ECONNABORTED: ['reset', 'The connection was aborted.'],
  EPIPE: ['reset', 'The camera closed the connection while it was written to.'],
  EMFILE: ['local', 'This process has no file descriptor left.'],
  ENFILE: ['local', 'This machine has no file descriptor left.'],
  ENOBUFS: ['local', 'This machine has no buffer space left.'],
  ENOMEM: ['local', 'This machine has no memory left.'],
  EADDRNOTAVAIL: ['local', 'This machine has no local port or address left for the connection.'],
  EACCES: ['local', 'This machine forbids the connection.'],
  EPERM: ['local', 'This machine\'s firewall forbids the connection.'],
};

/** TLS mistakes end in quarantine with the reason: trying again does not change a certificate. */
const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO)/u;

/** `where` is the camera's address without credentials. */
export function socketFailure(error: Error & { code?: string; errors?: (Error & { code?: string })[] }, where: string): Failure {
  // Several addresses were tried: the first one's error speaks for all.
  const first = error.errors?.[0] ?? error;
  const code = first.code ?? 'unknown';
  const known = classes[code];
  if (known !== undefined) return failure(known[0], code.toLowerCase(), known[1], `${code} ${where}`);
  if (tlsCode.test(code)) return failure('unsupported', 'tls', 'The camera\'s TLS certificate or protocol was not accepted.', `${code}: ${first.message}`);
  return failure('unreachable', code.toLowerCase(), 'The connection to the camera failed.', `${code} ${where}`);
}
