import { scaleOf } from "./moments.js";

/** Stakes of the bets; E averages over them. */
const stakes = [0.5, 1, 2, 4] as const;
/** A scaled difference this close to the end of the margin is a tie. */
const tie = 1e-9;

/**
 * Capital of bets that the next value is above 0: E = ¼ Σ_κ Π (1 + tanh(κ xᵢ / rᵢ)), with κ ∈ {½, 1, 2, 4} and rᵢ the root mean square of the nonzero values
 * up to xᵢ. A value of 0 changes nothing.
 *
 * If the sign of every value is at best fair given its size and the past, E is a nonnegative supermartingale from 1, so that P(sup E ≥ 1/α) ≤ α (Ville's
 * inequality; Ramdas et al. 2023).
 */
class Bets {
  readonly #logs: Float64Array;
  #squares = 0;
  #count = 0;

  constructor(from?: Bets) {
    this.#logs = from ? from.#logs.slice() : new Float64Array(stakes.length);
    if (from === undefined) return;
    this.#squares = from.#squares;
    this.#count = from.#count;
  }

  add(x: number): void {
    if (x === 0) return;
    this.#count++;
    this.#squares += x * x;
    const size = x / Math.sqrt(this.#squares / this.#count);
    for (let at = 0; at < stakes.length; at++) this.#logs[at] = (this.#logs[at] ?? 0) + Math.log1p(Math.tanh((stakes[at] ?? 0) * size));
  }

  /** Express earlier values in another unit. @param ratio earlier unit divided by the new one. */
  rescale(ratio: number): void {
    this.#squares *= ratio * ratio;
  }

  capital(): number {
    let sum = 0;
    for (const log of this.#logs) sum += Math.exp(log);
    return Math.min(Number.MAX_VALUE, sum / stakes.length);
  }
}

/** A direction of the tested difference, and its largest value. */
class Side {
  readonly #bets = new Bets();
  readonly #isMedian: boolean;
  #largest = 0;

  constructor(isMedian: boolean) {
    this.#isMedian = isMedian;
  }

  add(x: number): void {
    this.#bets.add(this.#isMedian ? (x > 0 ? 1 : -1) : x);
    this.#largest = Math.max(this.#largest, this.#isMedian ? 1 : Math.abs(x));
  }

  rescale(ratio: number): void {
    if (this.#isMedian) return;
    this.#bets.rescale(ratio);
    this.#largest *= ratio;
  }

  /** @param lacking pairs without a difference; each counts as the largest value in the other direction. */
  capital(lacking: number): number {
    if (lacking === 0) return this.#bets.capital();
    const after = new Bets(this.#bets);
    for (let pair = 0; pair < lacking; pair++) after.add(-this.#largest);
    return after.capital();
  }
}

/** Options of `pairedEValues`. */
export interface PairedEValueOptions {
  /** Differences of at most this size count as none (default: 0). */
  readonly margin?: number;
  /** `mean` bets on signs and sizes (default); `median` on signs alone, and a tie counts against the difference. */
  readonly test?: "mean" | "median";
}

/**
 * Evidence from paired differences d as they come, against a margin δ: e = ½ (E(d − δ) + E(−δ − d)) that the centre lies outside the margin, and min(E(d + δ),
 * E(δ − d)) that it lies inside. Each may be read after every pair: 1/α is exceeded at any time with a probability of at most α.
 */
export class PairedBets {
  readonly #outside: readonly [Side, Side];
  readonly #inside: readonly [Side, Side];
  readonly #margin: number;
  #largest: number;
  #scale: number;
  #lacking = 0;

  constructor({ margin = 0, test = "mean" }: PairedEValueOptions = {}) {
    const isMedian = test === "median";
    this.#margin = margin;
    this.#largest = margin;
    this.#scale = scaleOf([margin]);
    this.#outside = [new Side(isMedian), new Side(isMedian)];
    this.#inside = margin === 0 ? this.#outside : [new Side(isMedian), new Side(isMedian)]; // d + 0 and 0 − d: the same bets
  }

  /** @param difference of the next pair; null if it lacks the measure. */
  add(difference: number | null): void {
    if (difference === null || !Number.isFinite(difference)) {
      this.#lacking++;
      return;
    }
    this.#fit(difference);
    const [d, delta] = [difference / this.#scale, this.#margin / this.#scale];
    this.#outside[0].add(apart(d, delta));
    this.#outside[1].add(apart(-d, delta));
    if (this.#margin === 0) return;
    this.#inside[0].add(apart(d, -delta));
    this.#inside[1].add(apart(-d, -delta));
  }

  /** e that the centre lies outside the margin. */
  positive(): number {
    return this.#outside[0].capital(this.#lacking) / 2 + this.#outside[1].capital(this.#lacking) / 2;
  }

  /** e that the centre lies inside the margin. */
  null(): number {
    return Math.min(this.#inside[0].capital(this.#lacking), this.#inside[1].capital(this.#lacking));
  }

  /** Raise the unit to the largest difference so far: powers of two, which divide exactly. */
  #fit(difference: number): void {
    if (Math.abs(difference) <= this.#largest) return;
    const before = this.#largest === 0 ? null : this.#scale;
    this.#largest = Math.abs(difference);
    this.#scale = scaleOf([this.#largest]);
    if (before === null || before === this.#scale) return;
    for (const side of new Set([...this.#outside, ...this.#inside])) side.rescale(before / this.#scale);
  }
}

/** Scaled d − θ; 0 for a tie. */
function apart(d: number, theta: number): number {
  return Math.abs(d - theta) <= tie ? 0 : d - theta;
}

/** The e values after each pair. */
export interface PairedEValues {
  /** That the centre of the differences lies outside the margin. */
  readonly positive: readonly number[];
  /** That it lies inside. */
  readonly null: readonly number[];
}

/**
 * The e values of paired differences after each pair, in the order of training (see `PairedBets`). Independent of scale.
 * @param differences null for a pair that lacks the measure: it counts against the difference.
 */
export function pairedEValues(differences: readonly (number | null)[], options: PairedEValueOptions = {}): PairedEValues {
  const bets = new PairedBets(options);
  const after = differences.map((difference) => {
    bets.add(difference);
    return [bets.positive(), bets.null()] as const;
  });
  return { positive: after.map(([positive]) => positive), null: after.map(([, none]) => none) };
}

/**
 * Holm's correction of a family of e values, closed testing by averages (Vovk & Wang 2021): e*ₖ = min over j of (eₖ + the sum of the j smallest others) / (j +
 * 1). Rejecting hypotheses with e* ≥ 1/α keeps the family-wise error rate below α under any dependence.
 * @returns the corrected values in the given order.
 */
export function eHolm(eValues: readonly number[]): number[] {
  const ascending = eValues.map((e, at) => ({ e, at })).sort((a, b) => a.e - b.e);
  return eValues.map((e, own) => {
    let [lowest, sum, count] = [e, e, 1];
    for (const other of ascending) {
      if (other.at === own) continue;
      sum += other.e;
      count++;
      lowest = Math.min(lowest, sum / count);
    }
    return lowest;
  });
}
