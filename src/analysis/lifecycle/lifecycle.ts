import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { glance, groupDigits } from "../../text/format.js";
import { defineAnalysis, latticeFor, measurableStates } from "../analysis.js";
import { counts, steps } from "../document-fields.js";
import type { TokenNorms } from "../motion/step-motion.js";
import type { Observation, ScanOptions } from "../scan/observation.js";
import { laterSteps, scanHistory, stepOrNull, tokensUntil } from "../scan/scan-history.js";

/** Last step of each token with motion of a given size on the lattice; 0 for none. */
export interface LifecycleRange {
  /** ‖ΔW′‖₂ > √dims. */
  readonly lastEarly: Int32Array;
  /** ‖ΔW′‖∞ > 1. */
  readonly lastMidlife: Int32Array;
  /** ‖ΔW′‖₁ ≠ 0. */
  readonly lastLate: Int32Array;
}

function record({ lastEarly, lastMidlife, lastLate }: LifecycleRange, step: number, { L1, L2, Linf }: TokenNorms, earlyLength: number): void {
  for (let token = 0; token < L1.length; token++) {
    if ((L2[token] ?? 0) > earlyLength) lastEarly[token] = step;
    if ((Linf[token] ?? 0) > 1) lastMidlife[token] = step;
    if (L1[token] !== 0) lastLate[token] = step;
  }
}

/** When tokens leave each phase of motion; all 0 unless the history is bfloat16. */
export const observation: Observation<LifecycleRange> = {
  module: import.meta.url,
  observe({ tokens, dims }) {
    const range = { lastEarly: new Int32Array(tokens), lastMidlife: new Int32Array(tokens), lastLate: new Int32Array(tokens) };
    const earlyLength = Math.sqrt(dims);
    return {
      step(step, { lattice }) {
        if (lattice) record(range, step, lattice, earlyLength);
      },
      end: () => range,
    };
  },
  merge: (first, second) => ({
    lastEarly: laterSteps(first.lastEarly, second.lastEarly),
    lastMidlife: laterSteps(first.lastMidlife, second.lastMidlife),
    lastLate: laterSteps(first.lastLate, second.lastLate),
  }),
};

const whole = z.strictObject({
  /** Last step with ‖ΔW′‖₂ > √dims. */
  earlyEnd: steps,
  /** Last step with ‖ΔW′‖∞ > 1. */
  midlifeEnd: steps,
  /** Last step with ‖ΔW′‖₁ ≠ 0. */
  lateEnd: steps,
  /** The step after `lateEnd`; null if the token moves in the last step. */
  frozenFrom: steps,
  /** Tokens in each phase, one entry per step: early until `earlyEnd`, else midlife until `midlifeEnd`, else late until `lateEnd`, else frozen. */
  counts: z.strictObject({ early: counts, midlife: counts, late: counts, frozen: counts }),
});
/** When tokens of a bfloat16 history leave each phase of motion on the lattice; null for tokens that were never in it. */
export type Lifecycle = Readonly<z.output<typeof whole>>;

/** The phases of motion on the lattice, in order. */
export const phases = ["early", "midlife", "late", "frozen"] as const;
export type Phase = (typeof phases)[number];

function less(counts: readonly number[], fewer: readonly number[]): number[] {
  return counts.map((count, index) => count - (fewer[index] ?? 0));
}

/** The lifecycle of a scanned history of `steps` steps. */
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
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a history that is empty or not bfloat16; `ABORTED`; read errors.
 */
export async function lifecycle(history: History, options: ScanOptions = {}): Promise<Lifecycle> {
  if (history.dtype !== "BF16") {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${history.source} is ${history.dtype}: only bfloat16 histories have a lattice`);
  }
  const { observed } = await scanHistory(history, [observation], options);
  return lifecycleOf(observed[0], history.states - 1);
}

const schema = whole
  .partial({ earlyEnd: true, midlifeEnd: true, lateEnd: true, frozenFrom: true })
  .describe("Phases of motion on the lattice: ends per token, counts per step");

/** Phases of motion of every token on the lattice. */
export const lifecycleAnalysis = defineAnalysis({
  name: "lifecycle",
  schema,
  needs: [latticeFor(), measurableStates],
  observation,
  async finish({ range, history, perToken }) {
    const { counts: inPhases, ...ends } = lifecycleOf(range, history.states - 1);
    return { ...perToken(ends, history.tokens), counts: inPhases };
  },
  title: "Lifecycle (tokens in each phase)",
  print({ counts: inPhases }, stepOf) {
    if (inPhases.early.length === 0) return ["There are no steps."];
    const rows = glance(1, inPhases.early.length).map((step) => [
      groupDigits(stepOf(step)),
      ...phases.map((phase) => groupDigits(inPhases[phase][step - 1] ?? 0)),
    ]);
    return [{ head: ["step", ...phases], rows }];
  },
});
