import type { History } from "../formats/history.js";
import { type MotionRange, type NormSeries, observation } from "./scan/motion-scan.js";
import type { Observation } from "./scan/observation.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import type { StepMotion } from "./step-motion.js";
import { stepOrNull, tokensUntil } from "./tokens-by-step.js";

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
