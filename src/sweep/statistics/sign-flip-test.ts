import { mersenne } from "pure-rand/generator/mersenne";
import { defaultLevel, type Interval } from "./moments.js";

/** Sums below this fraction of Σ|value| count as 0: decimals such as 3.3522 − 3.3521 do not subtract exactly, which hides ties. */
const noise = 1e-9;

function roundingNoise(values: readonly number[]): number {
  return noise * values.reduce((sum, value) => sum + Math.abs(value), 0);
}

interface SubsetSums {
  /** Entry s holds the values whose bit is set in s; entry 0 is the empty subset. */
  readonly sums: Float64Array;
  readonly sizes: Uint8Array;
}

/** The sums of all 2^n subsets of n values, the basis of the sign-flip test: flipping the signs of a subset lowers the total by twice its sum. */
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

/** Up to this many values are tested with all 2^n sign assignments; more with drawn ones. */
export const maxExactValues = 16;
const drawnAssignments = 100_000;
const bitsOfWord = 32;
const bitsOfByte = 8;
const bytesOfWord = bitsOfWord / bitsOfByte;

/** Result of `signFlipTest`. */
export interface SignFlipTest {
  /** Two-sided. */
  readonly p: number;
  /** Whether all assignments were evaluated, or a sample. */
  readonly method: "all" | "drawn";
  readonly assignments: number;
}

/**
 * Two-sided sign-flip test of paired differences (Fisher 1935, §21). p is the share of sign assignments whose sum is at least as far from 0 as the observed
 * one, ties included.
 *
 * Up to 16 values p is exact over all 2^n assignments, and at least 2 / 2^n. Beyond, 100,000 are drawn (Mersenne Twister) and p = (b + 1) / (m + 1), which
 * keeps the test valid (Phipson & Smyth 2010). Zero differences are included; if all are 0, p = 1. Null for fewer than two values, or if one is not finite.
 *
 * @param seed of the drawn assignments.
 */
export function signFlipTest(differences: readonly number[], seed = 0): SignFlipTest | null {
  if (differences.length < 2 || !differences.every(Number.isFinite)) return null;
  return differences.length <= maxExactValues ? testAll(differences) : testDrawn(differences, seed);
}

/**
 * One-sided sign-flip p that values are centred above 0: the share of subsets S with Σ_S ≤ 0, each an assignment of signs with a sum at least as high as the
 * observed one. All 2^n subsets up to 16 values; beyond, (b + 1) / (m + 1) over 100,000 drawn ones.
 * @param values at least one, all finite.
 * @param seed of the drawn subsets.
 */
export function signFlipTail(values: readonly number[], seed = 0): number {
  if (values.length <= maxExactValues) {
    const { sums } = subsetSums(values);
    return sums.reduce((found, sum) => (sum <= 0 ? found + 1 : found), 0) / sums.length;
  }
  const tables: Float64Array[] = []; // subset sums of eight values each, indexed by a byte of a drawn word
  for (let at = 0; at < values.length; at += bitsOfByte) tables.push(subsetSums(values.slice(at, at + bitsOfByte)).sums);
  const generator = mersenne(seed);
  const closest = roundingNoise(values);
  let asHigh = 0;
  for (let drawn = 0; drawn < drawnAssignments; drawn++) {
    let sum = 0;
    let chosen = 0;
    for (let at = 0; at < tables.length; at++) {
      if (at % bytesOfWord === 0) chosen = generator.next();
      const table = tables[at];
      if (table) sum += table[chosen & (table.length - 1)] ?? 0;
      chosen >>>= bitsOfByte;
    }
    if (sum <= closest) asHigh++;
  }
  return (asHigh + 1) / (drawnAssignments + 1);
}

// Flipping a subset raises the sum if the subset's sum is below 0. So assignments with a sum as high as the observed one are the subsets with a sum of
// at most 0, and those as low have at least 0. Reversing all signs swaps the tails, so the smaller one counts twice.
function testAll(differences: readonly number[]): SignFlipTest {
  const { sums } = subsetSums(differences);
  const asHigh = sums.reduce((found, sum) => (sum <= 0 ? found + 1 : found), 0);
  const asLow = sums.reduce((found, sum) => (sum >= 0 ? found + 1 : found), 0);
  return { p: Math.min(1, (2 * Math.min(asHigh, asLow)) / sums.length), method: "all", assignments: sums.length };
}

function testDrawn(differences: readonly number[], seed: number): SignFlipTest {
  const generator = mersenne(seed);
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0)) - roundingNoise(differences);
  let asFar = 0;
  for (let drawn = 0; drawn < drawnAssignments; drawn++) {
    let sum = 0;
    let signs = 0;
    for (let at = 0; at < differences.length; at++) {
      if (at % bitsOfWord === 0) signs = generator.next();
      const value = differences[at] ?? 0;
      sum += signs & 1 ? value : -value;
      signs >>>= 1;
    }
    if (Math.abs(sum) >= observed) asFar++;
  }
  return { p: (asFar + 1) / (drawnAssignments + 1), method: "drawn", assignments: drawnAssignments };
}

/**
 * Exact interval for a shift: all θ that the two-sided sign-flip test of `difference − θ` does not reject at 1 − level (Hartigan 1969, "typical values").
 *
 * A subset's sum of `difference − θ` is at most 0 if the subset's mean is at most θ. With M the ascending means of all 2^n − 1 non-empty subsets, p(θ) = 2 (1 +
 * min(#{M ≤ θ}, #{M ≥ θ})) / 2^n, or 1. It exceeds 1 − level exactly between the k-th lowest mean and the k-th highest, k = ⌊(1 − level) 2^n / 2⌋.
 *
 * Null for fewer than two or more than 16 values, if one is not finite, and if there are too few to reject any θ (fewer than 6 values at 95 %).
 */
export function signFlipInterval(differences: readonly number[], level = defaultLevel): Interval | null {
  const n = differences.length;
  if (n < 2 || n > maxExactValues || !differences.every(Number.isFinite)) return null;
  const k = Math.floor(((1 - level) * 2 ** n) / 2);
  if (k === 0) return null;
  const { sums, sizes } = subsetSums(differences);
  const means = sums
    .map((sum, subset) => sum / (sizes[subset] ?? 1))
    .subarray(1)
    .sort();
  return { low: means[k - 1] ?? 0, high: means[means.length - k] ?? 0 };
}
