/** Bits of a double's exponent range that are left to a count of assignments before it is divided. */
const representableBits = 1000;

/** Probability of at most so many heads in n throws of a fair coin, counted in whole numbers, without rounding. */
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
 * Exact two-sided McNemar test (1947) of two arms whose runs each score yes or no: of n discordant pairs, with the arms alike each is as likely one way as
 * the other, and p = min(1, 2 · P(X ≤ min(a, b))) with X ~ Binomial(n, ½). Without a discordant pair p = 1.
 *
 * @param onlyControl pairs in which the control alone says yes.
 * @param onlyTreatment pairs in which the treatment alone says yes.
 */
export function mcnemarTest(onlyControl: number, onlyTreatment: number): number {
  return Math.min(1, 2 * fairTail(Math.min(onlyControl, onlyTreatment), onlyControl + onlyTreatment));
}
