import type { History } from "../../formats/history.js";
import type { Observation, ScanOptions } from "../scan/observation.js";
import { joinedSeries, laterSteps, scanHistory, stepOrNull, tokensUntil } from "../scan/scan-history.js";
import type { StepMotion } from "./step-motion.js";

/** A token's motion is counted from this length of ΔW′ on: less than a tenth of a cell is no move on the lattice. */
const motionThreshold = 0.1;

const normFields = ["meanL1", "maxL1", "meanL2", "maxL2", "meanLinf", "maxLinf"] as const;

/** Norms over tokens, one entry a step. */
type NormSeries = Record<(typeof normFields)[number], Float64Array>;

/** Motion of a range of steps. */
export interface MotionRange {
  readonly weight: NormSeries;
  readonly lattice: NormSeries;
  readonly stillFraction: Float64Array;
  readonly bulk: Float64Array;
  readonly thermal: Float64Array;
  readonly participation: Float64Array;
  /** Per token, the last step in which ‖ΔW‖₁ ≠ 0; 0 when there is none. */
  readonly lastChange: Int32Array;
  /** Likewise ‖ΔW′‖₂ ≥ 0.1. */
  readonly lastMotion: Int32Array;
}

function normSeries(steps: number): NormSeries {
  const series = (): Float64Array => new Float64Array(steps);
  return { meanL1: series(), maxL1: series(), meanL2: series(), maxL2: series(), meanLinf: series(), maxLinf: series() };
}

function motionRange(steps: number, tokens: number): MotionRange {
  return {
    weight: normSeries(steps),
    lattice: normSeries(steps),
    stillFraction: new Float64Array(steps),
    bulk: new Float64Array(steps),
    thermal: new Float64Array(steps),
    participation: new Float64Array(steps),
    lastChange: new Int32Array(tokens),
    lastMotion: new Int32Array(tokens),
  };
}

function meanAndMax(values: Float64Array): { mean: number; max: number } {
  let sum = 0;
  let max = 0;
  for (const value of values) {
    sum += value;
    if (value > max) max = value;
  }
  return { mean: sum / values.length, max: Number.isNaN(sum) ? Number.NaN : max };
}

function recordNorms(series: NormSeries, index: number, norms: StepMotion["weight"]): void {
  for (const name of ["L1", "L2", "Linf"] as const) {
    const { mean, max } = meanAndMax(norms[name]);
    series[`mean${name}`][index] = mean;
    series[`max${name}`][index] = max;
  }
}

/** Record the motion of a step at `index` of a range. */
function record(range: MotionRange, index: number, step: number, { weight, lattice, bulk, thermal, participation }: StepMotion): void {
  recordNorms(range.weight, index, weight);
  if (lattice) recordNorms(range.lattice, index, lattice);
  range.stillFraction[index] = weight.L1.filter((length) => length === 0).length / weight.L1.length;
  range.bulk[index] = bulk;
  range.thermal[index] = thermal;
  range.participation[index] = participation;
  for (let token = 0; token < weight.L1.length; token++) {
    if (weight.L1[token] !== 0) range.lastChange[token] = step;
    if (lattice && (lattice.L2[token] ?? 0) >= motionThreshold) range.lastMotion[token] = step;
  }
}

function mergeNorms(first: NormSeries, second: NormSeries): NormSeries {
  return {
    meanL1: joinedSeries(first.meanL1, second.meanL1),
    maxL1: joinedSeries(first.maxL1, second.maxL1),
    meanL2: joinedSeries(first.meanL2, second.meanL2),
    maxL2: joinedSeries(first.maxL2, second.maxL2),
    meanLinf: joinedSeries(first.meanLinf, second.meanLinf),
    maxLinf: joinedSeries(first.maxLinf, second.maxLinf),
  };
}

/** How the tokens move: norms of each step, and each token's last. */
export const observation: Observation<MotionRange> = {
  module: import.meta.url,
  observe({ firstStep, end, tokens }) {
    const range = motionRange(end - firstStep, tokens);
    return { step: (step, motion) => record(range, step - firstStep, step, motion), end: () => range };
  },
  merge: (first, second) => ({
    weight: mergeNorms(first.weight, second.weight),
    lattice: mergeNorms(first.lattice, second.lattice),
    stillFraction: joinedSeries(first.stillFraction, second.stillFraction),
    bulk: joinedSeries(first.bulk, second.bulk),
    thermal: joinedSeries(first.thermal, second.thermal),
    participation: joinedSeries(first.participation, second.participation),
    lastChange: laterSteps(first.lastChange, second.lastChange),
    lastMotion: laterSteps(first.lastMotion, second.lastMotion),
  }),
};

/** Norms over tokens, one entry a step; NaN in a step where some token holds NaN. */
export type MotionNorms = { readonly [Norm in keyof NormSeries]: readonly number[] };

/** How the tokens of a history move. Entry i of a series is of step i + 1, the move to state i + 1. */
export interface Motion {
  /** Of ΔW. */
  readonly weight: MotionNorms;
  /** Of ΔW′ = ΔW / ULP(W before), in lattice cells; bfloat16 only. */
  readonly lattice?: MotionNorms;
  /** Per token, the last step with ‖ΔW′‖₂ ≥ 0.1; null when it never moved, and NaN on either side is no motion; bfloat16 only. */
  readonly lastMotionStep?: readonly (number | null)[];
  /** Share of the tokens that do not change in the step. */
  readonly stillFraction: readonly number[];
  /** Share of the tokens that do not change from this step to the last. */
  readonly frozenFraction: readonly number[];
  /** ‖mean ΔW‖². */
  readonly bulk: readonly number[];
  /** mean ‖ΔW − mean ΔW‖². */
  readonly thermal: readonly number[];
  /** (Σ‖ΔW‖)²/(NΣ‖ΔW‖²). */
  readonly participation: readonly number[];
}

function normsOf(series: NormSeries): MotionNorms {
  return {
    meanL1: Array.from(series.meanL1),
    maxL1: Array.from(series.maxL1),
    meanL2: Array.from(series.meanL2),
    maxL2: Array.from(series.maxL2),
    meanLinf: Array.from(series.meanLinf),
    maxLinf: Array.from(series.maxLinf),
  };
}

/** The motion that a scan amounts to. @param hasLattice whether the history is bfloat16. */
export function motionOf(range: MotionRange, hasLattice: boolean): Motion {
  const tokens = range.lastChange.length;
  const changing = tokensUntil(range.lastChange, range.bulk.length);
  return {
    weight: normsOf(range.weight),
    ...(hasLattice && { lattice: normsOf(range.lattice), lastMotionStep: Array.from(range.lastMotion, stepOrNull) }),
    stillFraction: Array.from(range.stillFraction),
    frozenFraction: changing.map((count) => (tokens - count) / tokens),
    bulk: Array.from(range.bulk),
    thermal: Array.from(range.thermal),
    participation: Array.from(range.participation),
  };
}

/** Called with the motion of each step, in order; the arrays are used again for the next one. */
type OnStep = (step: number, motion: StepMotion) => void;

export interface MotionOptions extends ScanOptions {
  /** Called with the norms of every token in each step, in order; the arrays are used again for the next step. */
  readonly onStep?: OnStep | undefined;
}

/** Tells a listener of every step, in this thread. */
function listening(step: OnStep): Observation<undefined> {
  return { observe: () => ({ step, end: () => undefined }), merge: () => undefined };
}

/**
 * How the tokens of a history move, step by step.
 *
 * ΔW is subtracted in float32 (float64 for a float64 history); everything after that is float64.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function motion(history: History, options: MotionOptions = {}): Promise<Motion> {
  const listeners = options.onStep ? [listening(options.onStep)] : [];
  const { observed } = await scanHistory(history, [observation, ...listeners], options);
  return motionOf(observed[0], history.dtype === "BF16");
}
