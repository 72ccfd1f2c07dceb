const double = new Float64Array(1);
const words = new BigUint64Array(double.buffer);

/**
 * `a · b + c` of float32 numbers, rounded once to float32, as a fused multiply-add rounds (IEEE 754-2008, 5.4.1).
 *
 * The product is exact in float64. The sum is rounded to odd there, so that rounding it again to float32 is as rounding once (Boldo & Melquiond 2008).
 */
export function float32Fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const lost = product - (sum - back) + (c - back); // what the sum was rounded by, exactly (Knuth's TwoSum)
  if (lost === 0 || Number.isNaN(lost)) return Math.fround(sum);
  double[0] = sum;
  const bits = words[0] ?? 0n;
  if ((bits & 1n) === 0n) words[0] = lost > 0 === sum > 0 ? bits + 1n : bits - 1n;
  return Math.fround(double[0]);
}
