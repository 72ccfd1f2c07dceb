// An analysis that is no part of the source tree: how far from 0 the weights reach, and which step was the longest.
import type { Analysis, Observation } from "bh-bridge";
import { z } from "zod";

interface ReachRange {
  /** The largest |weight| of each state. */
  readonly reach: readonly number[];
  readonly longest: { readonly step: number; readonly length: number };
}

export const observation: Observation<ReachRange> = {
  module: import.meta.url,
  observe({ firstStep }) {
    const reach: number[] = [];
    let longest = { step: firstStep, length: 0 };
    return {
      state: (_, values) => reach.push(values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)),
      step(step, { weight }) {
        const length = Math.max(...weight.L2);
        if (length > longest.length) longest = { step, length };
      },
      end: () => ({ reach, longest }),
    };
  },
  merge: (first, second) => ({
    reach: [...first.reach, ...second.reach],
    longest: second.longest.length > first.longest.length ? second.longest : first.longest,
  }),
};

const schema = z.strictObject({ reach: z.array(z.number()).readonly().optional(), longestStep: z.int() });

export const reach: Analysis<"reach", typeof schema, ReachRange> = {
  name: "reach",
  schema,
  needs: [{ unmet: ({ dtype }) => (dtype === "BOOL" ? "truths reach nowhere" : undefined) }],
  observation,
  finish: ({ range, history, perToken }) => ({ ...perToken({ reach: range.reach }, history.states), longestStep: range.longest.step }),
  title: "Reach",
  print: (part, stepOf) => [
    `The longest step is step ${stepOf(part.longestStep)}`,
    { head: ["state", "reach"], rows: (part.reach ?? []).map((value, state) => [`state ${state}`, String(value)]) },
  ],
};
