/** How many values, where they lie, and how far they spread. */
export interface Moments {
  readonly n: number;
  readonly mean: number | null;
  /** Of the sample: the sum of squared deviations divided by n − 1. */
  readonly sd: number | null;
}

/** The largest power of two that a double can be divided by and that does not exceed 2^1023. */
const largestExponent = 1023;

/**
 * A power of two at the size of the largest value, or 1 where all are 0: divided by it, values lie in [−2, 2] with their digits unchanged, so that neither
 * their squares nor their sums leave the range of a double.
 */
export function scaleOf(values: readonly number[]): number {
  const largest = values.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
  return largest > 0 && Number.isFinite(largest) ? 2 ** Math.min(largestExponent, Math.floor(Math.log2(largest))) : 1;
}

/**
 * Number, mean and sample standard deviation.
 *
 * The mean of none and the spread of fewer than two are null; so are both where a value is not finite. Values of any size have both, except a spread that
 * exceeds the range of a double. Summed from the first value, so that equal values have exactly their own mean and spread 0.
 */
export function moments(values: readonly number[]): Moments {
  const n = values.length;
  const scale = scaleOf(values);
  const origin = (values[0] ?? 0) / scale;
  const mean = origin + values.reduce((sum, value) => sum + (value / scale - origin), 0) / n;
  const sd = scale * Math.sqrt(values.reduce((sum, value) => sum + (value / scale - mean) ** 2, 0) / (n - 1));
  return Number.isFinite(mean) ? { n, mean: scale * mean, sd: Number.isFinite(sd) ? sd : null } : { n, mean: null, sd: null };
}
