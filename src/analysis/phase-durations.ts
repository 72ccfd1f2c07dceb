import type { Lifecycle } from "./lifecycle.js";

/** The phases of motion on the lattice, in order. */
export const phases = ["early", "midlife", "late", "frozen"] as const;
type Phase = (typeof phases)[number];

/** Steps that each token spends in each phase. The four of a token add up to all steps. */
export type PhaseDurations = Readonly<Record<Phase, readonly number[]>>;

/** How long the phases of a lifecycle last, token by token: a phase lasts from the end of those before it to its own. @param steps of the history. */
export function phaseDurations({ earlyEnd, midlifeEnd, lateEnd }: Pick<Lifecycle, "earlyEnd" | "midlifeEnd" | "lateEnd">, steps: number): PhaseDurations {
  const durations: Record<Phase, number[]> = { early: [], midlife: [], late: [], frozen: [] };
  for (let token = 0; token < earlyEnd.length; token++) {
    let end = 0;
    for (const [phase, last] of [["early", earlyEnd[token]] as const, ["midlife", midlifeEnd[token]] as const, ["late", lateEnd[token]] as const]) {
      durations[phase].push(Math.max(0, (last ?? 0) - end));
      end = Math.max(end, last ?? 0);
    }
    durations.frozen.push(steps - end);
  }
  return durations;
}
