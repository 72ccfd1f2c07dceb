/** How many values, where they lie, and how far they spread. */
export interface Moments {
  readonly n: number;
  readonly mean: number | null;
  /** Of the sample: the sum of squared deviations divided by n − 1. */
  readonly sd: number | null;
}

/**
 * Number, mean and sample standard deviation.
 *
 * The mean of none and the spread of fewer than two are null; so are both where a value is not finite, or where a sum leaves the range of a double.
 * Summed from the first value, so that equal values have exactly their own mean and spread 0.
 */
export function moments(values: readonly number[]): Moments {
  const n = values.length;
  const origin = values[0] ?? 0;
  const mean = origin + values.reduce((sum, value) => sum + (value - origin), 0) / n;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  return Number.isFinite(mean) ? { n, mean, sd: Number.isFinite(sd) ? sd : null } : { n, mean: null, sd: null };
}
