import type { StepMotion } from "../step-motion.js";
import { laterSteps } from "../tokens-by-step.js";
import { joinedSeries } from "./joined-series.js";
import type { Observation } from "./observation.js";

/** A token's motion is counted from this length of ΔW′ on: less than a tenth of a cell is no move on the lattice. */
const motionThreshold = 0.1;

const normFields = ["meanL1", "maxL1", "meanL2", "maxL2", "meanLinf", "maxLinf"] as const;

/** Norms over tokens, one entry a step. */
export type NormSeries = Record<(typeof normFields)[number], Float64Array>;

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
