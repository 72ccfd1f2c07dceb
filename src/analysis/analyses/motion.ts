import { z } from "zod";
import { figure } from "../../text/figure.js";
import { glance } from "../../text/glance.js";
import { groupDigits } from "../../text/group-digits.js";
import { percent } from "../../text/percent.js";
import { defineAnalysis } from "../analysis.js";
import { figures, steps } from "../figure-schemas.js";
import { jsonFigures } from "../json-figures.js";
import { latticeFor, measurableStates } from "../needs.js";
import { observation } from "../scan/motion-scan.js";

const norms = z.strictObject({ meanL1: figures, maxL1: figures, meanL2: figures, maxL2: figures, meanLinf: figures, maxLinf: figures });

const schema = z
  .strictObject({
    weight: norms,
    lattice: norms.optional(),
    lastMotionStep: steps.optional(),
    stillFraction: z.array(z.number()).readonly(),
    frozenFraction: z.array(z.number()).readonly(),
    bulk: figures,
    thermal: figures,
    participation: figures,
  })
  .describe("An entry a step, entry i being step i + 1; lastMotionStep has an entry a token");

/** How the tokens move, step by step. */
export const motionAnalysis = defineAnalysis({
  name: "motion",
  schema,
  needs: [latticeFor(["lattice", "lastMotionStep"]), measurableStates],
  observation,
  async finish({ range, history, perToken }) {
    const { motionOf } = await import("../motion.js");
    const { lastMotionStep, stillFraction, frozenFraction, ...series } = motionOf(range, history.dtype === "BF16");
    const lastSteps = lastMotionStep && perToken({ lastMotionStep }, history.tokens);
    return { ...jsonFigures(series), ...lastSteps, stillFraction, frozenFraction };
  },
  title: "Motion",
  print({ weight, lattice, stillFraction, frozenFraction, bulk, thermal, participation }, stepOf) {
    if (bulk.length === 0) return ["There is no step."];
    const rows = glance(1, bulk.length).map((step) => [
      groupDigits(stepOf(step)),
      figure(weight.meanL2[step - 1]),
      ...(lattice ? [figure(lattice.meanL2[step - 1])] : []),
      percent(stillFraction[step - 1]),
      percent(frozenFraction[step - 1]),
      figure(bulk[step - 1]),
      figure(thermal[step - 1]),
      figure(participation[step - 1]),
    ]);
    const unit = lattice ? ", in weights and in lattice cells" : "";
    const head = ["step", "|ΔW|", ...(lattice ? ["cells"] : []), "still", "frozen", "bulk", "thermal", "particip."];
    return [`|ΔW| is the mean length of a token's step${unit}`, { head, rows }];
  },
});
