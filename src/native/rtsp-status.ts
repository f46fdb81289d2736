/** From an RTSP status code to a failure: one table for the probe and for the pipeline. Pure. */
import { failure, type Failure, type FailureClass } from '../errors.ts';

const classes: Readonly<Record<number, readonly [FailureClass, string]>> = {
  401: ['auth', 'The camera refused user name or password.'],
  403: ['auth', 'The camera forbids this user the stream.'],
  404: ['not-found', 'The camera has no stream at this path.'],
  410: ['not-found', 'The camera no longer has a stream at this path.'],
  415: ['unsupported', 'The camera does not know the form of the request.'],
  453: ['busy', 'The camera has not enough bandwidth for one more session.'],
  454: ['server-error', 'The camera forgot the session.'],
  461: ['unsupported', 'The camera does not offer this transport.'],
  503: ['server-error', 'The camera is not ready.'],
};

/** The failure a refusing status stands for; `evidence` is the status line or the bus message that carried it. */
export function rtspStatusFailure(status: number, evidence: string): Failure {
  const known = classes[status];
  if (known !== undefined) return failure(known[0], `rtsp-${status}`, known[1], evidence);
  if (status >= 500) return failure('server-error', `rtsp-${status}`, `The camera answered with an error of its own (${status}).`, evidence);
  if (status >= 300 && status < 400) return failure('unsupported', `rtsp-${status}`, `The camera redirects elsewhere (${status}).`, evidence);
  return failure('server-error', `rtsp-${status}`, `The camera refused the request (${status}).`, evidence);
}
