import { defaultLevel, type Interval } from "./moments.js";

/** Larger counts of assignments are shifted into the exponent range of a double before the division. */
const representableBits = 1000;

/** Probability of at most the given number of heads in n throws of a fair coin, counted exactly in whole numbers. */
export function fairTail(atMost: number, n: number): number {
  if (atMost < 0) return 0;
  let ways = 1n; // binomial coefficients: C(n, 0), C(n, 1), …
  let tail = 1n;
  for (let chosen = 1; chosen <= Math.min(atMost, n); chosen++) {
    ways = (ways * BigInt(n - chosen + 1)) / BigInt(chosen);
    tail += ways;
  }
  const excess = Math.max(0, n - representableBits);
  return Number(tail >> BigInt(excess)) / 2 ** (n - excess);
}

/**
 * Exact two-sided McNemar test (1947) of two arms with yes/no scores: p = min(1, 2 · P(X ≤ min(a, b))) with X ~ Binomial(n, ½) over the n discordant pairs.
 * Without a discordant pair p = 1.
 * @param onlyControl pairs in which only the control scores yes.
 * @param onlyTreatment pairs in which only the treatment scores yes.
 */
export function mcnemarTest(onlyControl: number, onlyTreatment: number): number {
  return Math.min(1, 2 * fairTail(Math.min(onlyControl, onlyTreatment), onlyControl + onlyTreatment));
}

/** One-sided p of the sign test (Arbuthnott 1710) that values have a median above 0: P(Bin(n, ½) ≥ #{value > 0}). A value of 0 counts against it. */
export function signTail(values: readonly number[]): number {
  return fairTail(values.filter((value) => value <= 0).length, values.length);
}

/** The median; null for no values. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : low + (high - low) / 2;
}

/**
 * The shifts that `signTail` rejects in neither direction at (1 − level) / 2: from the k-th lowest value to the k-th highest, with the largest k such that
 * P(Bin(n, ½) < k) is at most that. Null if there is none.
 */
export function medianInterval(values: readonly number[], level: number): Interval | null {
  const n = values.length;
  const sorted = values.toSorted((a, b) => a - b);
  let k = 0;
  while (k < n / 2 && fairTail(k, n) <= (1 - level) / 2 + Number.EPSILON) k++;
  const [low, high] = [sorted[k - 1], sorted[n - k]];
  return k === 0 || low === undefined || high === undefined ? null : { low, high };
}

/** Logarithms with a whole ratio divide to slightly more. */
const roundingNoise = 1e-9;

/**
 * The highest rate of positive runs consistent with "0 of n": the upper end of the one-sided Clopper–Pearson interval (1934), 1 − (1 − level)^(1/n). 0 of 10:
 * below 26 % with 95 % confidence. Null for n = 0.
 */
export function upperBoundOfNone(n: number, level = defaultLevel): number | null {
  return n > 0 ? 1 - (1 - level) ** (1 / n) : null;
}

/** The smallest n for which "0 of n" rules out a rate: ⌈ln(1 − level) / ln(1 − rate)⌉, which is 9 for 0.3 at 95 %. */
export function pairsForNull(rate: number, level = defaultLevel): number {
  return Math.ceil(Math.log(1 - level) / Math.log(1 - rate) - roundingNoise);
}
