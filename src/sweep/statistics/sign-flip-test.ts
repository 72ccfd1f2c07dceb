import { mersenne } from "pure-rand/generator/mersenne";
import { roundingNoise, subsetSums } from "./subset-sums.js";

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
