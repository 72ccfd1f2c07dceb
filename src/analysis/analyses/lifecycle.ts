import { z } from "zod";
import { glance } from "../../text/glance.js";
import { groupDigits } from "../../text/group-digits.js";
import { defineAnalysis } from "../analysis.js";
import { counts, steps } from "../figure-schemas.js";
import { latticeFor, measurableStates } from "../needs.js";
import { observation } from "../scan/lifecycle-scan.js";

const phases = ["early", "midlife", "late", "frozen"] as const;

const schema = z
  .strictObject({
    earlyEnd: steps.optional(),
    midlifeEnd: steps.optional(),
    lateEnd: steps.optional(),
    frozenFrom: steps.optional(),
    counts: z.strictObject({ early: counts, midlife: counts, late: counts, frozen: counts }),
  })
  .describe("Phases of motion on the lattice: ends per token, counts per step");

/** When the tokens leave each phase of motion on the lattice. */
export const lifecycleAnalysis = defineAnalysis({
  name: "lifecycle",
  schema,
  needs: [latticeFor(), measurableStates],
  observation,
  async finish({ range, history, perToken }) {
    const { lifecycleOf } = await import("../lifecycle.js");
    const { counts: inPhases, ...ends } = lifecycleOf(range, history.states - 1);
    return { ...perToken(ends, history.tokens), counts: inPhases };
  },
  title: "Lifecycle (tokens in each phase)",
  print({ counts: inPhases }, stepOf) {
    if (inPhases.early.length === 0) return ["There is no step."];
    const rows = glance(1, inPhases.early.length).map((step) => [
      groupDigits(stepOf(step)),
      ...phases.map((phase) => groupDigits(inPhases[phase][step - 1] ?? 0)),
    ]);
    return [{ head: ["step", ...phases], rows }];
  },
});
