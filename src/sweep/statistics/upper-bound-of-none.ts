import { usualLevel } from "./interval.js";

/** Logarithms whose ratio is a whole number divide to slightly more. */
const roundingNoise = 1e-9;

/**
 * The share of positive runs that "0 of n" still allows: the upper end of the one-sided Clopper–Pearson interval (1934), 1 − (1 − level)^(1/n), which
 * solves (1 − share)^n = 1 − level. 0 of 10: below 26 % with 95 % confidence. Null for n = 0, which allows everything.
 */
export function upperBoundOfNone(n: number, level = usualLevel): number | null {
  return n > 0 ? 1 - (1 - level) ** (1 / n) : null;
}

/** The least n for which "0 of n" rules out a rate: ⌈ln(1 − level) / ln(1 − rate)⌉, which is 9 for 0.3 at 95 %. */
export function pairsForNull(rate: number, level = usualLevel): number {
  return Math.ceil(Math.log(1 - level) / Math.log(1 - rate) - roundingNoise);
}
