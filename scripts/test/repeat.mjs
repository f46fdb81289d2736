/**
 * A second run, alone, of the few files that failed, when everything else is done. Tests with real processes share two
 * cores with whoever else is on the machine; a fault of the product fails twice. What passes then does not fail the run,
 * but it is named with its first report, since a test that is unsteady is a bug of its own.
 */

/** With more failures than this something is broken, and a second run would tell nothing new. */
export const MOST_REPEATED = 3;

/**
 * Runs them again; resolves to those that passed.
 * @param {string[]} files
 * @param {(file: string) => Promise<boolean>} run whether it passed
 * @param {{ strict?: boolean }} [options] `strict`: nothing gets a second run
 * @returns {Promise<string[]>}
 */
export const repeatFailed = async (files, run, { strict = false } = {}) => {
  const unsteady = [];
  if (strict || files.length > MOST_REPEATED) return unsteady;
  for (const file of files) if (await run(file)) unsteady.push(file);
  return unsteady;
};
