/** CLOCK_MONOTONIC, the clock that supervisor, hosts and pipelines of one machine share. */

/** Its time in ms, exact to the microsecond. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;
