import type { History } from "../../formats/history.js";
import type { Observation, ScanOptions } from "../scan/observation.js";
import { arraysByName, emptySeries, joinedByName, laterSteps, scanHistory, stepOrNull, tokensUntil } from "../scan/scan-history.js";
import type { StepMotion } from "./step-motion.js";

/** Length of ΔW′ from which a token counts as moving: less than a tenth of a cell is no move on the lattice. */
const motionThreshold = 0.1;

const normNames = ["meanL1", "maxL1", "meanL2", "maxL2", "meanLinf", "maxLinf"] as const;
const seriesNames = ["stillFraction", "bulk", "thermal", "participation"] as const;

/** Norms over tokens, one entry per step. */
type NormSeries = Record<(typeof normNames)[number], Float64Array>;

/** Motion in a range of steps. */
export interface MotionRange {
  readonly weight: NormSeries;
  readonly lattice: NormSeries;
  readonly stillFraction: Float64Array;
  readonly bulk: Float64Array;
  readonly thermal: Float64Array;
  readonly participation: Float64Array;
  /** Last step with ‖ΔW‖₁ ≠ 0 of each token; 0 for none. */
  readonly lastChange: Int32Array;
  /** Last step with ‖ΔW′‖₂ ≥ 0.1 of each token; 0 for none. */
  readonly lastMotion: Int32Array;
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

/** The motion of the tokens: norms of each step, and each token's last step. */
export const observation: Observation<MotionRange> = {
  module: import.meta.url,
  observe({ firstStep, end, tokens }) {
    const steps = end - firstStep;
    const range: MotionRange = {
      weight: emptySeries(normNames, steps),
      lattice: emptySeries(normNames, steps),
      ...emptySeries(seriesNames, steps),
      lastChange: new Int32Array(tokens),
      lastMotion: new Int32Array(tokens),
    };
    return { step: (step, motion) => record(range, step - firstStep, step, motion), end: () => range };
  },
  merge: (first, second) => ({
    weight: joinedByName(normNames, first.weight, second.weight),
    lattice: joinedByName(normNames, first.lattice, second.lattice),
    ...joinedByName(seriesNames, first, second),
    lastChange: laterSteps(first.lastChange, second.lastChange),
    lastMotion: laterSteps(first.lastMotion, second.lastMotion),
  }),
};

/** Norms over tokens, one entry per step; NaN for a step in which some token has NaN. */
export type MotionNorms = { readonly [Norm in keyof NormSeries]: readonly number[] };

/** The motion of the tokens of a history. Entry i of a series belongs to step i + 1, the move to state i + 1. */
export interface Motion {
  /** Norms of ΔW. */
  readonly weight: MotionNorms;
  /** Norms of ΔW′ = ΔW / ULP(W before), in lattice cells; bfloat16 only. */
  readonly lattice?: MotionNorms;
  /** Last step with ‖ΔW′‖₂ ≥ 0.1 of each token; null if it never moved. A step with NaN on either side is no motion. bfloat16 only. */
  readonly lastMotionStep?: readonly (number | null)[];
  /** Share of tokens that do not change in the step. */
  readonly stillFraction: readonly number[];
  /** Share of tokens that do not change from this step to the last. */
  readonly frozenFraction: readonly number[];
  /** ‖mean ΔW‖². */
  readonly bulk: readonly number[];
  /** mean ‖ΔW − mean ΔW‖². */
  readonly thermal: readonly number[];
  /** (Σ‖ΔW‖)²/(NΣ‖ΔW‖²). */
  readonly participation: readonly number[];
}

/** The motion of a scanned history. @param hasLattice whether the history is bfloat16. */
export function motionOf(range: MotionRange, hasLattice: boolean): Motion {
  const tokens = range.lastChange.length;
  const { stillFraction, ...others } = arraysByName(seriesNames, range);
  return {
    weight: arraysByName(normNames, range.weight),
    ...(hasLattice && { lattice: arraysByName(normNames, range.lattice), lastMotionStep: Array.from(range.lastMotion, stepOrNull) }),
    stillFraction,
    frozenFraction: tokensUntil(range.lastChange, range.bulk.length).map((changing) => (tokens - changing) / tokens),
    ...others,
  };
}

/** Options of `motion`. */
export interface MotionOptions extends ScanOptions {
  /** Called with the motion of each step, in order. The arrays are reused for the next step. */
  readonly onStep?: ((step: number, motion: StepMotion) => void) | undefined;
}

/**
 * Measure the motion of the tokens of a history, step by step. ΔW is subtracted in float32 (float64 for a float64 history); everything after that is float64.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; read errors.
 */
export async function motion(history: History, options: MotionOptions = {}): Promise<Motion> {
  const { onStep: step } = options;
  const listeners: Observation<undefined>[] = step ? [{ observe: () => ({ step, end: () => undefined }), merge: () => undefined }] : [];
  const { observed } = await scanHistory(history, [observation, ...listeners], options);
  return motionOf(observed[0], history.dtype === "BF16");
}
