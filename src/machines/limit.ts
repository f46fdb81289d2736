/** A limit that counts as passed only after it was passed for some time: a pure function over samples. */

/** `since`: when the run of samples above it began; null while they are below. Times in ms of one monotonic clock. */
export type LimitState = { since: number | null; passed: boolean };

/** As it begins. */
export const withinLimit: LimitState = { since: null, passed: false };

/** Adds a sample of `now`. One sample below ends the run: a pause of the garbage collector or a suspended machine is no state. */
export function addSample(state: LimitState, over: boolean, now: number, sustainMs: number): LimitState {
  if (!over) return withinLimit;
  const since = state.since ?? now;
  return { since, passed: state.passed || now - since >= sustainMs };
}
