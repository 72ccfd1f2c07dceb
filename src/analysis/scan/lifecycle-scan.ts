import type { TokenNorms } from "../step-motion.js";
import { laterSteps } from "../tokens-by-step.js";
import type { Observation } from "./observation.js";

/** Per token, the last step of a range with so much motion on the lattice; 0 when there is none. */
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

/** When the tokens of a bfloat16 history leave each phase of motion; of any other, they are in none. */
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
