import type { StepMotion } from "../../analysis/motion/step-motion.js";
import type { Observation } from "../../analysis/scan/observation.js";

/** So many rows of a large vocabulary are followed, evenly spread. */
const maxRows = 512;

/** How much a row moves in a step: not at all, by at most one lattice cell in every component, by more, and by more than √dims cells in all. Without a lattice it moves or does not. */
const stillness = { still: 0, within: 1, beyond: 2, far: 3 } as const;

/** The rows that are followed, of so many. */
export function followedRows(tokens: number): number[] {
  const every = Math.ceil(tokens / maxRows);
  return Array.from({ length: Math.ceil(tokens / every) }, (_, index) => index * every);
}

function levelOf({ weight, lattice }: StepMotion, row: number, far: number): number {
  if (weight.L1[row] === 0) return stillness.still;
  if (!lattice) return stillness.far;
  if ((lattice.L2[row] ?? 0) > far) return stillness.far;
  return (lattice.Linf[row] ?? 0) > 1 ? stillness.beyond : stillness.within;
}

/** The level of every followed row in every step, `[steps, rows]`. */
export const observation: Observation<Uint8Array> = {
  module: import.meta.url,
  observe({ firstStep, end, tokens, dims }) {
    const rows = followedRows(tokens);
    const levels = new Uint8Array((end - firstStep) * rows.length);
    const far = Math.sqrt(dims);
    return {
      step(step, motion) {
        const at = (step - firstStep) * rows.length;
        for (const [index, row] of rows.entries()) levels[at + index] = levelOf(motion, row, far);
      },
      end: () => levels,
    };
  },
  merge(first, second) {
    const both = new Uint8Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  },
};
