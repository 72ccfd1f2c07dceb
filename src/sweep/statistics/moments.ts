/** Moments of a sample. */
export interface Moments {
  readonly n: number;
  readonly mean: number | null;
  /** Of the sample: divided by n − 1. */
  readonly sd: number | null;
}

/** Exponent of the largest power of two that a double can hold. */
const largestExponent = 1023;

/** A power of two near the largest absolute value, or 1 if all are 0. Dividing by it is exact and keeps squares and sums in the range of a double. */
export function scaleOf(values: readonly number[]): number {
  const largest = values.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
  return largest > 0 && Number.isFinite(largest) ? 2 ** Math.min(largestExponent, Math.floor(Math.log2(largest))) : 1;
}

/**
 * Number, mean and sample standard deviation.
 *
 * The mean of no values and the deviation of fewer than two are null, and so are both if a value is not finite. Sums start from the first value, so that equal
 * values have exactly their own mean and deviation 0.
 */
export function moments(values: readonly number[]): Moments {
  const n = values.length;
  const scale = scaleOf(values);
  const origin = (values[0] ?? 0) / scale;
  const mean = origin + values.reduce((sum, value) => sum + (value / scale - origin), 0) / n;
  const sd = scale * Math.sqrt(values.reduce((sum, value) => sum + (value / scale - mean) ** 2, 0) / (n - 1));
  return Number.isFinite(mean) ? { n, mean: scale * mean, sd: Number.isFinite(sd) ? sd : null } : { n, mean: null, sd: null };
}

/** Bounds of an interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Default level of an interval. */
export const defaultLevel = 0.95;

/** The values of two arms under one key, usually a seed. */
export interface Pair {
  readonly key: number;
  readonly control: number;
  readonly treatment: number;
  /** Treatment minus control. */
  readonly difference: number;
}

function isFiniteNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** The pairs for which both arms have a finite value and a finite difference, in the control's order. */
export function pairedDifferences(control: ReadonlyMap<number, number | null>, treatment: ReadonlyMap<number, number | null>): Pair[] {
  return [...control].flatMap(([key, before]) => {
    const after = treatment.get(key);
    return isFiniteNumber(before) && isFiniteNumber(after) && Number.isFinite(after - before)
      ? [{ key, control: before, treatment: after, difference: after - before }]
      : [];
  });
}

/**
 * Holm's correction (1979) of a family of p values: in ascending order, the i-th of m (from 0) is multiplied by m − i, and none is below the one before it.
 * Rejecting hypotheses with a corrected p of at most α keeps the family-wise error rate below α under any dependence.
 * @returns the corrected values in the given order, at most 1.
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
