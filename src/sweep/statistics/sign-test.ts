import type { Interval } from "./interval.js";
import { fairTail } from "./mcnemar-test.js";

/** One-sided p of the sign test (Arbuthnott 1710) that values have a median above 0: P(Bin(n, ½) ≥ #{value > 0}). A value of 0 counts against it. */
export function signTail(values: readonly number[]): number {
  return fairTail(values.filter((value) => value <= 0).length, values.length);
}

/** The middle value, or the mean of the two middle ones; null for none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : low + (high - low) / 2;
}

/**
 * The shifts that `signTail` refuses in neither direction at (1 − level) / 2: from the k-th value from below to the k-th from above, with the largest k for
 * which P(Bin(n, ½) < k) is at most that. Null where there is none.
 */
export function medianInterval(values: readonly number[], level: number): Interval | null {
  const n = values.length;
  const sorted = values.toSorted((a, b) => a - b);
  let k = 0;
  while (k < n / 2 && fairTail(k, n) <= (1 - level) / 2 + Number.EPSILON) k++;
  const [low, high] = [sorted[k - 1], sorted[n - k]];
  return k === 0 || low === undefined || high === undefined ? null : { low, high };
}
