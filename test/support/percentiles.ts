/** The distribution of measured values. */

/** In the unit of the values. */
export type Percentiles = { p50: number; p95: number; most: number; count: number };

/** Rounded to tenths; NaN where there are none. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), most: at(1), count: sorted.length };
}
