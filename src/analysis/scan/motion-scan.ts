import type { StepMotion } from "../step-motion.js";

/** A token's motion is counted from this length of ΔW′ on: less than a tenth of a cell is no move on the lattice. */
const motionThreshold = 0.1;
/** Steps are numbered from 1: 0 says that there was none. */
const never = 0;

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
  /** Per token, the last step in which ‖ΔW‖₁ ≠ 0; 0 when there is none. The next four likewise, for ΔW′. */
  readonly lastChange: Int32Array;
  /** ‖ΔW′‖₂ ≥ 0.1. */
  readonly lastMotion: Int32Array;
  /** ‖ΔW′‖₂ > √dims. */
  readonly lastEarly: Int32Array;
  /** ‖ΔW′‖∞ > 1. */
  readonly lastMidlife: Int32Array;
  /** ‖ΔW′‖₁ ≠ 0. */
  readonly lastLate: Int32Array;
}

function normSeries(steps: number): NormSeries {
  const series = (): Float64Array => new Float64Array(steps);
  return { meanL1: series(), maxL1: series(), meanL2: series(), maxL2: series(), meanLinf: series(), maxLinf: series() };
}

/** Room for the motion of `steps` steps of `tokens` tokens. */
export function motionRange(steps: number, tokens: number): MotionRange {
  const perToken = (): Int32Array => new Int32Array(tokens).fill(never);
  return {
    weight: normSeries(steps),
    lattice: normSeries(steps),
    stillFraction: new Float64Array(steps),
    bulk: new Float64Array(steps),
    thermal: new Float64Array(steps),
    participation: new Float64Array(steps),
    lastChange: perToken(),
    lastMotion: perToken(),
    lastEarly: perToken(),
    lastMidlife: perToken(),
    lastLate: perToken(),
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

function recordTokens(range: MotionRange, step: number, motion: StepMotion, earlyLength: number): void {
  const { weight, lattice } = motion;
  for (let token = 0; token < weight.L1.length; token++) {
    if (weight.L1[token] !== 0) range.lastChange[token] = step;
    if (!lattice) continue;
    const length = lattice.L2[token] ?? 0;
    if (length >= motionThreshold) range.lastMotion[token] = step;
    if (length > earlyLength) range.lastEarly[token] = step;
    if ((lattice.Linf[token] ?? 0) > 1) range.lastMidlife[token] = step;
    if (lattice.L1[token] !== 0) range.lastLate[token] = step;
  }
}

/** Record one step's motion at `index` of a range, whose steps come in order. */
export function recordMotion(range: MotionRange, index: number, step: number, motion: StepMotion, dims: number): void {
  recordNorms(range.weight, index, motion.weight);
  if (motion.lattice) recordNorms(range.lattice, index, motion.lattice);
  range.stillFraction[index] = motion.weight.L1.filter((length) => length === 0).length / motion.weight.L1.length;
  range.bulk[index] = motion.bulk;
  range.thermal[index] = motion.thermal;
  range.participation[index] = motion.participation;
  recordTokens(range, step, motion, Math.sqrt(dims));
}
