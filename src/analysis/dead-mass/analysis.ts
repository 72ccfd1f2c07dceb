import { z } from "zod";
import { glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, type Need } from "../analysis.js";
import { count, counts, figures, jsonFigures } from "../document-fields.js";

const schema = z
  .strictObject({
    from: z.enum(["logits.mean", "hidden.mean"]),
    dead: count,
    uniform: z.number().describe("Mass of the dead tokens if all tokens were equally likely"),
    steps: counts,
    mass: figures,
  })
  .describe("Σ softmax of the dead tokens for the mean logits, or for the logits of the mean hidden state, of each recorded step");

const recorded: Need = {
  unmet: (_history, _settings, run) =>
    run?.tensors.some((tensor) => tensor === "logits.mean" || tensor === "hidden.mean")
      ? undefined
      : 'needs a run that recorded logits.mean or hidden.mean: set record.tensors, or add one with "bh-bridge rerecord"',
};
const allRows: Need = {
  unmet: ({ rowTokens }) =>
    rowTokens.ids ? "probabilities need the logits of all tokens, but only chosen rows were recorded: set record.rows to all" : undefined,
};
const deadTokens: Need = {
  unmet: (_history, _settings, run) => (run?.deadTokens.length === 0 ? "the text of the run contains every token: none is dead" : undefined),
};

/** The probability of the tokens that never appear in the text. */
export const deadMassAnalysis = defineAnalysis({
  name: "deadMass",
  schema,
  isOnRequest: true,
  needs: [recorded, allRows, deadTokens],
  async finish({ history, run, signal }) {
    if (!run) throw new Error("the needs of deadMass require a run");
    const [{ massOfRun }, { runHere }] = await Promise.all([import("./dead-token-mass.js"), import("../scan/run-in-parts.js")]);
    const { from, steps, mass } = await massOfRun(history, run, (work, total) => runHere(work, total, { signal }));
    return { from, dead: run.deadTokens.length, uniform: run.deadTokens.length / history.rowTokens.vocabulary, steps, mass: jsonFigures(mass) };
  },
  title: "Probability of dead tokens",
  print({ from, dead, uniform, steps, mass }) {
    const rows = glance(0, steps.length - 1).map((at) => [groupDigits(steps[at] ?? 0), shown(mass[at])]);
    return [`${groupDigits(dead)} dead tokens, from ${from}; ${shown(uniform)} if all tokens were equally likely`, { head: ["step", "probability"], rows }];
  },
});
