import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { type LifecycleRange, observation } from "./scan/lifecycle-scan.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import { laterSteps, stepOrNull, tokensUntil } from "./tokens-by-step.js";

/** When the tokens of a bfloat16 history leave each phase of motion on the lattice; per token, null when it never was in it. */
export interface Lifecycle {
  /** Last step with ‖ΔW′‖₂ > √dims. */
  readonly earlyEnd: readonly (number | null)[];
  /** Last step with ‖ΔW′‖∞ > 1. */
  readonly midlifeEnd: readonly (number | null)[];
  /** Last step with ‖ΔW′‖₁ ≠ 0. */
  readonly lateEnd: readonly (number | null)[];
  /** The step after `lateEnd`; null when the token moves in the last step. */
  readonly frozenFrom: readonly (number | null)[];
  /** Tokens in each phase, an entry a step: early until `earlyEnd`, else midlife until `midlifeEnd`, else late until `lateEnd`, else frozen. */
  readonly counts: {
    readonly early: readonly number[];
    readonly midlife: readonly number[];
    readonly late: readonly number[];
    readonly frozen: readonly number[];
  };
}

function less(counts: readonly number[], fewer: readonly number[]): number[] {
  return counts.map((count, index) => count - (fewer[index] ?? 0));
}

/** The lifecycle that a scan of `steps` steps amounts to. */
export function lifecycleOf({ lastEarly, lastMidlife, lastLate }: LifecycleRange, steps: number): Lifecycle {
  const early = tokensUntil(lastEarly, steps);
  const beforeLate = laterSteps(lastEarly, lastMidlife);
  const untilMidlife = tokensUntil(beforeLate, steps);
  const untilLate = tokensUntil(laterSteps(beforeLate, lastLate), steps);
  return {
    earlyEnd: Array.from(lastEarly, stepOrNull),
    midlifeEnd: Array.from(lastMidlife, stepOrNull),
    lateEnd: Array.from(lastLate, stepOrNull),
    frozenFrom: Array.from(lastLate, (step) => (step === steps ? null : step + 1)),
    counts: {
      early,
      midlife: less(untilMidlife, early),
      late: less(untilLate, untilMidlife),
      frozen: untilLate.map((count) => lastLate.length - count),
    },
  };
}

/**
 * The phases of motion of every token of a history.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a history that is empty or not bfloat16; `ABORTED`; what reading it throws.
 */
export async function lifecycle(history: History, options: ScanOptions = {}): Promise<Lifecycle> {
  if (history.dtype !== "BF16") {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${history.source} is ${history.dtype}: only bfloat16 histories have a lattice to live on`);
  }
  const { observed } = await scanHistory(history, [observation], options);
  return lifecycleOf(observed[0], history.states - 1);
}
