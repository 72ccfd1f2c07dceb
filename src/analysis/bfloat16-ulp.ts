const exponents = 256;
const exponentShift = 7;

/**
 * 1/ULP for each biased exponent E of a bfloat16: ULP = 2^(E−134), and 2^−133 for subnormals (E = 0).
 * Powers of two, so that multiplying by one is as exact as dividing by the other.
 */
const inverseUlps = Float64Array.from({ length: exponents }, (_, exponent) => 2 ** (134 - Math.max(exponent, 1)));

/** 1/ULP of the bfloat16 with these bits: how many lattice cells a unit is, near it. */
export function inverseUlp(bits: number): number {
  return inverseUlps[(bits >> exponentShift) & (exponents - 1)] ?? 0;
}
