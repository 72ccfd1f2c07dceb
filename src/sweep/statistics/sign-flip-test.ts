import { mersenne } from "pure-rand/generator/mersenne";
import { type Interval, usualLevel } from "./moments.js";

/** Sums that lie closer to 0 than this part of Σ|value| are 0: decimals such as 3.3522 − 3.3521 do not subtract exactly, and hide their ties. */
const noise = 1e-9;

/** How far from 0 a sum of some of these values can lie and still be 0. */
function roundingNoise(values: readonly number[]): number {
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

/** So many values are tested with all assignments of signs, of which there are 2^n; more with drawn ones. */
export const mostExactValues = 16;
/** Assignments that are drawn where there are too many to go through. */
const drawnAssignments = 100_000;
const bitsOfWord = 32;
const bitsOfByte = 8;
const bytesOfWord = bitsOfWord / bitsOfByte;

/** What a sign-flip test found. */
export interface SignFlipTest {
  /** Two-sided. */
  readonly p: number;
  /** Whether all assignments were gone through, or some drawn. */
  readonly method: "all" | "drawn";
  readonly assignments: number;
}

/**
 * Two-sided sign-flip test of paired differences (Fisher 1935, §21): were the arms alike, each difference could as well have had the other sign. p is the
 * share of the assignments of signs whose sum lies at least as far from 0 as the observed one, ties included.
 *
 * Up to 16 values all 2^n are gone through and p is exact; it is never below 2 / 2^n. Beyond, 100,000 are drawn (Mersenne Twister) and p = (b + 1) / (m + 1),
 * which keeps the test valid (Phipson & Smyth 2010). Zero differences are kept. All differences 0: p = 1. Null for fewer than two values, or where one is
 * not finite.
 *
 * @param seed of the drawn assignments.
 */
export function signFlipTest(differences: readonly number[], seed = 0): SignFlipTest | null {
  if (differences.length < 2 || !differences.every(Number.isFinite)) return null;
  return differences.length <= mostExactValues ? testAll(differences) : testDrawn(differences, seed);
}

/**
 * One-sided sign-flip p that values are centred above 0, small when they are: the share of subsets S with Σ_S ≤ 0, each of which is an assignment of signs
 * with a sum as high as the observed one. Over all 2^n subsets up to 16 values; beyond, (b + 1) / (m + 1) over 100,000 drawn ones.
 *
 * @param values at least one, all finite.
 * @param seed of the drawn subsets.
 */
export function signFlipTail(values: readonly number[], seed = 0): number {
  if (values.length <= mostExactValues) {
    const { sums } = subsetSums(values);
    return sums.reduce((found, sum) => (sum <= 0 ? found + 1 : found), 0) / sums.length;
  }
  const tables: Float64Array[] = []; // of the subset sums of eight values each, which a byte of a drawn word picks from
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

// To flip a subset raises the sum where the subset's own sum is below 0: the assignments with a sum as high as the observed one are the subsets with a
// sum of at most 0, those as low the ones of at least 0. Turning all signs makes one tail the other, so that the smaller counts twice.
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
