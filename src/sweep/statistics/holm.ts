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
