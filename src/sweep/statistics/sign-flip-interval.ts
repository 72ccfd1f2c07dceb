import { type Interval, usualLevel } from "./interval.js";
import { mostExactValues } from "./sign-flip-test.js";
import { subsetSums } from "./subset-sums.js";

/**
 * Exact interval for a shift: all θ that the two-sided sign-flip test of `difference − θ` does not refuse at 1 − level (Hartigan 1969, "typical values").
 *
 * A subset's sum of `difference − θ` is at most 0 where the subset's mean is at most θ. With M the ascending means of all 2^n − 1 subsets that are not
 * empty, p(θ) = 2 (1 + min(#{M ≤ θ}, #{M ≥ θ})) / 2^n, or 1. It exceeds 1 − level exactly between the k-th mean from below and the k-th from above,
 * k = ⌊(1 − level) 2^n / 2⌋. So 0 lies outside exactly when the test's own p is at most 1 − level.
 *
 * Null for fewer than two values, where one is not finite, where there are more than 16, and where there are too few to refuse any θ (k = 0: fewer than 6
 * values at 95 %).
 */
export function signFlipInterval(differences: readonly number[], level = usualLevel): Interval | null {
  const n = differences.length;
  if (n < 2 || n > mostExactValues || !differences.every(Number.isFinite)) return null;
  const k = Math.floor(((1 - level) * 2 ** n) / 2);
  if (k === 0) return null;
  const { sums, sizes } = subsetSums(differences);
  const means = sums
    .map((sum, subset) => sum / (sizes[subset] ?? 1))
    .subarray(1)
    .sort();
  return { low: means[k - 1] ?? 0, high: means[means.length - k] ?? 0 };
}
