/** The distribution of measured values. */

/** The value that so large a share of them does not exceed; NaN where there are none. */
export function rank(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Number.NaN;
}

/** The middle one; NaN where there are none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** In the unit of the values. */
export type Percentiles = { p50: number; p95: number; most: number; count: number };

/** Rounded to tenths; NaN where there are none. */
export function percentiles(values: readonly number[]): Percentiles {
  const at = (share: number): number => Math.round(rank(values, share) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), most: at(1), count: values.length };
}
