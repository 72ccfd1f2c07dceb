/** Sums that lie closer to 0 than this part of Σ|value| are 0: decimals such as 3.3522 − 3.3521 do not subtract exactly, and hide their ties. */
const noise = 1e-9;

/** How far from 0 a sum of some of these values can lie and still be 0. */
export function roundingNoise(values: readonly number[]): number {
  return noise * values.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** The sum and the size of every subset. */
interface SubsetSums {
  /** Entry s is of the values whose bit is set in s; entry 0 is of the empty subset. */
  readonly sums: Float64Array;
  readonly sizes: Uint8Array;
}

/**
 * The sums of all 2^n subsets of n values.
 *
 * They are what a sign-flip test and its inversion rest on: to flip the signs of a subset lowers the total by twice its sum.
 */
export function subsetSums(values: readonly number[]): SubsetSums {
  const sums = new Float64Array(2 ** values.length);
  const sizes = new Uint8Array(sums.length);
  for (const [bit, value] of values.entries()) {
    const half = 2 ** bit;
    for (let subset = 0; subset < half; subset++) {
      sums[half + subset] = (sums[subset] ?? 0) + value;
      sizes[half + subset] = (sizes[subset] ?? 0) + 1;
    }
  }
  const closest = roundingNoise(values);
  return { sums: sums.map((sum) => (Math.abs(sum) <= closest ? 0 : sum)), sizes };
}
