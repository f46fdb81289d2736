/** What a crashed actor means for its parent's failure table. */
import { failure as makeFailure, failureOf, type Failure } from '../errors.ts';

/** The failure that a crashed child of a camera, at whatever depth, stands for. */
export function crashOf(error: unknown): Failure {
  const cause = failureOf(error, 'local');
  return makeFailure('local', 'actor-crashed', `An actor of this camera threw: ${cause.message}`, cause.message);
}
