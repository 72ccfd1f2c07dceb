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

/** A closed interval of numbers. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The level of an interval where none is named. */
export const usualLevel = 0.95;

/** The values of two arms under one key, usually a seed. */
export interface Pair {
  readonly key: number;
  readonly control: number;
  readonly treatment: number;
  /** Treatment less control. */
  readonly difference: number;
}

/** A value that can be compared: there, and finite. */
function isFiniteNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** The pairs that both arms have a finite value for, with a finite difference, in the control's order; a key that one of them lacks makes no pair. */
export function pairedDifferences(control: ReadonlyMap<number, number | null>, treatment: ReadonlyMap<number, number | null>): Pair[] {
  return [...control].flatMap(([key, before]) => {
    const after = treatment.get(key);
    return isFiniteNumber(before) && isFiniteNumber(after) && Number.isFinite(after - before)
      ? [{ key, control: before, treatment: after, difference: after - before }]
      : [];
  });
}

/**
 * Holm's correction (1979) of a family of p values: with all of them ascending, the i-th of m (from 0) is multiplied by m − i, and none is below the one
 * before it. A hypothesis whose corrected p is at most α may be refused, and the chance that any is refused wrongly stays below α, whatever their dependence.
 *
 * @returns the corrected values in the order given, at most 1.
 */
export function holm(pValues: readonly number[]): number[] {
  const ascending = pValues.map((p, at) => ({ p, at })).sort((a, b) => a.p - b.p);
  const corrected = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, { p, at }] of ascending.entries()) {
    largest = Math.max(largest, Math.min(1, p * (pValues.length - rank)));
    corrected[at] = largest;
  }
  return corrected;
}
