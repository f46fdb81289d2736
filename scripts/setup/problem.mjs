/** What set-up tells the operator when it cannot go on: what is missing, and what to type. */

/** Ends set-up with exit code 1 and exactly this text, no stack. */
export class SetupProblem extends Error {
  name = 'SetupProblem';
}
