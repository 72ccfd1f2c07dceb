import { z } from "zod";
import { groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, latticeFor, measurableStates } from "../analysis.js";
import { Counts, counts, distributionSchema } from "../document-fields.js";
import { type Lifecycle, lifecycleOf, observation, type Phase, phases } from "../lifecycle/lifecycle.js";

/** Steps that each token spends in each phase: from the end of the previous phases to its own. @param steps number of steps of the history. */
function phaseDurations({ earlyEnd, midlifeEnd, lateEnd }: Lifecycle, steps: number): Record<Phase, number[]> {
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

const durations = distributionSchema.omit({ counts: true });
const group = z.strictObject({ early: durations, midlife: durations, late: durations, frozen: durations });

const schema = z
  .strictObject({
    early: counts.optional(),
    midlife: counts.optional(),
    late: counts.optional(),
    frozen: counts.optional(),
    table: z.strictObject({ all: group, live: group.optional(), dead: group.optional() }).describe("live and dead tokens only for a run"),
  })
  .describe("Steps that tokens spend in each phase of the lifecycle: per token, and their distribution");

/** Durations of the phases of motion. */
export const phasesAnalysis = defineAnalysis({
  name: "phases",
  schema,
  isOnRequest: true,
  needs: [latticeFor(), measurableStates],
  observation,
  finish({ range, history, run, perToken }) {
    const steps = history.states - 1;
    const found = phaseDurations(lifecycleOf(range, steps), steps);
    const dead = run && new Set(run.deadTokens);
    const groupOf = (has: (token: number) => boolean): z.output<typeof group> => {
      const described = phases.map((phase) => {
        const lengths = new Counts();
        for (const [row, length] of found[phase].entries()) if (has(history.rowTokens.ofRow(row))) lengths.add(length);
        const { counts: _, ...distribution } = lengths.distribution();
        return [phase, distribution] as const;
      });
      return Object.fromEntries(described) as z.output<typeof group>;
    };
    const apart = dead && { live: groupOf((token) => !dead.has(token)), dead: groupOf((token) => dead.has(token)) };
    return { ...perToken(found, history.tokens), table: { all: groupOf(() => true), ...apart } };
  },
  title: "Phases (steps that tokens spend in each)",
  print({ table }) {
    const rows = (["all", "live", "dead"] as const).flatMap((name) => {
      const of = table[name];
      if (!of) return [];
      return phases.map((phase) => {
        const { n, min, median, mean, max } = of[phase];
        return [`${name}, ${phase}`, groupDigits(n), ...[min, median, mean, max].map(shown)];
      });
    });
    return [{ head: ["tokens", "n", "min", "median", "mean", "max"], rows }];
  },
});
