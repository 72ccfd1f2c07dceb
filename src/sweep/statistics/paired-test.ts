import { median, medianInterval, signTail, upperBoundOfNone } from "./binomial-tests.js";
import { defaultLevel, type Interval, moments, scaleOf } from "./moments.js";
import { maxExactValues, signFlipInterval, signFlipTail } from "./sign-flip-test.js";
import { hallInterval, hallTail, isSkewed, sampleSkewness } from "./t-tests.js";

/** Options of `pairedTest`. */
export interface PairedTestOptions {
  /** Differences of at most this size count as none (default: 0). */
  readonly margin?: number;
  /** Number of pairs without a difference; they count against a difference (default: 0). */
  readonly lacking?: number;
  /** 1 − alpha. */
  readonly level?: number;
  /** `mean` uses sign flips and Hall's t test (default); `median` uses the sign test. */
  readonly test?: "mean" | "median";
  /** Whether all values are whole numbers, so that a rare change of 1 can be missed. */
  readonly areWhole?: boolean;
}

/** Result of `pairedTest`. */
export interface PairedTest {
  /** Mean or median. */
  readonly centre: number;
  /** Two-sided p that the centre is within the margin: small when arms differ by more than the margin. */
  readonly p: number;
  /** p that the centre is outside the margin or at its ends: small when arms differ by less than the margin. */
  readonly pNull: number;
  /** Confidence interval of the centre; null for too few pairs. */
  readonly interval: Interval | null;
  /** Half the minimum width of the interval: a change of 1 at a rate that n pairs can miss; 0 unless values are whole numbers. */
  readonly floor: number;
  readonly skewness: number;
  /** p of the median test, if the differences are skewed and the mean is tested. */
  readonly medianP?: number;
}

const minPairs = 3;
/** A scaled difference this close to the end of the margin is a tie. */
const tie = 1e-9;

/**
 * Test paired differences against a margin δ. A one-sided p^>(θ), small when the centre is above θ, is the larger p of the sign-flip test and Hall's test (or
 * that of the sign test); p^<(θ) is the same with signs reversed. Then p = 2 min(p^>(δ), p^<(−δ)) and pNull = 2 max(p^>(−δ), p^<(δ)), at most 1.
 *
 * The test is independent of scale. Null for fewer than three differences, or if one is not finite.
 */
export function pairedTest(differences: readonly number[], options: PairedTestOptions = {}): PairedTest | null {
  const { margin = 0, lacking = 0, level = defaultLevel, test = "mean", areWhole = false } = options;
  const n = differences.length;
  if (n < minPairs || !differences.every(Number.isFinite)) return null;
  const scale = scaleOf([...differences, margin]);
  const scaled = differences.map((difference) => difference / scale);
  const delta = margin / scale;
  const turned = scaled.map((difference) => -difference);
  const above = (values: readonly number[], theta: number, as = test) => centredAbove(values, theta, as, lacking);
  const twoSided = (as: "mean" | "median") => Math.min(1, 2 * Math.min(above(scaled, delta, as), above(turned, delta, as)));
  const floor = areWhole ? (upperBoundOfNone(n, level) ?? 0) : 0;
  const centre = (test === "median" ? median(scaled) : moments(scaled).mean) ?? 0;
  const isMean = test === "mean";
  return {
    centre: scale * centre,
    p: twoSided(test),
    pNull: Math.min(1, 2 * Math.max(above(scaled, -delta), above(turned, -delta))),
    interval: widened(isMean ? intervalOfMean(scaled, level) : medianInterval(scaled, level), scale, scale * centre, floor),
    floor,
    skewness: sampleSkewness(scaled) ?? 0,
    ...(isMean && isSkewed(scaled) && { medianP: twoSided("median") }),
  };
}

/**
 * Hall's test alone of paired differences, with p and pNull as `pairedTest` forms them. Both are 1 for fewer than three differences, or if one is not finite.
 */
export function hallTest(differences: readonly number[], { margin = 0, lacking = 0 }: PairedTestOptions = {}): Pick<PairedTest, "p" | "pNull"> {
  if (differences.length < minPairs || !differences.every(Number.isFinite)) return { p: 1, pNull: 1 };
  const scale = scaleOf([...differences, margin]);
  const above = (sign: 1 | -1, theta: number) =>
    hallTail(
      shifted(
        differences.map((difference) => (sign * difference) / scale),
        theta / scale,
        lacking,
      ),
    );
  return {
    p: Math.min(1, 2 * Math.min(above(1, margin), above(-1, margin))),
    pNull: Math.min(1, 2 * Math.max(above(1, -margin), above(-1, -margin))),
  };
}

/** One-sided p that values are centred above θ. */
function centredAbove(values: readonly number[], theta: number, test: "mean" | "median", lacking: number): number {
  const all = shifted(values, theta, lacking);
  return test === "median" ? signTail(all) : Math.max(signFlipTail(all), hallTail(all));
}

/** Values − θ, with ties as 0. A missing pair counts as the farthest value on the other side. */
function shifted(values: readonly number[], theta: number, lacking: number): number[] {
  const all = values.map((value) => (Math.abs(value - theta) <= tie ? 0 : value - theta));
  const farthest = Math.max(...all.map(Math.abs));
  return [...all, ...new Array<number>(lacking).fill(-farthest)];
}

/** The hull of both intervals; Hall's alone if sign flips are drawn, and null if there are too few to exclude anything. */
function intervalOfMean(values: readonly number[], level: number): Interval | null {
  const hall = hallInterval(values, level);
  if (values.length > maxExactValues) return hall;
  const flips = signFlipInterval(values, level);
  return hall && flips && { low: Math.min(hall.low, flips.low), high: Math.max(hall.high, flips.high) };
}

function widened(interval: Interval | null, scale: number, centre: number, floor: number): Interval | null {
  return interval && { low: Math.min(scale * interval.low, centre - floor), high: Math.max(scale * interval.high, centre + floor) };
}
