import { mersenne } from "pure-rand/generator/mersenne";
import { upperBoundOfNone } from "./binomial-tests.js";
import { defaultLevel, type Interval, moments, scaleOf } from "./moments.js";
import type { PairedTest } from "./paired-test.js";
import { studentQuantile, studentTail } from "./t-tests.js";

/** Values of both arms that are missing. */
export interface Lacking {
  readonly control: number;
  readonly treatment: number;
}

const noneLacking: Lacking = { control: 0, treatment: 0 };

export interface UnpairedTestOptions {
  /** Differences of at most this size count as none (default: 0). */
  readonly margin?: number;
  /** Runs without a value; they count against a difference (default: none). */
  readonly lacking?: Lacking;
  /** 1 − alpha. */
  readonly level?: number;
  /** Whether all values are whole numbers, so that a rare change of 1 can be missed. */
  readonly areWhole?: boolean;
}

export interface UnpairedTest extends Omit<PairedTest, "skewness" | "medianP"> {
  readonly welchInterval: Interval | null;
  /** Whether all exchanges of values between the arms were evaluated, or drawn ones. */
  readonly method: "all" | "drawn";
}

const minValues = 3;
/** A shift this close to a tested one is a tie. The largest value is scaled to about 1. */
const tie = 1e-9;

/**
 * Test two unpaired arms against a margin δ. A one-sided p^>(θ), small when treatment − control is above θ, is the larger p of the permutation test of the
 * difference of means and Welch's t test; p^<(θ) is the same with signs reversed. Then p = 2 min(p^>(δ), p^<(−δ)) and pNull = 2 max(p^>(−δ), p^<(δ)).
 *
 * The test is independent of scale. Null for fewer than three values in an arm, or if one is not finite.
 */
export function unpairedTest(control: readonly number[], treatment: readonly number[], options: UnpairedTestOptions = {}): UnpairedTest | null {
  const { margin = 0, lacking = noneLacking, level = defaultLevel, areWhole = false } = options;
  const fewest = Math.min(control.length, treatment.length);
  if (fewest < minValues || ![...control, ...treatment].every(Number.isFinite)) return null;
  const scale = scaleOf([...control, ...treatment, margin]);
  const [before, after] = [control.map((value) => value / scale), treatment.map((value) => value / scale)];
  const delta = margin / scale;
  const [lowest, highest] = [Math.min(...before, ...after), Math.max(...before, ...after)];
  const filled = (value: number, number: number) => new Array<number>(number).fill(value);
  const shift = new Shift(before, after);
  const isWhole = lacking.control + lacking.treatment === 0;
  // A missing value counts as the one that speaks most against a difference in that direction.
  const higher = isWhole ? shift : new Shift([...before, ...filled(highest, lacking.control)], [...after, ...filled(lowest, lacking.treatment)]);
  const lower = isWhole ? shift : new Shift([...before, ...filled(lowest, lacking.control)], [...after, ...filled(highest, lacking.treatment)]);
  const centre = scale * shift.centre;
  const floor = areWhole ? (upperBoundOfNone(fewest, level) ?? 0) : 0;
  const welch = shift.welchInterval(level);
  const permuted = shift.permutationInterval(level);
  const hull = permuted && { low: Math.min(welch.low, permuted.low), high: Math.max(welch.high, permuted.high) };
  return {
    centre,
    p: Math.min(1, 2 * Math.min(higher.above(delta), lower.below(-delta))),
    pNull: Math.min(1, 2 * Math.max(shift.above(-delta), shift.below(delta))),
    interval: hull && { low: Math.min(scale * hull.low, centre - floor), high: Math.max(scale * hull.high, centre + floor) },
    welchInterval: { low: scale * welch.low, high: scale * welch.high },
    floor,
    method: shift.exchanges.method,
  };
}

/** The shift from a control to a treatment, by both tests. */
class Shift {
  readonly centre: number;
  readonly exchanges: Exchanges;
  private readonly error: number;
  private readonly degreesOfFreedom: number;

  constructor(control: readonly number[], treatment: readonly number[]) {
    const [before, after] = [moments(control), moments(treatment)];
    const [one, other] = [(before.sd ?? 0) ** 2 / before.n, (after.sd ?? 0) ** 2 / after.n];
    this.centre = (after.mean ?? 0) - (before.mean ?? 0);
    this.error = Math.sqrt(one + other);
    this.degreesOfFreedom = (one + other) ** 2 / (one ** 2 / (before.n - 1) + other ** 2 / (after.n - 1)); // Welch–Satterthwaite
    this.exchanges = exchangesOf(control, treatment);
  }

  /** One-sided p that the shift is above θ. */
  above(theta: number): number {
    const { shifts, unchanged, total } = this.exchanges;
    return Math.max((unchanged + countUpTo(shifts, theta + tie)) / total, this.welch(this.centre - theta));
  }

  /** One-sided p that the shift is below θ. */
  below(theta: number): number {
    const { shifts, unchanged, total } = this.exchanges;
    return Math.max((unchanged + shifts.length - countUpTo(shifts, theta - tie)) / total, this.welch(theta - this.centre));
  }

  private welch(distance: number): number {
    const isNone = Math.abs(distance) <= tie;
    if (this.error === 0) return distance > 0 && !isNone ? 0 : 1;
    return studentTail(distance / this.error, this.degreesOfFreedom);
  }

  welchInterval(level: number): Interval {
    const half = this.error === 0 ? 0 : studentQuantile((1 + level) / 2, this.degreesOfFreedom) * this.error;
    return { low: this.centre - half, high: this.centre + half };
  }

  /** The shifts that the permutation test rejects in neither direction; null if there are too few exchanges to reject any. */
  permutationInterval(level: number): Interval | null {
    const { shifts, unchanged, total } = this.exchanges;
    const k = Math.floor(((1 - level) / 2) * total - unchanged + tie) + 1;
    const [low, high] = [shifts[k - 1], shifts[shifts.length - k]];
    return k < 1 || low === undefined || high === undefined ? null : { low, high };
  }
}

/**
 * The permutation distribution of a shift. Exchanging k values of the treatment for k of the control gives a difference of means at least as high as the
 * observed one, both after a shift by θ, if θ is at least the mean of the k values of the treatment minus the mean of the k values of the control.
 */
interface Exchanges {
  /** That difference of means for every exchange, ascending. */
  readonly shifts: Float64Array;
  /** Permutations that exchange nothing, and for drawn ones the observed one. */
  readonly unchanged: number;
  readonly total: number;
  readonly method: UnpairedTest["method"];
}

/** Maximum permutations of which all are evaluated. */
const maxPermutations = 200_000;
const drawnPermutations = 100_000;

function exchangesOf(control: readonly number[], treatment: readonly number[]): Exchanges {
  const total = permutations(control.length, treatment.length);
  if (total > maxPermutations) return drawnExchanges(control, treatment);
  const most = Math.min(control.length, treatment.length);
  const [before, after] = [sumsBySize(control, most), sumsBySize(treatment, most)];
  const shifts = new Float64Array(total - 1);
  let at = 0;
  for (let k = 1; k <= most; k++) {
    for (const given of after[k] ?? []) for (const taken of before[k] ?? []) shifts[at++] = (given - taken) / k;
  }
  return { shifts: shifts.sort(), unchanged: 1, total, method: "all" };
}

/** The number of ways to split n + m values into an arm of n and one of m: C(n + m, n). */
export function permutations(n: number, m: number): number {
  let ways = 1;
  for (let chosen = 1; chosen <= Math.min(n, m); chosen++) ways = (ways * (n + m - chosen + 1)) / chosen;
  return Math.round(ways);
}

/** Sums of all subsets with up to `most` values, by size. */
function sumsBySize(values: readonly number[], most: number): number[][] {
  const sums: number[][] = [[0], ...Array.from({ length: most }, () => [])];
  for (const value of values) {
    for (let size = most; size > 0; size--) for (const sum of sums[size - 1] ?? []) sums[size]?.push(sum + value);
  }
  return sums;
}

function drawnExchanges(control: readonly number[], treatment: readonly number[]): Exchanges {
  const generator = mersenne(0);
  const isControlSmaller = control.length < treatment.length;
  const [small, large] = isControlSmaller ? [control, treatment] : [treatment, control];
  const values = Float64Array.from([...small, ...large]);
  const order = Uint32Array.from(values, (_, at) => at);
  const shifts = new Float64Array(drawnPermutations);
  const whole = small.reduce((sum, value) => sum + value, 0);
  let changed = 0;
  for (let drawn = 0; drawn < drawnPermutations; drawn++) {
    let into = 0;
    let kept = 0;
    let k = 0;
    for (let at = 0; at < small.length; at++) {
      const pick = at + Math.floor(((generator.next() >>> 0) / 2 ** 32) * (order.length - at));
      const [chosen, other] = [order[pick] ?? 0, order[at] ?? 0];
      order[pick] = other;
      order[at] = chosen;
      const value = values[chosen] ?? 0;
      if (chosen < small.length) kept += value;
      else {
        into += value;
        k++;
      }
    }
    if (k === 0) continue;
    const out = whole - kept;
    shifts[changed++] = (isControlSmaller ? into - out : out - into) / k;
  }
  return { shifts: shifts.slice(0, changed).sort(), unchanged: drawnPermutations - changed + 1, total: drawnPermutations + 1, method: "drawn" };
}

/** The number of ascending values that are at most a limit. */
function countUpTo(ascending: Float64Array, limit: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const probabilityDigits = 10n ** 40n;

/**
 * Fisher's exact test (1934) of two unpaired arms of 0 and 1, two-sided as twice the smaller tail. A missing value counts against a difference.
 * @returns p; at most 1.
 */
export function fisherTest(control: readonly number[], treatment: readonly number[], lacking: Lacking = noneLacking): number {
  const ones = (values: readonly number[]) => values.filter((value) => value === 1).length;
  const [n, m] = [control.length + lacking.control, treatment.length + lacking.treatment];
  const [before, after] = [ones(control), ones(treatment)];
  const higher = hypergeometricTail(after, m, before + lacking.control, n);
  const lower = hypergeometricTail(before, n, after + lacking.treatment, m);
  return Math.min(1, 2 * Math.min(higher, lower));
}

/** Probability that a group of m has at least `ones` ones, when its ones and those of the other group are shuffled over both. */
function hypergeometricTail(ones: number, m: number, others: number, n: number): number {
  const all = ones + others;
  let ways = 0n;
  for (let chosen = ones; chosen <= Math.min(m, all); chosen++) ways += choose(m, chosen) * choose(n, all - chosen);
  return Number((ways * probabilityDigits) / choose(n + m, all)) / Number(probabilityDigits);
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let ways = 1n;
  for (let chosen = 1; chosen <= Math.min(k, n - k); chosen++) ways = (ways * BigInt(n - chosen + 1)) / BigInt(chosen);
  return ways;
}
