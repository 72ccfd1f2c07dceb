import { usualLevel } from "./interval.js";

/**
 * The share of positive runs that "0 of n" still allows: the upper end of the one-sided Clopper–Pearson interval (1934), 1 − (1 − level)^(1/n), which
 * solves (1 − share)^n = 1 − level. 0 of 10: below 26 % with 95 % confidence. Null for n = 0, which allows everything.
 */
export function upperBoundOfNone(n: number, level = usualLevel): number | null {
  return n > 0 ? 1 - (1 - level) ** (1 / n) : null;
}
